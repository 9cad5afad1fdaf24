"""A task made with create_task finishes during a later cell's await."""
# kind: threads
# provable: maybe
# %%
import asyncio
box = []
# %%
async def slow():
    await asyncio.sleep(0.02)
    box.append(5)
# %%
task = asyncio.get_event_loop().create_task(slow()) if False else asyncio.ensure_future(slow())
await asyncio.sleep(0)
# %%
memo = 1
# %%
await asyncio.sleep(0.06)
# %%
for b in box:
    loss = b * 2
