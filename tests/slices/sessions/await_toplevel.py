"""Top-level await; the coroutine reads what is set later."""
# kind: top-level await
# %%
import asyncio
# %%
async def fetch(k):
    await asyncio.sleep(0)
    return k * factor
# %%
factor = 2
# %%
got = await fetch(4)
# %%
factor = 100
# %%
more = [await fetch(1)]
# %%
for i in range(3):
    loss = got - i
