"""time.tzset after TZ in the environment: a C library setting."""
# kind: C-extension state
# %%
import os, time
# %%
os.environ["TZ"] = "Asia/Tokyo"
# %%
time.tzset()
# %%
x = time.strftime("%H", time.gmtime(0))
# %%
for s in (0, 3600):
    loss = time.localtime(s).tm_hour
