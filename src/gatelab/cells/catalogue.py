"""Cells by name: ``lstm``, ``gru`` …, and wrapped ones such as ``lstm+layer-norm+zoneout=0.1``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gatelab.cells import elman, gru, jozefowicz, lstm, odyssey, wrappers
from gatelab.errors import ConfigError, near_misses
from gatelab.graph.cell import Cell

CATALOGUE: Mapping[str, Cell] = MappingProxyType(
    {c.name: c for room in (elman, lstm, odyssey, gru, jozefowicz) for c in room.CELLS}
)
"""Every cell of the catalogue, by name."""

WRAPPERS: Mapping[str, tuple[Callable[..., Cell], float | None]] = MappingProxyType(
    {
        "layer-norm": (wrappers.layer_norm, None),
        "recurrent-dropout": (wrappers.recurrent_dropout, 0.25),
        "zoneout": (wrappers.zoneout, 0.1),
        "blocks": (wrappers.blocks, 2.0),
    }
)
"""What can follow a name after ``+``, with the value it has where none is given."""


def get(cell: str | Cell) -> Cell:
    """Return the cell with this name; a cell is returned as it is.

    A name may be followed by wrappers, each after a ``+``, applied from left to right:
    ``layer-norm``, ``recurrent-dropout=RATE``, ``zoneout=RATE``, ``blocks=UNITS``.

    Raises
    ------
    ConfigError
        Where the name is unknown; near misses are listed.

    Examples
    --------
    >>> import gatelab
    >>> gatelab.cells.get("cifg")
    <Cell cifg(x; h, c): 11 weights>
    >>> gatelab.cells.get("gru+zoneout=0.1").masks[0].mask.rate
    0.1
    """
    if isinstance(cell, Cell):
        return cell
    if not isinstance(cell, str):
        raise ConfigError(f"wanted a cell or its name, such as 'gru'; got {type(cell).__name__}")
    name, *wraps = cell.strip().split("+")
    if name not in CATALOGUE:
        raise ConfigError(
            f"unknown cell {name!r}{near_misses(name, CATALOGUE)}; the catalogue holds {', '.join(CATALOGUE)}"
        )
    found = CATALOGUE[name]
    for wrap in wraps:
        found = _wrap(found, wrap)
    return found


def _wrap(cell: Cell, text: str) -> Cell:
    key, _, value = text.partition("=")
    if key not in WRAPPERS:
        known = ", ".join(WRAPPERS)
        raise ConfigError(f"unknown wrapper {key!r}{near_misses(key, WRAPPERS)}; known are {known}")
    wrapper, default = WRAPPERS[key]
    if default is None:
        if value:
            raise ConfigError(f"{key} takes no value; got {text!r}")
        return wrapper(cell)
    try:
        return wrapper(cell, float(value) if value else default)
    except ValueError:
        raise ConfigError(f"{key} wants a number, such as {key}={default:g}; got {value!r}") from None
