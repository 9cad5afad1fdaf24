"""deque(maxlen) pushes out; rotate turns."""
# kind: deque
# %%
from collections import deque, Counter
win = deque([1, 2, 3], maxlen=3)
# %%
win.append(9)
# %%
Counter(win).most_common(1)
# %%
win.rotate(1)
# %%
for i, w in enumerate(win):
    loss = w * (i + 1)
