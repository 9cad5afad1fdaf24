"""files = !ls ... depends on the files that cells made."""
# kind: ! shell writes
# %%
for n in ("a", "b"):
    open(f"{n}.dat", "w").write(n * 3)
# %%
open("c.txt", "w").close()
# %%
open("d.dat", "w").close()
# %%
files = !ls *.dat
# %%
for f in files:
    loss = len(open(f).read())
