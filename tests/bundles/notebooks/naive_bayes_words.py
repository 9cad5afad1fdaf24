"""Spam or not, by counting words in dictionaries; smoothing is the thing to tune."""
# %%
import math, random
from collections import Counter, defaultdict
# %%
spam_words = "win cash now free offer click prize cheap".split()
ham_words = "meeting notes lunch report tomorrow please thanks draft".split()
shared = "the a you to and we is for".split()
# %%
def message(kind):
    own = spam_words if kind == "spam" else ham_words
    other = ham_words if kind == "spam" else spam_words
    pool = own * 3 + shared * 2 + other
    return random.choices(pool, k=random.randint(4, 9))
# %%
mails = [(message(kind), kind) for kind in random.choices(["spam", "ham"], [0.4, 0.6], k=240)]
mails[0]
# %%
counts = defaultdict(Counter)
for words, kind in mails[:160]:
    counts[kind].update(words)
prior = Counter(kind for _, kind in mails[:160])
counts["spam"].most_common(3)
# %%
everything = set(counts["spam"]) | set(counts["ham"])
len(everything)
# %%
def score(words, kind, smoothing):
    total = sum(counts[kind].values()) + smoothing * len(everything)
    return math.log(prior[kind]) + sum(
        math.log((counts[kind][w] + smoothing) / total) for w in words
    )
# %%
def guess(words, smoothing=1.0):
    return max(("spam", "ham"), key=lambda kind: score(words, kind, smoothing))
guess("free lunch now".split())
# %%
%%track smoothing
for smoothing in (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 20.0):
    held_out = mails[160:]
    accuracy = sum(guess(w, smoothing) == k for w, k in held_out) / len(held_out)
    surprise_loss = -sum(score(w, k, smoothing) for w, k in held_out) / len(held_out)
