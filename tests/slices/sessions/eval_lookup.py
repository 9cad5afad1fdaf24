"""eval('x + y') reads what its string says."""
# kind: exec/globals
# %%
x = 2
# %%
y = 5
# %%
z = 100
# %%
expr = "x ** y"
# %%
y = 3
# %%
for i in range(2):
    loss = eval(expr) + i
