"""Log pictures, tables and other rich values."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import wandb

rng = np.random.default_rng(0)
run = wandb.init(project="pictures", config=dict(seed=0))

image = wandb.Image(rng.random((8, 8, 3)), caption="noise")
wandb.log({"sample": image})
sheet = [wandb.Image(rng.random((6, 6)), caption=f"no {i}") for i in range(3)]
wandb.log({"examples": sheet})

table = wandb.Table(columns=["id", "image", "guess", "truth"])
for i in range(3):
    table.add_data(i, wandb.Image(rng.random((4, 4, 3))), i % 2, 1)
table.add_column("right", [False, True, False])
wandb.log({"predictions": table})
frame = pd.DataFrame({"word": ["cat", "dog"], "n": [2, 3]})
wandb.log({"words": wandb.Table(dataframe=frame)})

fig, ax = plt.subplots()
ax.plot([0, 1], [1, 0])
wandb.log({"chart": wandb.Image(fig, caption="falling")})
plt.close(fig)

wandb.log(
    {
        "weights": wandb.Histogram(rng.normal(size=100)),
        "counted": wandb.Histogram(np_histogram=np.histogram([1, 2, 2], bins=2)),
        "activations": rng.normal(size=(10, 10)),
        "page": wandb.Html("<p>hello</p>"),
        "text": "a sample of text",
        "nothing": None,
        "few": [1, 2, 3],
        "flag": True,
        "count": np.int64(3),
    }
)
with open("page.html", "w") as file:
    file.write("<b>from a file</b>")
wandb.log({"from_file": wandb.Html("page.html"), "loss": 0.25})
run.finish()
