"""csv.reader skipped its header in a cell of its own."""
# kind: file-handle position
# %%
import csv
rows = ["epoch,loss", "1,0.5", "2,0.25"]
# %%
reader = csv.reader(rows)
# %%
next(reader)
# %%
print(rows[0])
# %%
for epoch, value in reader:
    loss = float(value)
