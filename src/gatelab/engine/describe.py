"""A plan for people: what the tile machine does before the loop, in each phase of a step, and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gatelab.engine.code import Code, listing
from gatelab.engine.plan import Phase, Place, Reading, Target
from gatelab.engine.program import program_of
from gatelab.engine.split import Pass, Wish
from gatelab.graph.cell import Cell
from gatelab.graph.node import Node
from gatelab.graph.op import Op

SIGNS = {Op.MUL: " ⊙ ", Op.ADD: " + ", Op.SUB: " − "}
WHEN = {-1: "₋", 0: "", 1: "₊"}


def describe(cell: Cell, columns: int = 80) -> list[str]:
    """Return the plan of a training step of ``cell``, forward and backward, line by line.

    h₋ is h of the step before, δh₊ is δh of the step after; δ is the derivative by a sum of products, ∂ by
    anything else. ``kept`` outlives the forward pass, ``step`` one step, ``carry`` goes to the step before.

    Parameters
    ----------
    columns
        The longest line, in characters.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.engine.describe import describe
    >>> print("\\n".join(describe(gatelab.cells.get("tanh"))[:5]))
    forward
      each step
        phase 1, width H
          sum      W_h x + U_h h₋ + b_h
          program  TANH
    """
    weights = frozenset(p.name for p in cell.parameters)
    lines: list[str] = []
    for title, backwards in (("forward", False), ("backward", True)):
        wish = (
            Wish(cell, training=True, given=(0,), weights=weights) if backwards else Wish(cell, training=True)
        )
        lines += [title, *_Describer(program_of(wish, backwards).planned, columns).lines()]
    return lines


class _Describer:
    def __init__(self, planned: Pass, columns: int) -> None:
        cell = planned.wish.cell
        self.planned, self.columns = planned, columns
        self.names: dict[Node, str] = {node: name for name, node in cell.names.items()}
        self.names.update({r: s.name for s, r in zip(cell.states, cell.results, strict=True) if r.sources})
        self.values: dict[Place, str] = {}
        firsts = {left: name for name, left, _ in reversed(planned.outers)}
        gates = {left: name.split("_", 1)[-1] for left, name in firsts.items()}
        several = Counter(gates.values())
        for left, name in firsts.items():
            self.values[left] = "δ" + (gates[left] if several[gates[left]] == 1 else name)
        for phase in planned.phases:
            for node, place in phase.stores:
                if not place.name.startswith("carry "):  # read before it is written anew
                    self.values.setdefault(place, self._name(node, place))

    def lines(self) -> list[str]:
        parts: list[tuple[str, Iterable[Phase]]] = [
            ("before the loop, for all rows", self.planned.before),
            (
                "each step, from the last to the first" if self.planned.backwards else "each step",
                self.planned.loop,
            ),
            ("behind the first step", self.planned.closing),
            ("after the loop, for all rows", self.planned.after),
        ]
        found: list[str] = []
        for title, phases in parts:
            phases = list(phases)
            if phases:
                found.append(f"  {title}")
            for number, phase in enumerate(phases, 1):
                found += self._phase(number, phase)
        if self.planned.outers:
            found.append("  after the loop, sums over all rows")
            for name, left, right in self.planned.outers:
                found.append(f"    ∂{name} = Σ {self._place(Reading(left))} × {self._factor(right)}")
            found += [
                f"    ∂{name} = Σ {self._place(Reading(left))}" for name, left in self.planned.column_sums
            ]
        return found

    def _phase(self, number: int, phase: Phase) -> list[str]:
        steps = listing(phase, self.planned.fixed)
        found = [f"    phase {number}, width {phase.width}"]
        for target in phase.targets.values():
            found += self._row("sum", self._sum(phase, target), " + ")
        codes = [s.code.name for s in steps if s.code not in (Code.LOAD, Code.STORE)]
        found += self._row("program", codes or ["-"], " ")
        reads = dict.fromkeys(self._reading(r) for r in phase.loads.values())
        reads.update(dict.fromkeys(self._reading(a) for e in phase.entries.values() for a in e.addends))
        found += self._row("reads", list(reads), ", ")
        writes = [self._written(node, place) for node, place in phase.stores]
        writes += [f"Σ over units → {place.name}" for _, place in phase.row_sums]
        found += self._row("writes", writes, ", ")
        return found + self._row("adds up", ["∂" + name for name, _ in phase.sums], ", ")

    def _row(self, title: str, items: Sequence[str], between: str) -> list[str]:
        """Return items in as many lines as they need."""
        lines: list[str] = []
        for item in items:
            if lines and len(lines[-1] + between + item + between.rstrip()) <= self.columns:
                lines[-1] += between + item
            else:
                lines[-1:] = [lines[-1] + between.rstrip()] if lines else []
                lines.append(f"      {title if not lines else '':<9}{item}")
        return lines

    def _sum(self, phase: Phase, target: Target) -> list[str]:
        parts = []
        for product in target.products:
            matrix = product.matrix.name + ("ᵀ" if product.transposed else "")
            parts.append(f"{matrix} {self._factor(product.vector)}")
        parts += [target.bias.name or "a fixed value"] if target.bias is not None else []
        parts += ["what was computed before the loop"] if target.addend is not None else []
        name = self._name(target.node, dict(phase.stores).get(target.node))
        return parts if name == "·" else [f"{name} ← {parts[0]}", *parts[1:]]

    def _name(self, node: Node, place: Place | None = None) -> str:
        if node in self.names:
            return self.names[node]
        if node.op is Op.COTANGENT:
            return f"∂{node.name}"
        if node.name:
            return node.name + (WHEN[-1] if node.op is Op.STATE else "")
        names = [self._name(s) for s in node.sources] if node.op in SIGNS else ["·"]
        if "·" not in names:
            return SIGNS[node.op].join(names)
        return "·" if place is None else place.name

    def _written(self, node: Node, place: Place) -> str:
        memory = self.planned.shares.get(place)
        name = self.values.get(place, place.name)
        where = f" in the memory of {self._kept_name(memory)}" if memory is not None else ""
        kept = place.name.startswith(("left", "state")) or name == place.name
        return (name if kept else f"{name} → {place.name}") + where

    def _kept_name(self, place: Place) -> str:
        return self._place(Reading(place))

    def _reading(self, reading: Reading) -> str:
        name = self._place(reading)
        return (f"({name})" if reading.shift and " " in name else name) + WHEN[reading.shift]

    def _factor(self, reading: Reading) -> str:
        name = self._reading(reading)
        return f"({name})" if " " in name else name

    def _place(self, reading: Reading) -> str:
        place = reading.place
        if place.name == "input":
            return "x"
        if place.name.startswith(("state ", "mask ")):
            return place.name.split(" ", 1)[1]
        return self.values.get(place, self._forward(place))

    def _forward(self, place: Place) -> str:
        """Return the name of what the forward pass keeps there."""
        from gatelab.engine.split import kept, kept_place

        known: Mapping[Place, Node] = {
            kept_place(n, k): n for k, n in enumerate(kept(self.planned.wish.cell))
        }
        return self._name(known[place], place) if place in known else place.name
