from __future__ import annotations

import base64
import json
import math
from array import array
from itertools import pairwise

from nbtrack.analysis.wire import SeriesDelta, as_json, messages, pack

RUN = {"metrics": []}


def _delta(n, *, metric="loss", start=0):
    numbers = [float(i) for i in range(n)]
    return SeriesDelta(metric, start, numbers, numbers, numbers, {"epoch": numbers})


def test_columns_stand_one_after_the_other_in_the_buffer():
    packed = pack([SeriesDelta("loss", 0, [1], [0.5], [9.0], {"epoch": [3.0]})])

    assert array("d", packed).tolist() == [1.0, 0.5, 9.0, 3.0]


def test_nan_and_infinities_travel_exactly_through_json():
    values = [math.nan, math.inf, -math.inf]
    frame = as_json(
        RUN, [SeriesDelta("loss", 0, [0, 1, 2], values, [0, 0, 0])], full=True
    )

    sent = json.loads(json.dumps(frame, allow_nan=False))

    came = array("d", base64.b64decode(sent["data"]))[3:6]
    assert math.isnan(came[0])
    assert came[1:].tolist() == [math.inf, -math.inf]


def test_no_message_is_larger_than_32_kb():
    deltas = [_delta(10_000), _delta(10), _delta(2_000, metric="acc")]

    sent = list(messages(RUN, deltas, full=True))

    assert max(len(json.dumps(head)) + len(body) for head, body in sent) <= 32_000
    assert sum(len(body) for _, body in sent) == len(pack(deltas))


def test_parts_of_a_long_series_continue_where_the_last_one_ended():
    heads = [head for head, _ in messages(RUN, [_delta(3_000, start=7)], full=False)]

    spans = [(one["from"], one["n"]) for head in heads for one in head["series"]]

    assert spans[0][0] == 7
    assert all(a + n == b for (a, n), (b, _) in pairwise(spans))
    assert sum(n for _, n in spans) == 3_000


def test_only_the_first_part_carries_the_header_and_starts_over():
    heads = [head for head, _ in messages(RUN, [_delta(3_000)], full=True)]

    assert heads[0]["run"] is RUN
    assert heads[0]["full"]
    assert all(head["run"] is None and not head["full"] for head in heads[1:])


def test_a_frame_without_points_is_still_a_message():
    assert len(list(messages(RUN, [], full=False))) == 1
