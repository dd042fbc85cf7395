"""From a Python function that holds a cell's equations to the cell: tracing."""

from __future__ import annotations

import inspect
import linecache
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, overload

from gatelab.axes import Width
from gatelab.errors import CellError
from gatelab.graph.cell import Cell
from gatelab.graph.check import check
from gatelab.graph.fold import topological
from gatelab.graph.node import NARROWER, STATE_WIDTHS, Node, Operand, as_node, make, spread
from gatelab.graph.op import Op


@overload
def cell(function: Callable[..., Any], /) -> Cell: ...
@overload
def cell(
    *,
    name: str = "",
    source: str = "",
    widths: Mapping[str, Width] | None = None,
    block: int = 1,
) -> Callable[[Callable[..., Any]], Cell]: ...


def cell(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    source: str = "",
    widths: Mapping[str, Width] | None = None,
    block: int = 1,
) -> Cell | Callable[[Callable[..., Any]], Cell]:
    """Make a cell of a function that holds its equations.

    The function's first argument is the input of the step, [B, I]; the others are the states before
    it, [B, H] each. It returns the states after it, in the same order; the first is the output. Its
    local variables name the values that can be watched.

    Parameters
    ----------
    name
        What the cell is called; the function's name by default.
    source
        Where the equations come from.
    widths
        ``"H"``, ``"K"`` or ``"1"`` for states that are not one number a unit.
    block
        Units in a memory block, for gates made with ``linear(..., blocks=True)``.

    Raises
    ------
    CellError
        Naming the equation at fault.

    Examples
    --------
    >>> from gatelab import cell, linear, mix, sigmoid, tanh
    >>> @cell(source="Cho et al. 2014, arXiv:1406.1078")
    ... def gru(x, h):
    ...     z = sigmoid(linear(x, h, name="z"))
    ...     r = sigmoid(linear(x, h, name="r"))
    ...     candidate = tanh(linear(x, r * h, name="h"))
    ...     return mix(z, candidate, h)
    >>> gru
    <Cell gru(x; h): 9 weights>
    >>> list(gru.names)
    ['z', 'r', 'candidate']
    """

    def decorate(equations: Callable[..., Any]) -> Cell:
        return trace(equations, name=name, source=source, widths=widths or {}, block=block)

    return decorate(function) if function is not None else decorate


def trace(
    function: Callable[..., Any],
    *,
    name: str = "",
    source: str = "",
    widths: Mapping[str, Width] | None = None,
    block: int = 1,
) -> Cell:
    """Run ``function`` once on leaves and return the cell that its equations make; see :func:`cell`."""
    title = name or getattr(function, "__name__", "cell")
    arguments = _arguments(function, title)
    widths = widths or {}
    for key in widths:
        if key not in arguments[1:]:
            known = ", ".join(arguments[1:])
            raise CellError(f"cell {title!r}: widths names {key!r}; its states are {known}")
        if widths[key] not in STATE_WIDTHS:
            raise CellError(f"cell {title!r}: width of {key}: wanted 'H', 'K' or '1', got {widths[key]!r}")
    x = make(Op.INPUT, (), arguments[0], "I")
    states = tuple(make(Op.STATE, (), a, widths.get(a, "H")) for a in arguments[1:])
    try:
        returned, local = _run(function, x, *states)
    except Exception as error:
        raise CellError(f"cell {title!r}{_equation(error, function)}: {_wanted(error)}") from error
    results = _results(returned, states, title)
    leaves = {x, *states}
    names = {k: v for k, v in local.items() if isinstance(v, Node) and v not in leaves}
    summary = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
    traced = Cell(title, x, states, results, names, source, summary, block)
    traced = replace(traced, names=_reached(names, traced))
    check(traced)
    return traced


def _arguments(function: Callable[..., Any], title: str) -> list[str]:
    if not inspect.isfunction(function):
        raise CellError(f"cell wants a plain function of (x, h, …), got {type(function).__name__}")
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) < 2 or any(p.kind is not p.POSITIONAL_OR_KEYWORD for p in parameters):
        came = ", ".join(str(p) for p in parameters)
        raise CellError(f"cell {title!r} wants arguments (x, h, …): the input, then its states; got ({came})")
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            raise CellError(
                f"cell {title!r}: the argument {parameter} has a default; arguments are the input and the "
                f"states, anything else is best taken from around the function"
            )
    return [p.name for p in parameters]


def _run(function: Callable[..., Any], *leaves: Node) -> tuple[Any, dict[str, Any]]:
    """Call the function; return what it returned and its local variables, in their order."""
    local: dict[str, Any] = {}
    code = _code(function)
    own = dict.fromkeys([*code.co_varnames, *code.co_cellvars])  # the latter: read by an inner function

    def at_return(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code:
            local.clear()
            local.update({k: frame.f_locals[k] for k in own if k in frame.f_locals})

    before = sys.getprofile()
    sys.setprofile(at_return)
    try:
        returned = function(*leaves)
    finally:
        sys.setprofile(before)
    return returned, local


def _code(function: Callable[..., Any]) -> CodeType:
    """Return the code that holds the equations, below decorators."""
    code: CodeType = inspect.unwrap(function).__code__
    return code


def _results(returned: Any, states: tuple[Node, ...], title: str) -> tuple[Node, ...]:
    values: tuple[Operand, ...] = returned if isinstance(returned, tuple) else (returned,)
    wanted = ", ".join(s.name for s in states)
    if len(values) != len(states):
        raise CellError(
            f"cell {title!r} must return its {len(states)} new state(s), ({wanted}) in this order; "
            f"it returned {len(values)}"
        )
    results = []
    for value, state in zip(values, states, strict=True):
        if value is None:
            raise CellError(f"cell {title!r} returned None for state {state.name}; is a return missing?")
        try:
            node = as_node(value)
        except CellError as error:
            raise CellError(f"cell {title!r}, new state {state.name}: {error}") from None
        if (node.width, state.width) in NARROWER:
            node = spread(node, state.width)
        if node.width not in (None, state.width):
            raise CellError(
                f"cell {title!r}: the new state {state.name} has width {node.width}, wanted {state.width}; "
                f"try linear(…, name={state.name!r})"
            )
        results.append(node)
    return tuple(results)


def _reached(names: dict[str, Node], traced: Cell) -> dict[str, Node]:
    """Keep the names of values that matter for the result, as the function defines them.

    Names come in the order of their first assignment, but after those that they are computed from: an
    argument that is assigned anew stands where its new value does.
    """
    nodes, arguments = set(traced.nodes), {leaf.name for leaf in (traced.input, *traced.states)}
    left = sorted(
        ((k, v) for k, v in names.items() if v in nodes and v.sources), key=lambda kv: kv[0] in arguments
    )
    ordered: dict[str, Node] = {}
    while left:
        waiting = {v for _, v in left}
        k, v = next(item for item in left if not waiting.intersection(topological([item[1]])[:-1]))
        ordered[k] = v
        left.remove((k, v))
    return ordered


def _wanted(error: Exception) -> str:
    if isinstance(error, CellError):
        return str(error)
    return f"{type(error).__name__}: {error}; equations use gatelab's own functions and + - * /"


def _equation(error: Exception, function: Callable[..., Any]) -> str:
    """Return the line of the function's body at which the error came up."""
    line: int | None = None
    code = _code(function)
    trace_back: TracebackType | None = error.__traceback__
    while trace_back is not None:
        if trace_back.tb_frame.f_code is code and line is None:
            line = trace_back.tb_lineno
        trace_back = trace_back.tb_next
    if line is None:
        return ""
    path = code.co_filename
    text = linecache.getline(path, line).strip()
    return f", line {line} of {Path(path).name}" + (f" ({text})" if text else "")
