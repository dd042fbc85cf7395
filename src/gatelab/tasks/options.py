"""What a user tells a task beside the data, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatelab.errors import ConfigError, near_misses


class Options:
    """Named values as they came from a command line or a file; each is asked for once, with its default.

    Parameters
    ----------
    kind
        The task, for messages.
    given
        Values by name: text from a command line, or what JSON holds.

    Examples
    --------
    >>> from gatelab.tasks.options import Options
    >>> told = Options("language", {"unroll": "50"})
    >>> told.whole("unroll", 100, least=1), told.given
    (50, {'unroll': 50})
    """

    def __init__(self, kind: str, given: Mapping[str, Any]) -> None:
        self.kind = kind
        self.given = dict(given)
        self._asked: list[str] = []

    def whole(self, name: str, default: Any, least: int = 0) -> Any:
        """Return a whole number of at least ``least``."""
        return self._kept(name, default, int, f"a whole number of at least {least}", lambda v: v >= least)

    def number(self, name: str, default: Any) -> Any:
        """Return a number."""
        return self._kept(name, default, float, "a number", lambda v: v == v)

    def text(self, name: str, default: Any) -> Any:
        """Return a text."""
        return self._kept(name, default, str, "a text", bool)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return yes or no."""
        return bool(self._kept(name, default, _truth, "yes or no", lambda v: True))

    def one_of(self, name: str, choices: Sequence[str], default: Any) -> Any:
        """Return one of these texts."""
        return self._kept(name, default, str, f"one of {', '.join(choices)}", choices.__contains__)

    def shares(self, name: str) -> tuple[float, float, float] | None:
        """Return three parts of one whole, given as ``0.7,0.15,0.15`` or ``70/15/15``; None where none is."""
        found = self._kept(name, None, _shares, "three shares, such as 70/15/15", lambda v: True)
        if found is None:
            return None
        first, second, third = (float(v) for v in found.split(","))
        return first, second, third

    def close(self) -> None:
        """Refuse values that nobody asked for."""
        for name in self.given:
            if name not in self._asked:
                hint = near_misses(name, self._asked) or ";"
                known = ", ".join(self._asked) or "none"
                raise ConfigError(f"task {self.kind} has no option {name!r}{hint} its options are {known}")

    def _kept(self, name: str, default: Any, read: Any, wanted: str, sound: Any) -> Any:
        self._asked.append(name)
        if name not in self.given:
            return default
        came = self.given[name]
        try:
            value = read(came)
            good = sound(value) and not (read is int and isinstance(came, bool | float))
        except (TypeError, ValueError):
            good = False
        if not good:
            raise ConfigError(f"option {name} of task {self.kind}: wanted {wanted}, got {came!r}")
        self.given[name] = value
        return value


def _shares(came: Any) -> str:
    """Return shares as text that reads back as the same shares: their sum is 1."""
    parts = [float(word) for word in str(came).replace("/", ",").split(",")]
    total = sum(parts)
    if len(parts) != 3 or not all(part > 0 for part in parts) or not total < float("inf"):
        raise ValueError
    return ",".join(f"{part / total:.12g}" for part in parts)


def _truth(came: Any) -> bool:
    words = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    return words[str(came).lower()] if str(came).lower() in words else _refused()


def _refused() -> bool:
    raise ValueError
