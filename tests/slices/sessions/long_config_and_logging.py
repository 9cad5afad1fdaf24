"""A config dict, a logger, a Trainer class edited twice; the instance is rebuilt once, not twice."""
# kind: long realistic
# %% id=c0
cfg = dict(lr=0.1, steps=4, wd=0.0)
# %% id=l0
import logging, sys
logger = logging.getLogger("train"); logger.setLevel(logging.INFO)
# %% id=T
class Trainer:
    def __init__(self, cfg): self.cfg, self.w = cfg, 5.0
    def step(self):
        self.w -= self.cfg["lr"] * self.w
        return self.w ** 2
# %% id=mk
tr = Trainer(cfg)
# %% id=one
tr.step()
# %% id=prt
logger.info("w=%s", tr.w)
# %% id=T
class Trainer:
    def __init__(self, cfg): self.cfg, self.w = cfg, 5.0
    def step(self):
        g = self.w + self.cfg["wd"] * self.w
        self.w -= self.cfg["lr"] * g
        return self.w ** 2
# %% id=c1
cfg["wd"] = 0.5
# %% id=mk
tr = Trainer(cfg)
# %% id=one
tr.step()
# %% id=T
class Trainer:
    def __init__(self, cfg): raise RuntimeError("half written")
# %% id=tmp
import json
print(json.dumps(cfg))
# %% id=c2
cfg = {**cfg, "lr": 0.9}      # tr keeps the old dict
# %% id=vv
best = None
# %% id=t
for _ in range(cfg["steps"]):
    loss = tr.step()
