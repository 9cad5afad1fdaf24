"""How far do random walks get? The standard library's generator, seeded with a year."""
# %%
import random
import statistics
from itertools import accumulate
# %%
random.seed(2024)
# %%
def walk(n):
    return list(accumulate(random.choice((-1, 1)) for _ in range(n)))
# %%
walk(10)
# %%
many = [walk(100) for _ in range(50)]
statistics.mean(abs(w[-1]) for w in many)
# %%
returns = sum(0 in w for w in many) / len(many)
returns
# %%
lengths = [4, 16, 64, 256, 1024]
# %%
%%track walks
for step, n in enumerate(lengths):
    ends = [walk(n)[-1] for _ in range(60)]
    spread_score = statistics.pstdev(ends) / n ** 0.5
    home_error = abs(statistics.mean(ends))
    print(n, spread_score, home_error)
