"""Params of public notebooks' idioms, and what looks like one but is none."""

from __future__ import annotations

import pytest
from test_params import Session


@pytest.fixture
def session():
    return Session()


def test_a_class_that_the_cell_calls_is_not_read_beside_its_object(session):
    session.run(
        """
from dataclasses import dataclass
@dataclass
class Config:
    lr: float = 0.1
    epochs: int = 10
class Plain:
    beta = 0.9
"""
    )
    found = session.values("cfg = Config(lr=0.5)\nplain = Plain()\nprint(cfg.lr)")
    assert not [name for name in found if name.startswith("Config")]
    assert 0.5 in found.values()
    assert 0.1 not in found.values()
    assert found["Plain.beta"] == 0.9, "nothing else tells of it"


def test_the_settings_of_a_base_class_are_told(session):
    found = session.values(
        """
class Base:
    def __init__(self, lr, depth=3): self.lr = lr
class Child(Base): pass
model = Child(lr=0.5)
"""
    )
    assert (found["lr"], found["depth"]) == (0.5, 3)


def test_the_settings_of_a_base_class_of_an_earlier_cell_are_told(session):
    session.run("class Base:\n def __init__(self, lr): self.lr = lr")
    session.run("class Child(Base): pass")
    assert session.values("model = Child(lr=0.5)")["lr"] == 0.5


def test_a_corpus_in_the_cell_is_data_and_a_prompt_is_a_param(session):
    found = session.values(f"text = {'word ' * 300!r}\nprompt = 'You are kind.'")
    assert "text" not in found
    assert found["prompt"] == "You are kind."


def test_how_a_picture_looks_is_no_param(session):
    session.run("def train(n, xlabel='epoch', legend=('a',)): pass")
    assert session.values("train(3, xlabel='step')") == {"n": 3}
