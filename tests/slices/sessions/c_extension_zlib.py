"""A zlib compressor is fed chunk by chunk; how much is not to be seen from outside."""
# kind: C-extension state
# %%
import zlib
comp = zlib.compressobj()
parts = []
# %%
parts.append(comp.compress(b"hello " * 50))
# %%
zlib.crc32(b"hello")
# %%
comp.compress(b"world " * 20)
# %%
blob = b"".join(parts) + comp.flush()
for n in (1, 2):
    loss = len(blob) / n
