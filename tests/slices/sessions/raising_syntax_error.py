"""A cell that does not even compile, and one with a wrong magic."""
# kind: raising cell
# %%
x = 2
# %%
x = = 3
# %%
%nosuchmagic
# %%
for i in range(3):
    loss = x ** i
