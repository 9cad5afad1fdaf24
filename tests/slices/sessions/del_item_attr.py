"""del d[k], del obj.attr, del lst[i:j]: nothing is assigned, all of it counts."""
# kind: del
# %%
d = {"a": 1, "b": 2, "c": 3}
class O: w = 10
o = O(); o.w = 99
l = [5, 6, 7, 8]
# %%
del d["b"]
# %%
del o.w
# %%
tmp = {"q": 1}; del tmp["q"]
# %%
del l[1:3]
# %%
import nbtrack
for k in d:
    nbtrack.log(loss=d[k] + o.w + len(l))
