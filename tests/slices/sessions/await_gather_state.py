"""Coroutines append to a shared list while gathered."""
# kind: top-level await
# %%
import asyncio
log = []
# %%
async def work(n):
    for i in range(n):
        log.append(n * i)
        await asyncio.sleep(0)
# %%
await asyncio.gather(work(2), work(3))
# %%
len(log)
# %%
for l in log:
    loss = l + 1
