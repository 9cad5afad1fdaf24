# A net of one's own keeps a dict of lists, one for training and one for validation.
# %% setup
import numpy as np
rng = np.random.RandomState(0)
X = rng.randn(80, 4)
y = (X[:, 0] > 0).astype(float)

class Net:
    def __init__(self, learning_rate, validation):
        self.learning_rate = learning_rate
        self.validation = validation
        self.w = np.zeros(4)
        self.errors = {"training": [], "validation": []}
    def forward(self, X):
        return 1 / (1 + np.exp(-X @ self.w))
    def cross_entropy(self, X, y):
        p = np.clip(self.forward(X), 1e-9, 1 - 1e-9)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    def train_on_batch(self, X, y):
        loss = self.cross_entropy(X, y)
        self.w -= self.learning_rate * X.T @ (self.forward(X) - y) / len(X)
        return loss
    def fit(self, X, y, n_epochs, batch_size):
        for _ in range(n_epochs):
            batch_error = []
            for i in range(0, len(X), batch_size):
                loss = self.train_on_batch(X[i:i + batch_size], y[i:i + batch_size])
                batch_error.append(loss)
            self.errors["training"].append(np.mean(batch_error))
            self.errors["validation"].append(self.cross_entropy(*self.validation))
        return self.errors["training"], self.errors["validation"]
# %% track
net = Net(learning_rate=0.5, validation=(X[60:], y[60:]))
train_err, val_err = net.fit(X[:60], y[:60], n_epochs=5, batch_size=20)
# %% expect
params = {"learning_rate": 0.5, "n_epochs": 5, "batch_size": 20}
metrics = {"training_error": "train_err", "validation_error": "val_err", "loss": 15}
axes = {}
absent = ["batch_error"]
