"""Fork workers see the globals of the moment of the fork."""
# kind: subprocess workers
# %%
import multiprocessing as mp
ctx = mp.get_context("fork")
# %%
mult = 3
def g(x): return x * mult
# %%
mult = 5
# %%
q = ctx.Queue()
p = ctx.Process(target=lambda: q.put([g(i) for i in range(3)]))
p.start(); out = q.get(); p.join()
# %%
mult = 1000
# %%
for o in out:
    loss = o + 1
