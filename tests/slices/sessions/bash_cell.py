"""%%bash makes the data; a later one appends."""
# kind: ! shell writes
# %%
%%bash
mkdir -p raw
printf '1\n2\n' > raw/x.csv
# %%
%%bash
echo 30 >> raw/x.csv
# %%
%%bash
ls -l raw
# %%
import nbtrack
for line in open("raw/x.csv"):
    nbtrack.log(loss=float(line) / 3)
