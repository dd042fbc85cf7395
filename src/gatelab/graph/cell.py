"""A recurrent cell as a value: the leaves, the results, and the names of what lies between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gatelab.graph.fold import topological
from gatelab.graph.node import Node
from gatelab.graph.op import Op


@dataclass(frozen=True)
class Cell:
    """A recurrent cell: what one step makes of its input and the states before it.

    Attributes
    ----------
    name
        What it is called in tables.
    input
        The leaf x, [B, I].
    states
        The leaves of the states before the step, [B, H] each (or [B, K], [B, 1]).
    results
        The states after the step, in the same order; the first is the cell's output.
    names
        The values that can be watched, by the names the equations gave them.
    source
        Where the equations come from.
    summary
        One sentence about the cell.
    block
        Units in a memory block: K = H / block.
    """

    name: str
    input: Node
    states: tuple[Node, ...]
    results: tuple[Node, ...]
    names: Mapping[str, Node] = field(default_factory=dict, compare=False)
    source: str = field(default="", compare=False)
    summary: str = field(default="", compare=False)
    block: int = 1

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of one step, sources first."""
        return tuple(topological(self.results))

    @cached_property
    def parameters(self) -> tuple[Node, ...]:
        """The PARAM leaves, in the order in which the named values are computed."""
        place = {node: k for k, node in enumerate(self.nodes)}
        named = sorted((v for v in self.names.values() if v in place), key=place.__getitem__)
        return tuple(n for n in topological([*named, *self.results]) if n.op is Op.PARAM)

    @cached_property
    def masks(self) -> tuple[Node, ...]:
        """The MASK leaves."""
        return tuple(n for n in self.nodes if n.op is Op.MASK)

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of the parameters, in their order."""
        return tuple(p.name for p in self.parameters)

    @cached_property
    def mask_names(self) -> tuple[str, ...]:
        """The names of the masks, in their order."""
        return tuple(m.name for m in self.masks)

    @property
    def output(self) -> Node:
        """The first new state, which is what the cell gives to the layer above."""
        return self.results[0]

    def __deepcopy__(self, memo: object) -> Cell:
        return self

    def __hash__(self) -> int:
        return hash((self.name, self.results, self.states, self.block))

    def __repr__(self) -> str:
        states = ", ".join(s.name for s in self.states)
        return f"<Cell {self.name}({self.input.name}; {states}): {len(self.parameters)} weights>"
