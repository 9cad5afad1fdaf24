"""plt draws into whatever figure is current; the metric counts its lines."""
# kind: implicit figure
# %%
import matplotlib.pyplot as plt
# %%
fig1 = plt.figure()
plt.plot([1, 2, 3])
# %%
fig2 = plt.figure()
# %%
plt.plot([3, 2, 1]); plt.plot([1, 1, 1])
# %%
plt.figure(fig1.number)
# %%
import nbtrack
for ax in fig2.axes:
    nbtrack.log(n_score=len(ax.lines))
