"""setdefault and defaultdict make an entry by reading it."""
# kind: nested container
# %%
from collections import defaultdict
groups = defaultdict(list)
# %%
groups["a"].append(1); groups["a"].append(2)
# %%
groups["b"]            # just a look ... which makes the key
# %%
print(sorted(groups))
# %%
import nbtrack
nbtrack.log({"n_score": len(groups)})
