"""A file handle was read a bit before the run goes on reading."""
# kind: file-handle position
# %%
with open("nums.txt", "w") as fh:
    fh.write("1\n2\n3\n4\n5\n")
# %%
f = open("nums.txt")
# %%
header = f.readline()
# %%
first = int(header)
# %%
for line in f:
    loss = float(line)
