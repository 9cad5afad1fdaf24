"""sys.path.insert makes a local folder importable; the import is in a function."""
# kind: sys.path
# %%
import sys, os
os.makedirs("lib", exist_ok=True)
# %%
open("lib/mylossmod.py", "w").write("def f(x):\n    return x * 7\n")
# %%
sys.path.insert(0, "lib")
# %%
sys.path.append("/nowhere")
# %%
def evaluate(x):
    import mylossmod
    return mylossmod.f(x)
# %%
for x in (1, 2):
    loss = evaluate(x)
