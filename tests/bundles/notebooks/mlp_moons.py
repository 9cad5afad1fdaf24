"""Two moons and a small net; nothing is seeded, neither the data nor the weights."""
# %%
import torch
import torch.nn as nn
from sklearn.datasets import make_moons
# %%
X, y = make_moons(n_samples=300, noise=0.2)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
# %%
X.mean(0), y.mean()
# %%
class MLP(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.layers(x)
# %%
model = MLP(16)
print(model)
sum(p.numel() for p in model.parameters())
# %%
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
# %%
criterion(model(X), y)
# %%
%%track "two moons"
epochs = 40
for epoch in range(epochs):
    optimizer.zero_grad()
    logits = model(X)
    loss = criterion(logits, y)
    loss.backward()
    optimizer.step()
    acc = ((logits > 0).float() == y).float().mean().item()
    if epoch % 10 == 0:
        print(f"Epoch {epoch}: loss={loss.item():.4f} acc={acc:.2f}")
