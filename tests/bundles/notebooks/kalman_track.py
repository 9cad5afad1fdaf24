"""A Kalman filter follows a cart; the recording was simulated and saved with numpy."""
# %%
import numpy as np
from pathlib import Path
# %%
dt, n = 0.1, 120
accel = np.random.normal(0, 0.4, n)
velocity = np.cumsum(accel) * dt + 1.0
position = np.cumsum(velocity) * dt
# %%
measured = position + np.random.normal(0, 0.5, n)
np.savez("cart.npz", truth=position, measured=measured)
Path("cart.npz").stat().st_size > 0
# %%
del position, measured
record = np.load("cart.npz")
record.files
# %%
F = np.array([[1, dt], [0, 1]])
H = np.array([[1.0, 0.0]])
Q = 0.16 * np.outer([dt**2 / 2, dt], [dt**2 / 2, dt])
R = np.array([[0.25]])
# %%
x, C = np.zeros(2), np.eye(2)
# %%
def predict(x, C):
    return F @ x, F @ C @ F.T + Q

def update(x, C, z):
    S = H @ C @ H.T + R
    K = C @ H.T @ np.linalg.inv(S)
    return x + K @ (z - H @ x), (np.eye(2) - K @ H) @ C
# %%
update(*predict(x, C), record["measured"][:1])[0]
# %%
%%track cart
for k in range(n):
    x, C = predict(x, C)
    x, C = update(x, C, record["measured"][k:k + 1])
    filter_error = abs(x[0] - record["truth"][k])
    raw_error = abs(record["measured"][k] - record["truth"][k])
