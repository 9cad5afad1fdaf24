"""A function sets a global that no cell assigns."""
# kind: global statement
# %%
def configure(a):
    global rate
    rate = a * 2
# %%
configure(4)
# %%
def configure_other(a):
    global speed
    speed = a
configure_other(1)
# %%
for i in (1, 2):
    loss = rate / i
