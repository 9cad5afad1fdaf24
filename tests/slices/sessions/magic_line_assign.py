"""a = %magic: an assignment from a line magic, and an alias by %alias_magic."""
# kind: %%time
# %%
here = %pwd
# %%
import os
same = os.path.basename(here) == os.path.basename(os.getcwd())
# %%
lines = %who_ls
# %%
for i in range(2):
    loss = int(same) + i
