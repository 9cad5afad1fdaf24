"""One run makes a data set, the next one trains on it."""

import json
import os

import wandb

os.makedirs("raw/more", exist_ok=True)
for name, text in (("raw/a.txt", "a"), ("raw/more/b.txt", "b")):
    with open(name, "w") as file:
        file.write(text)

with wandb.init(project="lineage", job_type="prepare") as run:
    data = wandb.Artifact(
        "letters", type="dataset", description="two letters", metadata={"n": 2}
    )
    data.add_file("raw/a.txt")
    data.add_dir("raw/more", name="more")
    data.add_reference(f"file://{os.path.abspath('raw/a.txt')}", name="kept/a.txt")
    with data.new_file("about.json", mode="w") as file:
        json.dump({"source": "by hand"}, file)
    data.add(wandb.Table(columns=["letter", "n"], data=[["a", 1], ["b", 2]]), "counts")
    run.log_artifact(data, aliases=["latest", "clean"])
    if not run.offline or "nbtrack" in wandb.__name__:
        data.wait()

with wandb.init(project="lineage", job_type="train") as run:
    try:  # a server is needed for that, says the real one in offline mode
        used = run.use_artifact("letters:clean", type="dataset")
    except TypeError as exc:
        assert "offline" in str(exc)
    else:
        folder = used.download()
        with open(os.path.join(folder, "more", "b.txt")) as file:
            assert file.read() == "b"
        with open(used.get_entry("about.json").download()) as file:
            assert json.load(file) == {"source": "by hand"}
        assert used.get("counts").data == [["a", 1], ["b", 2]]
        copied = used.download(root="copied")
        assert sorted(os.listdir(copied)) == [
            "a.txt", "about.json", "counts.table.json", "kept", "more",
        ]  # fmt: skip
    with open("model.bin", "wb") as file:
        file.write(b"weights")
    model = wandb.Artifact("net", type="model")
    model.add_file("model.bin")
    run.log({"val_loss": 0.5})
    run.log_artifact(model)
    run.log_model("model.bin", name="net-file", aliases=["candidate"])
