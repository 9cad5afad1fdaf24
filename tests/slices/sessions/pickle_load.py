"""An object is pickled, changed, and loaded back from the file."""
# kind: pickle
# %%
import pickle
state = {"w": [1.0, 2.0]}
# %%
with open("s.pkl", "wb") as f: pickle.dump(state, f)
# %%
state["w"].append(100.0)
# %%
print(state)
# %%
with open("s.pkl", "rb") as f:
    state = pickle.load(f)
# %%
for w in state["w"]:
    loss = w
