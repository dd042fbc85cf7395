"""Which engine runs a cell, always told with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from gatelab.errors import EngineError, near_misses

ENGINES = ("auto", "reference")


@dataclass(frozen=True)
class Choice:
    """An engine's name and why it was taken."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def choose(wanted: str) -> Choice:
    """Return the engine for ``wanted``: ``"auto"`` or an engine's name.

    Raises
    ------
    EngineError
        Where there is no such engine.
    """
    if wanted == "reference":
        return Choice("reference", "asked for")
    if wanted == "auto":
        return Choice("reference", "the only engine that is built: the definition, in torch")
    misses, known = near_misses(str(wanted), ENGINES), ", ".join(ENGINES)
    raise EngineError(f"unknown engine {wanted!r}{misses}; known are {known}")
