"""A thread goes on after its cell ended; a later cell joins it."""
# kind: threads
# %%
import threading, time
res = {"v": 0}
# %%
def job():
    time.sleep(0.05)
    res["v"] = 42
th = threading.Thread(target=job); th.start()
# %%
note = "waiting"
# %%
th.join()
# %%
for i in range(2):
    loss = res["v"] + i
