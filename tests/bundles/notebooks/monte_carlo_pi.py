"""Pi out of darts, with the standard library's generator, against a Halton sequence."""
# %%
import math
import random
# %%
def is_inside(x, y):
    return x * x + y * y <= 1.0

is_inside(random.random(), random.random())
# %%
throws = [(random.random(), random.random()) for _ in range(20_000)]
4 * sum(is_inside(x, y) for x, y in throws) / len(throws)
# %%
def halton(i, base):
    f, r = 1.0, 0.0
    while i > 0:
        f /= base
        r += f * (i % base)
        i //= base
    return r
# %%
[round(halton(i, 2), 4) for i in range(1, 6)]
# %%
round_size = 500
hits = even_hits = n = 0
# %%
%%track darts
for round_no in range(40):
    for _ in range(round_size):
        n += 1
        hits += is_inside(random.random(), random.random())
        even_hits += is_inside(halton(n, 2), halton(n, 3))
    error = abs(4 * hits / n - math.pi)
    even_error = abs(4 * even_hits / n - math.pi)
print(4 * hits / n, 4 * even_hits / n)
