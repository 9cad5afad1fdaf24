"""The scaler is fit twice; only the last fit counts for transform."""
# kind: sklearn pipelines
# %%
import numpy as np
from sklearn.preprocessing import MinMaxScaler
A = np.array([[0.], [10.]]); B = np.array([[5.], [25.]])
# %%
mm = MinMaxScaler()
# %%
mm.fit(A)
# %%
print(mm.data_max_)
# %%
mm.fit(B)
# %%
for v in mm.transform(A).ravel():
    loss = float(v)
