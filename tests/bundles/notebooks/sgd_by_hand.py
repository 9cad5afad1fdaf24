"""Linear regression with bare tensors: no module, no optimizer, gradients by autograd."""
# %%
import torch
# %%
true_w, true_b = torch.tensor([2.0, -3.4]), 4.2
# %%
def synthetic_data(w, b, n):
    X = torch.normal(0, 1, (n, len(w)))
    y = X @ w + b
    return X, y + torch.normal(0, 0.01, y.shape)
# %%
features, labels = synthetic_data(true_w, true_b, 500)
print(features[0], labels[0])
# %%
import random
def data_iter(batch_size, features, labels):
    indices = list(range(len(features)))
    random.shuffle(indices)
    for i in range(0, len(features), batch_size):
        j = torch.tensor(indices[i:i + batch_size])
        yield features[j], labels[j]
# %%
for X, y in data_iter(10, features, labels):
    print(X.shape, y.shape)
    break
# %%
w = torch.normal(0, 0.01, size=(2,), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
# %%
def linreg(X, w, b): return X @ w + b
def squared_loss(y_hat, y): return (y_hat - y) ** 2 / 2
def sgd(params, lr, batch_size):
    with torch.no_grad():
        for p in params:
            p -= lr * p.grad / batch_size
            p.grad.zero_()
# %%
lr, num_epochs, batch_size = 0.03, 3, 10
# %%
%%track linreg
for epoch in range(num_epochs):
    for X, y in data_iter(batch_size, features, labels):
        squared_loss(linreg(X, w, b), y).sum().backward()
        sgd([w, b], lr, batch_size)
    with torch.no_grad():
        train_loss = float(squared_loss(linreg(features, w, b), labels).mean())
        w_error = float((w - true_w).abs().sum())
    print(f"epoch {epoch + 1}, loss {train_loss:f}")
