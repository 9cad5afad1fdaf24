# A character model: bits and perplexity, with math on top of the loss.
# %% setup
import math, torch, torch.nn as nn
torch.manual_seed(0)
text = "hello world, hello notebooks. " * 20
vocab = sorted(set(text))
ids = torch.tensor([vocab.index(c) for c in text])
block = 8
# %% track
n_embd, max_iters, eval_interval = 16, 30, 10
emb = nn.Embedding(len(vocab), n_embd)
head = nn.Linear(n_embd, len(vocab))
optimizer = torch.optim.AdamW([*emb.parameters(), *head.parameters()], lr=1e-2)
for iter in range(max_iters):
    ix = torch.randint(len(ids) - block, (4,))
    xb = torch.stack([ids[i:i + block] for i in ix])
    yb = torch.stack([ids[i + 1:i + block + 1] for i in ix])
    logits = head(emb(xb))
    loss = nn.functional.cross_entropy(logits.view(-1, len(vocab)), yb.view(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if iter % eval_interval == 0:
        ppl = math.exp(loss.item())
        print(iter, round(ppl, 2))
# %% expect
params = {"n_embd": 16, "max_iters": 30, "eval_interval": 10, "block": 8, "optimizer.lr": 1e-2}
metrics = {"loss": 30, "ppl": 3}
axes = {"loss": ["iter"]}
