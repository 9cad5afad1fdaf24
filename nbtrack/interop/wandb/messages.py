"""The records of W&B's log, as far as they are read; see its `wandb_internal.proto`."""

from __future__ import annotations

from nbtrack.interop.wire_format import Message, many, one

ITEM = Message(  # of a config, a summary, a history, statistics: JSON by key
    key=one(1, "text"), path=many(2, "text"), json=one(16, "text")
)
_TIME = Message(seconds=one(1, "int"), nanos=one(2, "int"))
_CONFIG = Message(update=many(1, ITEM), remove=many(2, ITEM))
_GIT = Message(remote=one(1, "text"), commit=one(2, "text"))
_RUN = Message(
    id=one(1, "text"),
    entity=one(2, "text"),
    project=one(3, "text"),
    config=one(4, _CONFIG),
    summary=one(5, _CONFIG),
    group=one(6, "text"),
    job_type=one(7, "text"),
    name=one(8, "text"),
    notes=one(9, "text"),
    tags=many(10, "text"),
    sweep=one(12, "text"),
    host=one(13, "text"),
    started=one(17, _TIME),
    git=one(21, _GIT),
)
_OUTPUT = Message(is_stdout=one(1, "bool"), at=one(2, _TIME), text=one(3, "text"))
_MEMORY = Message(total=one(1, "int"))
_ENVIRONMENT = Message(
    os=one(1, "text"),
    python=one(2, "text"),
    program=one(6, "text"),
    git=one(9, _GIT),
    host=one(12, "text"),
    cpus=one(17, "int"),
    gpu=one(18, "text"),
    n_gpus=one(19, "int"),
    memory=one(21, _MEMORY),
    cpu=one(22, Message(model=one(1, "text"))),
    cuda=one(25, "text"),
)
_ENTRY = Message(
    path=one(1, "text"),
    digest=one(2, "text"),  # MD5 in base 64
    ref=one(3, "text"),
    size=one(4, "int"),
    local_path=one(6, "text"),
)
_ARTIFACT = Message(
    type=one(4, "text"),
    name=one(5, "text"),
    description=one(7, "text"),
    metadata=one(8, "text"),
    is_used=one(10, "bool"),  # "use_after_commit"
    aliases=many(11, "text"),
    manifest=one(12, Message(contents=many(4, _ENTRY), elsewhere=one(5, "text"))),
    client_id=one(15, "text"),
)
_METRIC = Message(
    name=one(1, "text"),
    step_metric=one(4, "text"),
    summary=one(
        7, Message(min=one(1, "bool"), max=one(2, "bool"), best=one(4, "bool"))
    ),
    goal=one(8, "int"),  # 1: minimize, 2: maximize
)
_STEP = Message(num=one(1, "int"))
RECORD = Message(
    history=one(2, Message(item=many(1, ITEM), step=one(2, _STEP))),
    summary=one(3, _CONFIG),
    output=one(4, _OUTPUT),
    config=one(5, _CONFIG),
    stats=one(7, Message(at=one(2, _TIME), item=many(3, ITEM))),
    artifact=one(8, _ARTIFACT),
    alert=one(
        10, Message(title=one(1, "text"), text=one(2, "text"), level=one(3, "text"))
    ),
    metric=one(12, _METRIC),
    output_raw=one(13, _OUTPUT),
    run=one(17, _RUN),
    exit=one(18, Message(code=one(1, "int"), runtime=one(2, "int"))),
    use_artifact=one(
        25, Message(id=one(1, "text"), type=one(2, "text"), name=one(3, "text"))
    ),
    environment=one(26, _ENVIRONMENT),
)
