"""Alerts that leave this machine: only where asked, only there, never in the way."""

from __future__ import annotations

import json
import math
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import nbtrack
from nbtrack.guard import guard
from nbtrack.redact import redact_source
from nbtrack.tracking import webhook as sending
from nbtrack.tracking.webhook import Webhook, address_of

SECRET = "T0SECRET0B0/xyzzy-not-to-be-told"


class Hook:
    """A real HTTP server of this machine, with what it was sent."""

    def __init__(self, url):
        self.url = url
        self.got = []
        self.paths = []
        self.answers = []  # codes, first to last; then 200
        self.location = None
        self.is_open = threading.Event()  # else it answers nobody
        self.is_open.set()


@contextmanager
def serving():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.paths.append(self.path)
            hook.is_open.wait(10.0)
            code = hook.answers.pop(0) if hook.answers else 200
            if code == 200:
                hook.got.append(json.loads(body))
            self.send_response(code)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook = Hook(f"http://127.0.0.1:{server.server_address[1]}/services/{SECRET}")
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}
    )
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hook(monkeypatch, store_path):
    quick = Webhook(retry_after_s=(0.05, 0.05))
    monkeypatch.setattr(sending, "webhook", quick)
    for kind in ("webhook", "webhook address", "webhook is full"):
        del guard.failures[kind]
    with serving() as hook:
        monkeypatch.setenv("NBTRACK_WEBHOOK", hook.url)
        yield hook
        assert quick.settle(10.0)


def settled():
    assert sending.webhook.settle(10.0)


def test_nothing_is_sent_without_being_asked(hook, monkeypatch):
    monkeypatch.delenv("NBTRACK_WEBHOOK")
    with nbtrack.start() as run:
        run.log(loss=math.nan)
        run.alert("odd")
    settled()
    assert hook.paths == []


def test_an_alert_is_posted_with_its_text_for_chats_and_its_fields(hook):
    with nbtrack.start(
        "<!channel> & base", experiment="mnist", alerts="finished"
    ) as run:
        run.log(loss=1.0)
        run.log(loss=math.nan)
    settled()
    nan, finished = hook.got
    assert nan["text"] == "&lt;!channel&gt; &amp; base: loss is NaN @ step 1"
    assert (nan["run"], nan["experiment"], nan["kind"], nan["level"]) == (
        run.id, "mnist", "nan", "error"
    )  # fmt: skip
    assert (nan["metric"], nan["step"], nan["rule"]) == ("loss", 1, "nan")
    assert finished["kind"] == "finished"


def test_an_alert_of_the_users_is_posted_without_its_secrets(hook):
    with nbtrack.start() as run:
        run.alert("odd", f"see {hook.url} and hf_abcdefghijklmnopqrstuvwx")
    settled()
    [got] = hook.got
    assert got["kind"] == "custom"
    assert SECRET not in json.dumps(got)
    assert "hf_abc" not in json.dumps(got)


def test_what_can_pass_is_tried_again_and_then_given_up(hook, capsys):
    hook.answers = [503, 429]
    with nbtrack.start() as run:
        run.alert("first")
    settled()
    assert [got["title"] for got in hook.got] == ["first"]
    hook.answers = [500] * 9
    with nbtrack.start() as run:
        run.alert("second")
    settled()
    assert len(hook.paths) == 6, "three tries each"
    said = capsys.readouterr().err
    assert "it answered 500" in said
    assert SECRET not in said


def test_a_refusal_is_not_tried_again(hook, capsys):
    hook.answers = [404]
    with nbtrack.start() as run:
        run.alert("odd")
    settled()
    assert len(hook.paths) == 1
    assert "it answered 404" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["file:///etc/passwd", "/other"])
def test_no_redirect_is_followed(hook, capsys, target):
    hook.answers, hook.location = [302], target
    with nbtrack.start() as run:
        run.alert("odd")
    settled()
    assert len(hook.paths) == 1
    assert "redirects are not followed" in capsys.readouterr().err


def test_a_server_that_is_gone_costs_one_line(store_path, monkeypatch, capsys):
    with serving() as hook:
        gone = hook.url
    monkeypatch.setattr(sending, "webhook", Webhook(retry_after_s=(0.01,)))
    monkeypatch.setenv("NBTRACK_WEBHOOK", gone)
    del guard.failures["webhook"]
    with nbtrack.start() as run:
        run.alert("odd")
        run.alert("odder")
    settled()
    said = capsys.readouterr().err
    assert said.count("was not sent") == 1
    assert SECRET not in said
    assert run.status == "finished"


def test_a_slow_server_holds_nobody_up(hook):
    hook.is_open.clear()
    with nbtrack.start() as run:
        for n in range(3):
            run.alert(f"odd {n}")
        run.log(loss=1.0)
    assert run.record().status == "finished"
    assert hook.got == []
    hook.is_open.set()
    settled()
    assert len(hook.got) == 3


def test_a_flood_is_cut_off_with_a_word(hook, monkeypatch, capsys):
    monkeypatch.setattr(sending, "WAITING_MAX", 3)
    hook.is_open.clear()
    with nbtrack.start() as run:
        for n in range(20):
            run.alert(f"odd {n}")
    hook.is_open.set()
    settled()
    assert len(hook.got) == 3
    assert "faster than the webhook" in capsys.readouterr().err


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://example.org/x", "example.org/hook", "http://",
     "https://user:password@example.org/x", "http://a b/", "http://a\nb/",
     "http://example.org:port/", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_web_address_is_not_asked_and_not_told(address, capsys):
    del guard.failures["webhook address"]
    assert address_of(address) is None
    said = capsys.readouterr().err
    assert "no http or https address" in said
    assert address not in said


def test_the_address_is_nowhere_in_the_store(hook, store_path):
    source = f'os.environ["NBTRACK_WEBHOOK"] = "{hook.url}"'
    with nbtrack.start(notes=f"sent to {hook.url}", params={"to": hook.url}) as run:
        run.alert("odd", hook.url)
        run.log(loss=math.nan)
    settled()
    run.record()
    kept = b"".join(p.read_bytes() for p in store_path.rglob("*") if p.is_file())
    assert SECRET.encode() not in kept
    assert SECRET not in redact_source(source)[0]
    assert SECRET not in redact_source(f"%env NBTRACK_WEBHOOK={hook.url}")[0]
