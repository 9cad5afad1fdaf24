"""What a doctor says: checks, one line each, with the way out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from nbtrack.text import escape, visible

State = Literal["ok", "warn", "bad"]
_ORDER: tuple[State, ...] = ("ok", "warn", "bad")
_COLOURS = {"ok": "#2e9d57", "warn": "#d98f00", "bad": "#d64545"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    what: str
    way_out: str = ""
    fixable: bool = False  # `nbtrack doctor --fix` puts it right


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was looked at; see `nbtrack.doctor`.

    >>> Report((Check("database", "ok", "sound"), Check("disk", "warn", "full")))
    ok    database  sound
    warn  disk      full
    """

    checks: tuple[Check, ...]
    fixed: tuple[str, ...] = ()  # what `fix` put right

    @property
    def state(self) -> State:
        """The worst of all checks."""
        return max((check.state for check in self.checks), key=_ORDER.index)

    @property
    def ok(self) -> bool:
        """Whether nothing is bad; warnings are no reason to stop."""
        return self.state != "bad"

    def __bool__(self) -> bool:
        return self.ok

    def __getitem__(self, name: str) -> Check:
        """The check of this name."""
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)

    def lines(self) -> list[str]:
        """As text, what can be done under what is wrong."""
        width = max(len(check.name) for check in self.checks)
        lines = [f"fixed: {visible(what)}" for what in self.fixed]
        for check in self.checks:
            name = check.name.ljust(width)
            lines.append(f"{check.state:4}  {name}  {visible(check.what)}")
            if check.way_out:
                lines.append(f"      {' ' * width}  → {visible(check.way_out)}")
        if not self.fixed and any(check.fixable for check in self.checks):
            lines.append("nbtrack doctor --fix puts right what it can.")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        checks = [asdict(check) for check in self.checks]
        return {"state": self.state, "fixed": list(self.fixed), "checks": checks}

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        rows = "".join(map(_row, self.checks))
        fixed = "".join(f"<div>fixed: {escape(what)}</div>" for what in self.fixed)
        return (
            f"<div style='font:13px system-ui'>{fixed}"
            f"<table style='border-collapse:collapse'>{rows}</table></div>"
        )


def _row(check: Check) -> str:
    cell = "padding:1px 10px 1px 0;text-align:left;vertical-align:top"
    colour = _COLOURS[check.state]
    way_out = f"<br>→ {escape(check.way_out)}" if check.way_out else ""
    return (
        f"<tr><th style='{cell};color:{colour}'>{check.state}</th>"
        f"<td style='{cell}'>{escape(check.name)}</td>"
        f"<td style='{cell}'>{escape(check.what)}{way_out}</td></tr>"
    )
