"""%cd into a folder, then relative paths mean something else."""
# kind: %cd
# %%
import os
os.makedirs("exp1/data", exist_ok=True)
open("exp1/data/v.txt", "w").write("8")
# %%
%mkdir other_place
# %%
%cd exp1
# %%
p = "data/v.txt"
# %%
for i in range(1, 3):
    loss = int(open(p).read()) / i
