"""The Stop switch: soft in epochs, hard at the next log, a signal in between."""

from __future__ import annotations

import threading
import time

import pytest

from nbtrack.errors import RunStopped
from nbtrack.tracking.stop import StopSwitch


def test_a_silent_loop_is_interrupted_after_the_grace_time():
    switch = StopSwitch("base", grace_s=0.05)
    switch.request("panel")
    with pytest.raises(KeyboardInterrupt):
        time.sleep(10)  # a system call: only a real signal wakes it


def test_nothing_is_interrupted_once_the_run_has_ended():
    switch = StopSwitch("base", grace_s=0.05)
    switch.request("panel")
    switch.end()
    time.sleep(0.15)


def test_an_epoch_may_end_before_the_stop_takes_effect():
    switch = StopSwitch("base", grace_s=0.05)
    switch.enter_soft_loop()
    switch.request("panel")
    switch.check()
    time.sleep(0.15)  # neither the check nor the timer raises inside the epoch
    switch.leave_soft_loop()
    with pytest.raises(RunStopped, match="base"):
        switch.check()


def test_pressing_stop_again_does_not_wait_for_the_epoch():
    switch = StopSwitch("base")
    switch.enter_soft_loop()
    switch.request("panel")
    switch.request("panel")
    with pytest.raises(RunStopped):
        switch.check()


def test_after_a_soft_end_the_cell_goes_on_until_stop_is_pressed_again():
    switch = StopSwitch("base")
    switch.enter_soft_loop()
    switch.request("panel")
    switch.honour()
    switch.leave_soft_loop()
    switch.check()  # a last evaluation after the loop may log
    switch.request("panel")
    with pytest.raises(RunStopped):
        switch.check()


def test_only_the_thread_of_the_run_is_stopped():
    switch = StopSwitch("base")
    switch.request("panel")
    raised = []

    def worker():
        try:
            switch.check()
        except RunStopped as exc:
            raised.append(exc)

    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
    assert not raised
    with pytest.raises(RunStopped):
        switch.check()


def test_what_was_registered_is_saved_once_before_the_exception():
    switch = StopSwitch("base")
    saved = []
    switch.before_stop.append(lambda: saved.append("model"))
    switch.request("panel")
    with pytest.raises(RunStopped):
        switch.check()
    switch.check()  # the user's clean-up code logs: no second exception
    assert saved == ["model"]


def test_a_failing_checkpoint_does_not_hide_the_stop(capsys):
    switch = StopSwitch("base")
    switch.before_stop.append(lambda: 1 / 0)
    switch.request("panel")
    with pytest.raises(RunStopped):
        switch.check()
    assert "checkpoint at stop failed" in capsys.readouterr().err
