"""Names letter by letter with a GRU; the names lie in a file, samples are printed."""
# %% file=names.txt
anna
berta
carla
dora
emma
frida
gerda
hanna
irma
johanna
klara
lena
maria
nora
olga
paula
rosa
sara
tilda
ulla
vera
wilma
# %%
import torch
from torch import nn
# %%
names = open("names.txt").read().split()
alphabet = ["."] + sorted(set("".join(names)))
to_i = {c: i for i, c in enumerate(alphabet)}
len(names), len(alphabet)
# %%
def encode(name):
    return torch.tensor([to_i[c] for c in f".{name}."])

encode("anna")
# %%
class CharRNN(nn.Module):
    def __init__(self, n, size=24):
        super().__init__()
        self.emb = nn.Embedding(n, 8)
        self.gru = nn.GRU(8, size, batch_first=True)
        self.out = nn.Linear(size, n)
    def forward(self, ids, h=None):
        y, h = self.gru(self.emb(ids), h)
        return self.out(y), h
# %%
rnn = CharRNN(len(alphabet))
# %%
@torch.no_grad()
def sample():
    ids, h, made = torch.tensor([[0]]), None, ""
    while len(made) < 10:
        logits, h = rnn(ids, h)
        ids = torch.multinomial(logits[0].softmax(-1), 1)
        if ids.item() == 0:
            break
        made += alphabet[ids.item()]
    return made

[sample() for _ in range(3)]
# %%
opt = torch.optim.Adam(rnn.parameters(), lr=0.01)
padded = nn.utils.rnn.pad_sequence([encode(n) for n in names], batch_first=True, padding_value=-1)
# %%
%%track names
for epoch in range(25):
    ids, wanted = padded[:, :-1].clamp(min=0), padded[:, 1:]
    logits, _ = rnn(ids)
    loss = nn.functional.cross_entropy(logits.transpose(1, 2), wanted, ignore_index=-1)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 8 == 0:
        print(epoch, loss.item(), sample())
