"""A typo raises before anything happened; the fixed cell follows."""
# kind: raising cell
# %%
import math
# %%
y = maths.sqrt(16)
# %%
y = math.sqrt(16)
# %%
z = y.foo
# %%
for i in range(2):
    loss = y - i
