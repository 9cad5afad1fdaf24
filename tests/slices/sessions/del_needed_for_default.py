"""try: x except NameError: x = default. Whether x was deleted decides."""
# kind: del
# %%
warm = 5
# %%
del warm
# %%
unrelated = 1
# %%
try:
    start = warm
except NameError:
    start = 0
# %%
for i in range(3):
    loss = start + i
