"""Diabetes with a net that stops when it has not got better for five epochs."""
# %%
import copy
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
# %%
X, y = load_diabetes(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=100)
# %%
x_scaler, y_scaler = StandardScaler(), StandardScaler()
X_train = x_scaler.fit_transform(X_train)
y_train = y_scaler.fit_transform(y_train[:, None])
# %%
X_val = x_scaler.transform(X_val)
y_val = y_scaler.transform(y_val[:, None])
# %%
as_tensor = lambda a: torch.tensor(a, dtype=torch.float32)
X_train, X_val, y_train, y_val = map(as_tensor, (X_train, X_val, y_train, y_val))
X_train.dtype
# %%
class EarlyStopping:
    def __init__(self, patience=5):
        self.patience, self.best, self.bad, self.state = patience, float("inf"), 0, None

    def __call__(self, value, model):
        if value < self.best:
            self.best, self.bad = value, 0
            self.state = copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience
# %%
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
# %%
stopper = EarlyStopping()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
mse = nn.MSELoss()
# %%
%%track "diabetes net"
for epoch in range(60):
    model.train()
    optimizer.zero_grad()
    train_loss = mse(model(X_train), y_train)
    train_loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = mse(model(X_val), y_val).item()
    if stopper(val_loss, model):
        print("stopped at", epoch)
        break
model.load_state_dict(stopper.state)
