"""TensorBoard's messages, as far as they are read and written; see its `.proto` files.

A file is a row of events: each has a wall time, a step, and values by their tags.
"""

from __future__ import annotations

from nbtrack.interop.wire_format import Message, many, one

IMAGE = Message(
    height=one(1, "int"),
    width=one(2, "int"),
    colorspace=one(3, "int"),
    body=one(4, "bytes"),
)
AUDIO = Message(body=one(4, "bytes"))
HISTOGRAM = Message(
    min=one(1, "double"),
    max=one(2, "double"),
    n=one(3, "double"),
    sum=one(4, "double"),
    squares=one(5, "double"),
    limits=many(6, "double"),
    counts=many(7, "double"),
)
TENSOR = Message(
    dtype=one(1, "int"),
    shape=one(2, Message(dim=many(2, Message(size=one(1, "int"))))),
    content=one(4, "bytes"),
    floats=many(5, "float"),
    doubles=many(6, "double"),
    ints=many(7, "int"),
    strings=many(8, "bytes"),
    longs=many(10, "int"),
    bools=many(11, "bool"),
    halves=many(13, "int"),
)
_PLUGIN = Message(name=one(1, "text"), content=one(2, "bytes"))
VALUE = Message(
    tag=one(1, "text"),
    simple=one(2, "float"),
    image=one(4, "bytes"),
    histogram=one(5, "bytes"),
    audio=one(6, "bytes"),
    tensor=one(8, TENSOR),
    metadata=one(9, Message(plugin=one(1, _PLUGIN), data_class=one(4, "int"))),
)
EVENT = Message(
    wall_time=one(1, "double"),
    step=one(2, "int"),
    version=one(3, "text"),
    graph=one(4, "bytes"),
    summary=one(5, Message(value=many(1, VALUE))),
    session=one(7, Message(status=one(1, "int"))),
    run_metadata=one(8, "bytes"),
    meta_graph=one(9, "bytes"),
)
START = 1  # the status of a session that begins, again where there was one before

# ---- the HParams tab

_JSON = Message(  # `google.protobuf.Value`, its plain kinds
    number=one(2, "double"), text=one(3, "text"), flag=one(4, "bool")
)
HPARAMS = Message(
    start=one(
        3,
        Message(
            hparams=many(1, Message(key=one(1, "text"), value=one(2, _JSON))),
            group=one(4, "text"),
            started_at=one(5, "double"),
        ),
    ),
    end=one(4, Message(status=one(1, "int"), ended_at=one(2, "double"))),
)
HPARAMS_PLUGIN = "hparams"
SUCCESS, FAILURE, RUNNING = 1, 2, 3
