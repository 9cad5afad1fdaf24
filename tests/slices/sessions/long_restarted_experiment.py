"""The experiment was run, spoiled by a typo, partly repaired, and run again with older pieces."""
# kind: long realistic
# %% id=a
from collections import Counter
docs = ["a b a", "b c", "a c c"]
# %% id=b
counts = [Counter(d.split()) for d in docs]
# %% id=c
vocab = sorted({w for c in counts for w in c})
# %% id=d
vocab
# %% id=e
def tf(doc, w): return doc[w] / sum(doc.values())
# %% id=f
def idf(w):
    df = sum(w in c for c in counts)
    return 1 + len(docs) / df
# %% id=g
table = {w: [tf(c, w) * idf(w) for c in counts] for w in vocab}
# %% id=b
counts = [Counter(d) for d in docs]       # typo: characters, blanks and all
# %% id=h
sum(counts[0].values())
# %% id=g2
wrong = {w: idf(w) for w in vocab}
# %% id=b
counts = [Counter(d.split()) for d in docs]
# %% id=i
docs.append("d d")
# %% id=j
for w in vocab:
    table[w].append(0.0)
# %% id=k
idf("a")
# %% id=l
print({w: round(sum(v), 2) for w, v in table.items()})
# %% id=t
for w in vocab:
    score = sum(table[w]) * idf(w)
