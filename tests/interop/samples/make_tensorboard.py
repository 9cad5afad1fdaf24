"""Runs as real writers of event files log them: `python make_tensorboard.py FOLDER`.

tensorboardX writes as PyTorch's SummaryWriter does; TensorBoard's own code what
TensorFlow 2 and Keras write (tensors, with the plugin in the metadata).
"""

from __future__ import annotations

import math
import socket
import sys
import time
from pathlib import Path

ODD = [math.nan, math.inf, -math.inf]


def classic(folder):
    import numpy as np
    from tensorboardX import SummaryWriter

    chance = np.random.default_rng(0)
    writer = SummaryWriter(str(folder))
    for i in range(30):
        writer.add_scalar("loss", 1 / (i + 1), i)
        writer.add_scalar("odd", ODD[i % 3], i)
        writer.add_scalars("acc/top", {"train": i / 30, "val": i / 40}, i)
    writer.add_image("picture", chance.random((3, 8, 8), "float32"), 3)
    writer.add_histogram("weights", chance.standard_normal(500), 1)
    writer.add_text("note", "hello **world**", 2)
    writer.add_pr_curve("pr", np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.7, 0.3]), 1)
    params = {"lr": 0.1, "batch": 32, "opt": "adam", "nesterov": True}
    writer.add_hparams(params, {"final": 0.9, "loss": 0.03})
    writer.close()


def restarted(folder):
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))
    for i in range(10):
        writer.add_scalar("loss", i, i)
    writer.close()
    time.sleep(1.1)  # the name of a file has the second
    writer = SummaryWriter(str(folder), purge_step=5)
    for i in range(5, 12):
        writer.add_scalar("loss", -i, i)
    writer.close()


def searched(folder):
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))
    for k in range(3):
        writer.add_hparams({"lr": 0.1 + k}, {"acc": k})
    writer.close()


def with_tensors(folder, *, failed):
    import numpy as np
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.histogram import metadata as histogram
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
    from tensorboard.plugins.hparams import metadata as ends
    from tensorboard.plugins.hparams import summary_v2 as hparams
    from tensorboard.plugins.image import metadata as image
    from tensorboard.plugins.scalar import metadata as scalar
    from tensorboard.plugins.text import metadata as text
    from tensorboard.summary.writer.event_file_writer import EventFileWriter
    from tensorboard.util.tensor_util import make_tensor_proto

    writer = EventFileWriter(str(folder))

    def add(tag, value, metadata, step):
        value = Summary.Value(tag=tag, tensor=value, metadata=metadata)
        summary = Summary(value=[value])
        writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))

    def add_whole(summary):
        writer.add_event(Event(wall_time=time.time(), summary=summary))

    add_whole(hparams.hparams_pb({"lr": 0.5, "act": "relu"}))
    about = scalar.create_summary_metadata("", "")
    for i in range(15):
        add("epoch_loss", make_tensor_proto(np.float32(1 / (i + 1))), about, i)
        add("exact", make_tensor_proto(np.float64(1 / (i + 1))), about, i)
        about = None  # only the first one of a tag tells
        if i == 0:
            about = scalar.create_summary_metadata("", "")
    bins = [[0.0, 1.0, 3.0], [1.0, 2.0, 4.0]]
    add(
        "h",
        make_tensor_proto(np.array(bins)),
        histogram.create_summary_metadata("", ""),
        1,
    )
    parts = [b"1", b"1", PNG, PNG]
    add("two", make_tensor_proto(parts), image.create_summary_metadata("", ""), 2)
    add("said", make_tensor_proto("hello"), text.create_summary_metadata("", ""), 3)
    status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    told = plugin_data_pb2.HParamsPluginData(session_end_info=end)
    about, nothing = ends.create_summary_metadata(told), ends.NULL_TENSOR
    add(ends.SESSION_END_INFO_TAG, nothing, about, 0)
    writer.close()


PNG = bytes.fromhex(  # one black point
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def make_all(folder):
    socket.gethostname = lambda: "somewhere"
    classic(folder / "classic")
    restarted(folder / "restarted")
    searched(folder / "searched")
    with_tensors(folder / "keras" / "train", failed=False)
    with_tensors(folder / "keras" / "validation", failed=True)


if __name__ == "__main__":
    make_all(Path(sys.argv[1]))
