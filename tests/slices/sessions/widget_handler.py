"""A slider's handler sets a global, when the slider's value is set by code."""
# kind: widget handlers
# %%
import ipywidgets as W
lr = 0.1
# %%
sl = W.FloatSlider(value=0.1, min=0, max=1, step=0.1)
# %%
def on_change(change):
    global lr
    lr = change["new"]
sl.observe(on_change, names="value")
# %%
sl.value = 0.5
# %%
label = W.Label("hi"); label.value = "there"
# %%
for i in range(2):
    loss = lr * (1 + i)
