"""A memoryview over a bytearray is written; the run reads the bytearray."""
# kind: view
# %%
buf = bytearray(b"\x01\x02\x03")
# %%
mv = memoryview(buf)
# %%
len(mv)
# %%
mv[1] = 200
# %%
for byte in buf:
    loss = byte / 255
