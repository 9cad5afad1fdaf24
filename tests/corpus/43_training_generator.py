# Training is a generator, the evaluation is decorated, a failure ends it early.
# %% setup
import functools

def counted(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return fn(*args, **kwargs)
    wrapper.calls = 0
    return wrapper
# %% track
def training(n, rate=0.7):
    x = 4.0
    for step in range(n):
        loss = x * x
        x *= rate
        yield step, loss

@counted
def evaluate(x):
    error = abs(x) / 2
    return error

kept = []
for step, loss in training(6):
    val_error = evaluate(loss)
    kept.append(val_error)
try:
    for epoch in range(5):
        try:
            acc = 1 / (3 - epoch)
        except ZeroDivisionError as error:
            print("error:", error)
            break
        finally:
            print("epoch", epoch)
finally:
    print(evaluate.calls)
match evaluate.calls:
    case 6: score = "good"
    case _: score = "bad"
# %% expect
params = {"n": 6, "rate": 0.7}
metrics = {"loss": 6, "val_error": "kept", "acc": 3}
axes = {"val_error": ["step"], "acc": ["epoch"]}
absent = ["error", "score"]
