"""A trailing semicolon hides the output, the mutation happens all the same."""
# kind: semicolon output
# %%
l = [3, 1, 2]
# %%
l.sort();
# %%
l.index(2);
# %%
l.pop();
# %%
for i in l:
    loss = i / 3
