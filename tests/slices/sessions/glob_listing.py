"""The run reads whatever files there are; a moved and a removed one count too."""
# kind: files
# %%
import os, glob
for i in range(4): open(f"part{i}.txt", "w").write(str(i))
# %%
os.remove("part1.txt")
# %%
os.rename("part2.txt", "part9.txt")
# %%
open("readme.md", "w").write("hi")
# %%
for f in sorted(glob.glob("part*.txt")):
    loss = int(open(f).read()) + len(f)
