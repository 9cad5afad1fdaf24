"""One head of attention learns to copy the first token of a sequence to its end."""
# %% file=attention.json
{"vocab": 12, "length": 6, "d_model": 16, "steps": 60, "lr": 0.01}
# %%
import json, math
from pathlib import Path
from types import SimpleNamespace
hp = SimpleNamespace(**json.loads(Path("attention.json").read_text()))
hp
# %%
import torch, torch.nn as nn
# %%
class Head(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(d, d, bias=False) for _ in range(3))
    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / math.sqrt(x.shape[-1])
        self.weights = scores.softmax(-1)
        return self.weights @ self.v(x)
# %%
tokens = nn.Embedding(hp.vocab, hp.d_model)
places = nn.Parameter(0.1 * torch.randn(hp.length, hp.d_model))
head, readout = Head(hp.d_model), nn.Linear(hp.d_model, hp.vocab)
# %%
def forward(ids):
    x = tokens(ids) + places
    return readout(head(x)[:, -1])

ids = torch.randint(hp.vocab, (2, hp.length))
forward(ids).shape
# %%
head.weights[0].round(decimals=2)
# %%
hp.steps = 50
everything = [places, *tokens.parameters(), *head.parameters(), *readout.parameters()]
opt = torch.optim.Adam(everything, hp.lr)
# %%
%%track copying
for step in range(hp.steps):
    ids = torch.randint(hp.vocab, (64, hp.length))
    logits = forward(ids)
    loss = nn.functional.cross_entropy(logits, ids[:, 0])
    opt.zero_grad()
    loss.backward()
    opt.step()
    accuracy = (logits.argmax(1) == ids[:, 0]).float().mean().item()
    attention_score = head.weights[:, -1, 0].mean().item()
