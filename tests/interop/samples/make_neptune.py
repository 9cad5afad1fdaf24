"""Makes the sample of Neptune: `python make_neptune.py FOLDER`, where pyarrow is.

Neptune's servers are gone, and neptune-exporter, which is on no index, writes only what
it fetches there. So this writes what its README documents (schema, names, types), the
way its code does: decimal steps, NaN as null, parts of a run. Not by the tool itself.
"""

import json
import math
import shutil
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("project_id", pa.string()),
        ("run_id", pa.string()),
        ("attribute_path", pa.string()),
        ("attribute_type", pa.string()),
        ("step", pa.decimal128(18, 6)),
        ("timestamp", pa.timestamp("ms", tz="UTC")),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("string_value", pa.string()),
        ("bool_value", pa.bool_()),
        ("datetime_value", pa.timestamp("ms", tz="UTC")),
        ("string_set_value", pa.list_(pa.string())),
        ("file_value", pa.struct([("path", pa.string())])),
        (
            "histogram_value",
            pa.struct(
                [
                    ("type", pa.string()),
                    ("edges", pa.list_(pa.float64())),
                    ("values", pa.list_(pa.float64())),
                ]
            ),
        ),
    ]
)
BEGAN = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
PROJECT = "team/digits"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


def attribute(path, kind, value):
    return {"attribute_path": path, "attribute_type": kind, f"{kind}_value": value}


def point(path, step, value, kind="float", series="float_series"):
    return {
        "attribute_path": path,
        "attribute_type": series,
        "step": Decimal(str(step)).quantize(Decimal("1.000000")),
        "timestamp": BEGAN + timedelta(seconds=float(step)),
        f"{kind}_value": value,
    }


def rows_of(number, files):
    (files / f"weights-{number}.bin").write_bytes(b"weights %d" % number)
    (files / f"picture-{number}.png").write_bytes(PIXEL)
    weights = {"path": f"{files.name}/weights-{number}.bin"}
    picture = {"path": f"{files.name}/picture-{number}.png"}
    losses = [1.0, 0.5, None, math.inf, 0.25]  # null: what from_pandas makes of NaN
    histogram = {"type": "COUNTING", "edges": [0.0, 1.0, 2.0], "values": [3.0, 1.0]}
    yield attribute("sys/name", "string", f"net-{number}")
    yield attribute("sys/creation_time", "datetime", BEGAN)
    yield attribute(
        "sys/modification_time", "datetime", BEGAN + timedelta(seconds=60 + number)
    )
    yield attribute("sys/tags", "string_set", ["gold", "first"])
    yield attribute("sys/description", "string", "a note")
    yield attribute("sys/failed", "bool", number == 2)
    yield attribute("sys/owner", "string", "ada")
    yield attribute("parameters/lr", "float", 0.1 * number)
    yield attribute("parameters/n", "int", 3)
    yield attribute("parameters/flag", "bool", True)
    yield attribute("parameters/kinds", "string_set", ["a", "b"])
    yield attribute("parameters/when", "datetime", BEGAN)
    for step, loss in enumerate(losses):
        yield point("train/loss", step, loss)
    for step in range(3):
        yield point("val/acc", step / 2, step / 10)
        yield point("monitoring/0/cpu", step, 50.0)
        yield point(
            "monitoring/stdout", step, f"line {step}", "string", "string_series"
        )
    yield point("hist", 1, histogram, "histogram", "histogram_series")
    yield point("drawn", 1, picture, "file", "file_series")
    yield attribute("model/weights", "file", weights)


def write(folder, number, project_folder):
    files = folder / "files" / project_folder
    data = folder / "data" / project_folder
    files.mkdir(parents=True, exist_ok=True)
    data.mkdir(parents=True, exist_ok=True)
    run = f"DIG-{number}"
    rows = [
        {"project_id": PROJECT, "run_id": run, **row} for row in rows_of(number, files)
    ]
    for part, start in enumerate(range(0, len(rows), 15)):
        table = pa.Table.from_pylist(rows[start : start + 15], schema=SCHEMA)
        pq.write_table(table, data / f"{run}_part_{part}.parquet", compression="snappy")
    n_points = sum(row["attribute_type"] == "float_series" for row in rows)
    return {"n_points": n_points, "n_attributes": len(rows)}


folder = Path(sys.argv[1]).resolve()
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
said = {
    f"{PROJECT}/DIG-{number}": write(folder, number, "team_digits_0a1b2c")
    for number in (1, 2)
}
(folder / "said.json").write_text(json.dumps(said, indent=1))
