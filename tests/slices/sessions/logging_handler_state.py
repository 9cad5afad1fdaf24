"""A logging handler collects records; the level decides which."""
# kind: callbacks
# %%
import logging
got = []
class H(logging.Handler):
    def emit(self, r): got.append(r.levelno)
log = logging.getLogger("exp-x")
# %%
log.addHandler(H())
# %%
log.info("not seen")
# %%
log.setLevel(logging.INFO)
# %%
log.info("seen"); log.warning("seen")
# %%
logging.getLogger("other").warning("no")
# %%
for g in got:
    loss = g / 10
