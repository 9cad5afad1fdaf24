"""A page that listens is sent the cells of a slice; without one a kernel sends none."""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.reproduce

TARGET = "nbtrack.cells"
SLOW = "import nbtrack.notebook.cell_insertion as insertion; insertion.ANSWER_S = {}"


@pytest.fixture
def trained(kernel):
    kernel.run("x = 2")
    kernel.run("%%track base --no-live\nfor i in range(3):\n    loss = x / (i + 1)")
    return kernel


class Page:
    """What the JupyterLab extension does, with the kernel's own messages."""

    def __init__(self, kernel, answers):
        self.kernel, self.answers = kernel, answers
        self.heard = []  # what the kernel has said over its comm
        self.shown, self.payload = [], []

    def run(self, code):
        client = self.kernel.client
        asked = self.kernel.send(code, cellId="asks")
        while True:
            message = client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind in ("comm_open", "comm_msg"):
                if kind == "comm_msg" or content["target_name"] == TARGET:
                    self.answer(content)
            elif kind == "display_data":
                self.shown.append(content["data"]["text/plain"])
            elif kind == "status" and content["execution_state"] == "idle":
                break
        while True:
            reply = client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == asked:
                self.payload = reply["content"]["payload"]
                return self

    def answer(self, content):
        self.heard.append(content["data"])
        say = self.answers.get(content["data"]["type"])
        if say is not None:
            client = self.kernel.client
            data = {"comm_id": content["comm_id"], "data": say}
            client.shell_channel.send(client.session.msg("comm_msg", data))


def test_a_page_that_answers_is_sent_the_cells_and_no_other_way_is_taken(trained):
    trained.run(SLOW.format(20))
    answers = {"hello": {"type": "ready"}, "insert": {"type": "done", "n": 2}}
    page = Page(trained, answers).run("%restore base")
    hello, insert = page.heard
    assert hello == {"type": "hello", "cell": "asks"}
    assert insert["type"] == "insert"
    assert insert["cells"][0].endswith("\nx = 2")
    assert "\n%%track base" in insert["cells"][1]
    assert page.shown == ["2 cells of run base put below"]
    assert page.payload == []


def test_where_nobody_answers_one_cell_is_put_below(trained):
    trained.run(SLOW.format(0.2))
    began = time.monotonic()
    page = Page(trained, {}).run("%restore base")
    assert time.monotonic() - began < 20
    assert [said["type"] for said in page.heard] == ["hello"]
    assert page.shown == ["2 cells of run base put below as one cell"]
    [one] = [p for p in page.payload if p["source"] == "set_next_input"]
    assert "# %%track base" in one["text"]


def test_a_page_that_falls_silent_does_not_get_the_cells_twice(trained):
    trained.run(SLOW.format(2))
    page = Page(trained, {"hello": {"type": "ready"}}).run("%restore base")
    assert page.shown == [
        "2 cells of run base sent to the page, which has not answered yet"
    ]
    assert page.payload == []


@pytest.mark.parametrize("odd", ["ready", ["ready"], None, {"type": ["ready"]}, 3])
def test_an_answer_that_is_none_is_not_taken_for_one(trained, odd):
    trained.run(SLOW.format(0.2))
    page = Page(trained, {"hello": odd}).run("%restore base")
    assert page.shown == ["2 cells of run base put below as one cell"]
    assert trained.run("1 + 1").result == "2"


def test_too_many_cells_are_put_below_as_one(trained):
    trained.run(SLOW.format(20) + "; insertion.CELLS_MAX = 1")
    page = Page(trained, {"hello": {"type": "ready"}}).run("%restore base")
    assert page.heard == []
    assert page.shown == ["2 cells of run base put below as one cell"]
    trained.run("insertion.CELLS_MAX = 500")
