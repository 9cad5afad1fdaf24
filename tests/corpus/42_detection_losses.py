# A model that returns a dict of losses, as detectors do; the cell sums them up.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
images, targets = torch.randn(24, 6), torch.randint(0, 2, (24,))

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(6, 2)
    def forward(self, x, y):
        out = self.head(x)
        return {"loss_cls": F.cross_entropy(out, y), "loss_box": out.abs().mean(), "loss_mask": out.pow(2).mean()}
# %% track
model = Detector()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
kept = {"loss_cls": [], "loss_box": [], "loss_mask": []}
for epoch in range(2):
    for i in range(0, 24, 8):
        loss_dict = model(images[i:i + 8], targets[i:i + 8])
        losses = sum(loss for loss in loss_dict.values())
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
        for name, value in loss_dict.items():
            kept[name].append(value.item())
# %% expect
params = {"optimizer": "SGD", "optimizer.lr": 0.1}
metrics = {"loss_cls": "kept['loss_cls']", "loss_box": "kept['loss_box']", "loss_mask": "kept['loss_mask']", "losses": 6}
axes = {"loss_cls": ["epoch", "i"], "losses": ["epoch", "i"]}
