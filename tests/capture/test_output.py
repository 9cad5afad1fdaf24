"""What a stream said: heard without a change, and kept as a terminal would show it."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import random
import subprocess
import sys
import threading

import pytest
from tqdm import tqdm

from nbtrack.capture.output import KernelTap, StreamTap, tap_on
from nbtrack.capture.printed import PrintedText

CAP_BYTES = 1 << 20


def left_of(*written: str) -> str:
    text = PrintedText()
    for portion in written:
        text.feed(portion)
    return text.whole()


def in_portions(written: str, seed: int) -> str:
    chance, text, at = random.Random(seed), PrintedText(), 0
    while at < len(written):
        n = chance.randint(1, 7)
        text.feed(written[at : at + n])
        at += n
    return text.whole()


# -- as a terminal would leave it ----------------------------------------------------


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\r\nb\r\n", "a\nb\n"),  # line ends of other systems lose nothing
        ("a", "a"),
        ("", ""),
        ("  \n\n x", "  \n\n x"),
        ("step 1\rstep 2\rstep 3\n", "step 3\n"),
        ("loss 0.123456\rdone\n", "done\n"),  # the text behind \r replaces the line
        ("bar\r      \r", ""),  # a bar that wipes itself out
        ("bar\r\x1b[Knext\n", "next\n"),
        ("\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m\n", "red and bold\n"),
        ("one\ntwo\n\x1b[2A\x1b[2Kfirst\n\n", "first\ntwo\n"),
        ("outer 1\n\rinner 1\x1b[A\router 2\n\rinner 2\x1b[A", "outer 2\ninner 2"),
        ("abc\b\bXY", "aXY"),
        ("\x1b]8;;https://x.y\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        ("é\u2588\U0001f600\n", "é\u2588\U0001f600\n"),
        ("lone \ud800 surrogate\n", "lone \ud800 surrogate\n"),
    ],
)
def test_what_is_left_of(written, left):
    assert left_of(written) == left


def test_portions_do_not_matter():
    written = (
        "a\r\nb\n 10%|#  |\r 20%|## |\r\x1b[K100%|###|\n\x1b[32mok\x1b[0m\n"
        "outer\n\rinner\x1b[A\router 2\n\rinner 2\x1b[A\n\nend"
    )
    expected = left_of(written)
    assert {in_portions(written, seed) for seed in range(50)} == {expected}


def test_a_real_bar_becomes_its_last_line():
    shown = io.StringIO()
    for _ in tqdm(range(500), file=shown, mininterval=0, ascii=True):
        pass
    lines = left_of(shown.getvalue()).splitlines()
    assert shown.getvalue().count("\r") > 100
    assert len(lines) == 1
    assert lines[0].startswith("100%|##########| 500/500")


def test_real_nested_bars_become_their_last_lines():
    shown = io.StringIO()
    for _ in tqdm(range(3), desc="outer", file=shown, mininterval=0, ascii=True):
        for _ in tqdm(range(20), desc="inner", file=shown, mininterval=0, ascii=True):
            pass
    lines = [line for line in left_of(shown.getvalue()).splitlines() if line.strip()]
    assert len(lines) <= 4  # the outer one, and each finished inner one at most once
    assert any(line.startswith("outer: 100%") for line in lines)
    assert sum(line.startswith("inner: 100%") for line in lines) >= 1


def test_a_bar_that_leaves_nothing_leaves_nothing():
    shown = io.StringIO()
    for _ in tqdm(range(50), file=shown, mininterval=0, leave=False, ascii=True):
        pass
    assert left_of("before\n", shown.getvalue(), "after\n") == "before\nafter\n"


def test_prints_between_bars_stay():
    shown = io.StringIO()
    with tqdm(range(10), file=shown, mininterval=0, ascii=True) as bar:
        for i in bar:
            if i == 5:
                tqdm.write("half way", file=shown)
    lines = left_of(shown.getvalue()).splitlines()
    assert lines[0] == "half way"
    assert lines[1].startswith("100%")


def test_what_is_not_ended_ends_before_its_last_word_while_more_may_come():
    text = PrintedText()
    text.feed("key is sk-ant-api0")
    assert text.settled() == "key is "
    text.feed("3-abc\n")
    assert text.settled() == "key is sk-ant-api03-abc\n"


# -- the cap -------------------------------------------------------------------------


def test_of_a_long_text_the_beginning_and_the_end_stay():
    lines = [f"line {i} of a long text\n" for i in range(100_000)]
    text = PrintedText()
    for i in range(0, len(lines), 700):
        text.feed("".join(lines[i : i + 700]))
    kept = text.whole()
    assert len(kept.encode()) <= CAP_BYTES
    assert kept.startswith("".join(lines[:5_000]))
    assert kept.endswith("".join(lines[-5_000:]))
    whole = sum(map(len, lines))
    said = f"----- nbtrack left out {text.n_cut_bytes:,} bytes here -----\n"
    assert kept.count(said) == 1
    assert len(kept) - len(said) + text.n_cut_bytes == whole
    assert set(kept.splitlines()) - {said.strip()} <= {line.strip() for line in lines}


def test_a_text_within_the_cap_is_whole():
    lines = [f"{i}\n" for i in range(100_000)]
    assert left_of(*lines) == "".join(lines)


def test_a_line_without_end_is_capped_too():
    text = PrintedText()
    for i in range(40):
        text.feed(f"{i:04} " * 20_000)
    kept = text.whole()
    assert len(kept.encode()) <= CAP_BYTES + 200
    words = {word for word in kept.split() if word[0].isdigit() and "," not in word}
    assert words == {f"{i:04}" for i in range(40)} & words
    assert kept.endswith("0039 ")


def test_one_word_without_end_is_capped_too():
    text = PrintedText()
    for _ in range(30):
        text.feed("x" * 100_000)
    assert len(text.whole().encode()) <= CAP_BYTES + 200
    assert text.n_cut_bytes > 1_500_000


def test_a_cut_leaves_no_part_of_a_private_key():
    key = "\n".join(
        ["-----BEGIN RSA PRIVATE KEY-----", *["QUFB" * 16] * 40,
         "-----END RSA PRIVATE KEY-----", ""]
    )  # fmt: skip
    for room in range(2_000, 6_000, 331):
        text = PrintedText(head_bytes=300, tail_bytes=room)
        for i in range(40):
            text.feed(f"{key}line {i}\n" * 3)
        kept = text.whole()
        before, _, tail = kept.partition("nbtrack left out")
        assert text.n_cut_bytes > 0
        first = tail.find("QUFB")
        assert first == -1 or 0 <= tail.find("BEGIN RSA") < first, room
        assert "QUFB" not in before or "BEGIN RSA" in before


def test_very_many_updates_of_a_bar_are_one_line():
    text = PrintedText()
    for _ in range(10):
        text.feed("".join(f"\r{i} of 10000" for i in range(10_000)))
    assert text.whole() == "9999 of 10000"


# -- heard without a change ----------------------------------------------------------


@pytest.fixture
def stream():
    return io.StringIO()


def test_the_stream_stays_the_same_object_and_says_the_same(stream):
    tap = StreamTap(stream)
    held = logging.StreamHandler(stream)
    print("a", 1, end="\r", file=stream)
    stream.writelines(["b\n", "c\n"])
    held.emit(logging.LogRecord("x", 20, "", 1, "logged", None, None))
    with contextlib.redirect_stdout(stream):
        print("led here")
    assert stream.write("four") == 4
    assert tap.take() == stream.getvalue() == "a 1\rb\nc\nlogged\nled here\nfour"


def test_a_removed_tap_leaves_no_trace(stream):
    tap = StreamTap(stream)
    tap.remove()
    assert "write" not in vars(stream)
    print("x", file=stream)
    assert tap.take() == ""


def test_who_was_there_first_is_there_again(stream):
    seen = []
    theirs = stream.write = lambda text: seen.append(text)
    tap = StreamTap(stream)
    print("x", file=stream, end="")
    tap.remove()
    assert stream.write is theirs
    assert ("".join(seen), stream.getvalue()) == ("x", "")


def test_under_somebody_elses_write_ours_is_deaf_and_passes_on(stream):
    tap = StreamTap(stream)
    ours = stream.write
    stream.write = lambda text: ours(text.upper())
    tap.remove()
    print("x", file=stream, end="")
    assert stream.getvalue() == "X"
    assert tap.take() == ""


def test_what_the_stream_raises_is_raised_and_not_heard(stream):
    tap = StreamTap(stream)
    with pytest.raises(TypeError, match="argument"):
        stream.write(b"bytes")
    stream.close()
    with pytest.raises(ValueError, match="closed file"):
        print("late", file=stream)
    assert tap.take() == ""


def test_threads_lose_and_double_nothing(stream):
    tap, taken = StreamTap(stream), []
    is_over = threading.Event()

    def say(name):
        for i in range(3_000):
            stream.write(f"{name}{i}\n")

    def listen():
        while not is_over.is_set():
            taken.append(tap.take())

    ear = threading.Thread(target=listen)
    mouths = [threading.Thread(target=say, args=(name,)) for name in "abcd"]
    for thread in (ear, *mouths):
        thread.start()
    for mouth in mouths:
        mouth.join()
    is_over.set()
    ear.join()
    heard = "".join([*taken, tap.take()])
    assert sorted(heard.splitlines()) == sorted(stream.getvalue().splitlines())


class Slotted:
    """A stream that lets nobody stand before its `write`."""

    __slots__ = ()

    def write(self, text):
        return len(text)


def test_a_stream_that_cannot_be_heard_is_refused():
    with pytest.raises(AttributeError):
        StreamTap(Slotted())


SCRIPT = """
import sys
from nbtrack.capture.output import KernelTap, StreamTap, tap_on
taps = [StreamTap(sys.stdout), StreamTap(sys.stderr)] if "--tap" in sys.argv else []
print("one"); print("two", file=sys.stderr)
sys.stdout.buffer.write(b"raw\\n"); sys.stdout.buffer.flush()
print("r", end="\\r"); print(sys.stdout.fileno(), sys.stdout.isatty())
sys.stdout.writelines(["a", "b"]); print("\\udce9".encode("utf-8", "replace"))
print(sys.stdout.encoding, sys.stdout.line_buffering, flush=True)
"""


def test_a_script_says_byte_for_byte_the_same():
    said = [
        subprocess.run([sys.executable, "-c", SCRIPT, *more], capture_output=True)
        for more in ([], ["--tap"])
    ]
    assert said[0].stdout == said[1].stdout != b""
    assert said[0].stderr == said[1].stderr == b"two\n"


def test_a_terminal_stays_a_terminal():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        tap = StreamTap(terminal)
        print("x", file=terminal)
        assert terminal.isatty()
        assert tap.take() == "x\n"
    os.close(ours)


class FakeKernelStream(io.StringIO):
    """What `KernelTap` uses of ipykernel's stream; the hooks run where they are put."""

    def __init__(self):
        super().__init__()
        self.hooks = []
        self.pub_thread = self

    def schedule(self, call):
        call()

    def register_hook(self, hook):
        self.hooks.append(hook)

    def unregister_hook(self, hook):
        self.hooks.remove(hook)

    def send(self, message):
        for hook in self.hooks:
            message = hook(message)
        return message


def test_a_kernels_message_is_sent_as_it_is_whatever_happens_to_us():
    stream = FakeKernelStream()
    tap = tap_on(stream)
    assert isinstance(tap, KernelTap)
    for message in ({"content": {"text": "x"}}, {"content": None}, {}):
        assert stream.send(message) is message
    assert tap.take() == "x"
    tap.remove()
    assert stream.hooks == []
