"""A config is written by one cell, edited by another, read by the run."""
# kind: json config
# %%
import json, pathlib
cfgp = pathlib.Path("conf/run.json")
cfgp.parent.mkdir(exist_ok=True)
# %%
cfgp.write_text(json.dumps({"lr": 0.1, "n": 2}))
# %%
pathlib.Path("conf/other.json").write_text("{}")
# %%
c = json.loads(cfgp.read_text()); c["lr"] = 0.05
cfgp.write_text(json.dumps(c))
# %%
cfg = json.load(open("conf/run.json"))
for i in range(cfg["n"]):
    loss = cfg["lr"] * (i + 1)
