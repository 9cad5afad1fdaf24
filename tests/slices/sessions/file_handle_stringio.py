"""StringIO position moves by a seek."""
# kind: file-handle position
# %%
import io
s = io.StringIO("10 20\n30 40\n50 60\n")
# %%
s.readline()
# %%
t = io.StringIO("x\n"); t.read()
# %%
s.seek(6)
# %%
for ln in s:
    a, b = ln.split()
    loss = float(a) / float(b)
