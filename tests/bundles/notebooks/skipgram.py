"""Word vectors from a nursery rhyme; the vocabulary comes out of a set, as it comes."""
# %%
text = """the cat sat on the mat the dog sat on the log
the cat saw the dog and the dog saw the cat
a mouse ran under the mat and the cat ran after the mouse"""
words = text.split()
len(words)
# %%
vocabulary = list(set(words))
index = {word: i for i, word in enumerate(vocabulary)}
# %%
import torch
from torch import nn
# %%
window = 2
pairs = [
    (index[words[i]], index[words[j]])
    for i in range(len(words))
    for j in range(max(0, i - window), min(len(words), i + window + 1))
    if i != j
]
pairs[:4], len(pairs)
# %%
centres = torch.tensor([a for a, _ in pairs])
contexts = torch.tensor([b for _, b in pairs])
# %%
embed = nn.Embedding(len(vocabulary), 8)
out = nn.Linear(8, len(vocabulary), bias=False)
# %%
def nearest(word, n=3):
    with torch.no_grad():
        v = embed.weight
        sims = torch.cosine_similarity(v, v[index[word]][None])
    return [vocabulary[i] for i in sims.argsort(descending=True)[1:n + 1]]

nearest("cat")
# %%
sgd = torch.optim.SGD([*embed.parameters(), *out.parameters()], lr=0.8)
# %%
%%track "word vectors"
for epoch in range(30):
    logits = out(embed(centres))
    loss = nn.functional.cross_entropy(logits, contexts)
    sgd.zero_grad()
    loss.backward()
    sgd.step()
perplexity = loss.exp().item()
print(nearest("cat"), perplexity)
