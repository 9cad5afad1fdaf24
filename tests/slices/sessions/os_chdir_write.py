"""chdir, write by a relative name, chdir back, read by the joined path."""
# kind: cwd
# %%
import os
root = os.getcwd()
# %%
os.mkdir("out"); os.chdir("out")
# %%
with open("a.txt", "w") as f: f.write("1 2 3")
# %%
os.chdir(root)
# %%
os.listdir(".")
# %%
nums = open(os.path.join("out", "a.txt")).read().split()
for n in nums:
    loss = float(n)
