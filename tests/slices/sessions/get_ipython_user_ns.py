"""get_ipython().user_ns and %store-like helpers set names from a function."""
# kind: exec/globals
# %%
ip = get_ipython()
# %%
def put(**kw):
    ip.user_ns.update(kw)
# %%
put(depth=3)
# %%
put(colour="red")
# %%
for i in range(depth):
    loss = i / depth
