"""Characters to ids, a bigram table, smoothing added later in place, sampling tried for fun."""
# kind: long realistic
# %%
text = "the cat sat on the mat. the dog sat on the log."
# %%
len(text), text[:10]
# %%
chars = sorted(set(text))
# %%
stoi = {c: i for i, c in enumerate(chars)}
itos = {i: c for c, i in stoi.items()}
# %%
def encode(s): return [stoi[c] for c in s]
def decode(ids): return "".join(itos[i] for i in ids)
# %%
decode(encode("the cat"))
# %%
import numpy as np
N = np.zeros((len(chars), len(chars)))
# %%
ids = encode(text)
for a, b in zip(ids, ids[1:]):
    N[a, b] += 1
# %%
N.sum(), N.max()
# %%
P = N / N.sum(1, keepdims=True).clip(1)
# %%
import random
random.seed(3)
def sample(n=10):
    i, out = 0, []
    for _ in range(n):
        i = random.choices(range(len(chars)), weights=P[i] + 1e-9)[0]
        out.append(i)
    return decode(out)
# %%
print(sample())
# %%
N += 1
# %%
P = N / N.sum(1, keepdims=True)
# %%
print(sample(20))
# %%
rows = P.sum(1)
assert np.allclose(rows, 1)
# %%
test = "the cat on the dog."
# %%
import math
nll = 0.0
for a, b in zip(encode(test), encode(test)[1:]):
    loss = -math.log(P[a, b])
