# A function called loss, a list of per-sample losses in it, a rate that falls by hand.
# %% setup
import random
random.seed(0)
points = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(30)]
signs = [1 if p[0] > 0 else -1 for p in points]
w = [0.1, 0.1, 0.1]

def loss():
    scores = [sum(a * b for a, b in zip(w, p)) for p in points]
    losses = [max(0.0, 1 - s * score) for s, score in zip(signs, scores)]
    data_loss = sum(losses) / len(losses)
    alpha = 1e-4
    reg_loss = alpha * sum(a * a for a in w)
    accuracy = [(score > 0) == (s > 0) for s, score in zip(signs, scores)]
    return data_loss + reg_loss, sum(accuracy) / len(accuracy), scores
# %% track
kept = []
for k in range(20):
    total_loss, acc, scores = loss()
    learning_rate = 1.0 - 0.9 * k / 100
    for s, score, p in zip(signs, scores, points):
        if s * score < 1:
            w = [a + learning_rate * s * b / len(points) for a, b in zip(w, p)]
    kept.append(total_loss)
    print(f"step {k} loss {total_loss:.4f}, accuracy {acc * 100:.0f}%")
# %% expect
params = {"k": 20}
metrics = {"total_loss": "kept", "acc": 20, "data_loss": 20, "reg_loss": 20, "learning_rate": "[1.0 - 0.9 * k / 100 for k in range(20)]"}
axes = {"total_loss": ["k"], "learning_rate": ["k"]}
absent = ["loss", "scores", "score"]
