"""Reading a cell once more says nothing, and leaves no trace."""

from __future__ import annotations

import threading
import warnings

import pytest

from nbtrack.capture.reread import recompile, reparse, without_warnings


@pytest.mark.parametrize("text", [r"x = '\d'", "y = 2 is 3", "assert (y, 'no')"])
def test_what_the_compiler_warns_of_is_said_once_by_the_cell_alone(text):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        recompile(reparse(text))
        recompile(text)
    assert not said


def test_filters_are_as_before_also_when_the_text_is_broken():
    before = list(warnings.filters)
    with pytest.raises(SyntaxError):
        reparse("for for")
    assert list(warnings.filters) == before


def test_a_warning_that_is_shown_once_does_not_come_again():
    registry = {}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(2):
            warnings.warn_explicit("old", UserWarning, "f.py", 1, registry=registry)
            reparse("x = 1")
    assert len(said) == 1


def test_filters_of_another_thread_that_come_in_between_are_kept():
    entered, leave = threading.Event(), threading.Event()

    def work():
        with warnings.catch_warnings():
            entered.set()
            leave.wait(10)

    before = list(warnings.filters)
    thread = threading.Thread(target=work)
    with without_warnings():
        thread.start()
        entered.wait(10)
    leave.set()
    thread.join()
    assert list(warnings.filters) == before
