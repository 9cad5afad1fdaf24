# A micrograd-style engine: the loss is an object with .data.
# %% setup
class Value:
    def __init__(self, data, children=()):
        self.data, self.grad, self._prev, self._backward = data, 0.0, children, lambda: None
    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        out = Value(self.data + o.data, (self, o))
        def back():
            self.grad += out.grad; o.grad += out.grad
        out._backward = back
        return out
    def __mul__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        out = Value(self.data * o.data, (self, o))
        def back():
            self.grad += o.data * out.grad; o.grad += self.data * out.grad
        out._backward = back
        return out
    def backward(self):
        order, seen = [], set()
        def walk(v):
            if v not in seen:
                seen.add(v)
                for c in v._prev: walk(c)
                order.append(v)
        walk(self)
        self.grad = 1.0
        for v in reversed(order): v._backward()
xs, ys = [1.0, 2.0, 3.0], [2.0, 4.0, 6.0]
# %% track
w = Value(0.0)
trace = []
for k in range(20):
    loss = Value(0.0)
    for xi, yi in zip(xs, ys):
        diff = w * xi + (-yi)
        loss = loss + diff * diff
    w.grad = 0.0
    loss.backward()
    w.data += -0.01 * w.grad
    trace.append(loss.data)
w.data
# %% expect
params = {"k": 20}
metrics = {"loss": 20}
axes = {"loss": ["k"]}
lenient = ["loss"]
