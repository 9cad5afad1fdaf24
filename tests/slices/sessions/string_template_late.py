"""An f-string is evaluated when it is written; str.format later."""
# kind: late-binding globals
# %%
n = 3
# %%
name = f"{n}"
tmpl = "{n}"
# %%
n = 8
# %%
m = 1000
# %%
for t in (name, tmpl.format(n=n)):
    loss = float(t)
