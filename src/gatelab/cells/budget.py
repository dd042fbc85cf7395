"""Equal budgets: the hidden size at which a unit has a wanted number of parameters.

Counted are, by default, the recurrent layers: every weight matrix, one bias a gate, peepholes. That is
how Chung et al. 2014 count. ``count="all"`` adds the output layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from gatelab.cells.catalogue import get
from gatelab.errors import ConfigError
from gatelab.graph.cell import Cell
from gatelab.passes.measure import Formula, measure

Count = Literal["recurrent", "all"]
LARGEST = 1 << 20  # units


def parameter_count(
    cell: str | Cell,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    bidirectional: bool = False,
    output_size: int = 0,
) -> int:
    """Return the number of trained parameters of a stack of layers, and of an output layer.

    ``output_size`` outputs, if any, are an affine map of the top layer's output.

    Examples
    --------
    >>> from gatelab.cells import parameter_count
    >>> parameter_count("lstm", 20, 195), parameter_count("gru", 20, 227), parameter_count("tanh", 20, 400)
    (169065, 168888, 168400)

    Raises
    ------
    ConfigError
        Where a size is no positive whole number, or the hidden size no multiple of the cell's block.
    """
    cell = get(cell)
    _check_whole(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
    if hidden_size % cell.block:
        raise ConfigError(
            f"hidden_size: wanted a multiple of {cell.block}, a block of {cell.name}; got {hidden_size}"
        )
    formula = measure(cell).parameters
    return _count(formula, input_size, hidden_size, num_layers, bidirectional, output_size)


def _count(
    formula: Formula, input_size: int, hidden_size: int, layers: int, bidirectional: bool, output_size: int
) -> int:
    directions = 2 if bidirectional else 1
    wide = directions * hidden_size
    recurrent = formula(input_size, hidden_size) + (layers - 1) * formula(wide, hidden_size)
    return directions * recurrent + output_size * (wide + 1) * (output_size > 0)


def hidden_size_for(
    cell: str | Cell,
    input_size: int,
    parameters: int,
    num_layers: int = 1,
    bidirectional: bool = False,
    count: Count = "recurrent",
    output_size: int = 0,
) -> int:
    """Return the hidden size whose parameter count is nearest to ``parameters``.

    Parameters
    ----------
    cell
        A cell or its name.
    input_size, num_layers, bidirectional
        As in :class:`gatelab.Recurrent`.
    parameters
        The wanted number of parameters.
    count
        ``"recurrent"`` counts the recurrent layers, as the papers do; ``"all"`` also the affine map to
        ``output_size`` outputs.

    Returns
    -------
    int
        Hidden units; a multiple of the cell's block. Of two sizes equally near, the smaller.

    Raises
    ------
    ConfigError
        Where not even the smallest network fits the budget.

    Examples
    --------
    >>> import gatelab
    >>> [gatelab.hidden_size_for(c, input_size=100, parameters=20_000) for c in ("lstm", "gru", "tanh")]
    [36, 46, 100]
    """
    cell = get(cell)
    _check_sizes(input_size, parameters, num_layers, count, output_size)
    outputs = output_size if count == "all" else 0
    formula = measure(cell).parameters

    def total(size: int) -> int:
        return _count(formula, input_size, size, num_layers, bidirectional, outputs)

    return nearest_size(total, cell, parameters)


def nearest_size(total: Callable[[int], int], cell: Cell, parameters: int) -> int:
    """Return the hidden size at which ``total``, which grows with it, is nearest to ``parameters``.

    Raises
    ------
    ConfigError
        Where not even the smallest network fits the budget.
    """
    _check_whole(parameters=parameters)
    low, high = 1, LARGEST // cell.block
    if total(cell.block) > 2 * parameters:
        least = total(cell.block)
        raise ConfigError(
            f"impossible budget: {cell.name} with {cell.block} hidden unit(s) has {least:,} parameters here, "
            f"wanted {parameters:,}; try --parameters {least:d} or more"
        )
    if total(high * cell.block) < parameters:
        raise ConfigError(f"impossible budget: {parameters:,} parameters need more than {LARGEST:,} units")
    while low < high:  # the smallest size with at least as many parameters as wanted
        middle = (low + high) // 2
        low, high = (middle + 1, high) if total(middle * cell.block) < parameters else (low, middle)
    if low > 1 and parameters - total((low - 1) * cell.block) <= total(low * cell.block) - parameters:
        low -= 1
    return low * cell.block


def _check_sizes(input_size: int, parameters: int, num_layers: int, count: str, output_size: int) -> None:
    _check_whole(input_size=input_size, parameters=parameters, num_layers=num_layers)
    if count not in ("recurrent", "all"):
        raise ConfigError(f"count must be 'recurrent' or 'all', got {count!r}")
    if count == "all" and output_size < 1:
        raise ConfigError("count='all' wants the output_size of the model, at least 1")


def _check_whole(**sizes: int) -> None:
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"impossible {name}: wanted a whole number of at least 1, got {value!r}")
