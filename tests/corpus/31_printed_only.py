# Nothing is kept but what print says: a mean loss, an accuracy at the end.
# %% setup

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
X = torch.randn(96, 10)
y = (X[:, 0] > 0).long()
train_loader = DataLoader(TensorDataset(X[:64], y[:64]), batch_size=16, shuffle=True)
test_loader = DataLoader(TensorDataset(X[64:], y[64:]), batch_size=16)
teacher = nn.Linear(10, 2)

# %% track
def distill(student, epochs, learning_rate, T=2.0, soft_weight=0.25):
    optimizer = torch.optim.Adam(student.parameters(), lr=learning_rate)
    for epoch in range(epochs):
        running_loss = 0.0
        for inputs, labels in train_loader:
            optimizer.zero_grad()
            with torch.no_grad():
                soft = F.softmax(teacher(inputs) / T, dim=-1)
            logits = student(inputs)
            soft_loss = F.kl_div(F.log_softmax(logits / T, dim=-1), soft, reduction="batchmean")
            label_loss = F.cross_entropy(logits, labels)
            loss = soft_weight * soft_loss + (1 - soft_weight) * label_loss
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        print(f"Epoch {epoch + 1}/{epochs}, Loss: {running_loss / len(train_loader):.4f}")

student = nn.Linear(10, 2)
distill(student, epochs=3, learning_rate=0.01)
correct = total = 0
with torch.no_grad():
    for inputs, labels in test_loader:
        correct += (student(inputs).argmax(1) == labels).sum().item()
        total += len(labels)
print("Test accuracy of the student: {:.1f} %".format(100 * correct / total))
# %% expect
params = {"epochs": 3, "learning_rate": 0.01, "T": 2.0, "soft_weight": 0.25}
metrics = {"loss": 12, "label_loss": 12, "soft_loss": 12, "running_loss": 3, "test_accuracy": "[100 * correct / total]"}
axes = {"loss": ["epoch"], "running_loss": ["epoch"]}
