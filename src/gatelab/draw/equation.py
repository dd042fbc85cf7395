"""A cell's equations, printed from its graph as text, LaTeX or MathML; and the table of its weights.

One walk over the graph, a table *operation → rule*, and a notation that knows the signs. Where the graph
spells out a mean or a layer normalisation, its name is printed instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from gatelab.draw import formula as form
from gatelab.draw.formula import ATOM, BIAS, DIAGONAL, FROM_INPUT, FROM_STATE, OTHER, Formula, within
from gatelab.draw.naming import find_patterns, mask_symbols, titles, visible
from gatelab.draw.notation import NOTATIONS, Notation, Symbol
from gatelab.draw.weights import WeightRow, weights
from gatelab.graph.cell import Cell
from gatelab.graph.fold import depends_on, fold
from gatelab.graph.node import Node
from gatelab.graph.op import Op

__all__ = ["RULES", "WeightRow", "equations", "weights"]

LONG = 6  # signs; a longer expression that is used twice gets a line of its own
LONGEST = 120  # signs; a still longer one gets a line in any case


def equations(cell: Cell, notation: Notation = "text") -> list[str]:
    """Return the cell's equations, a line for each named value and new state, in order of computation.

    A state before the step is h₋ (h_{t-1} in LaTeX and MathML); ``candidate`` is h̃; a local name that a
    state bears too, without being its new value, gets a prime. Last come notes on what was drawn by
    chance, normalised or repeated.

    Examples
    --------
    >>> from gatelab.cells import get
    >>> from gatelab.draw.equation import equations
    >>> print("\\n".join(equations(get("cifg"))))
    i = σ(W_i x + U_i h₋ + V_i ⊙ c₋ + b_i)
    f = 1 − i
    g = tanh(W_c x + U_c h₋ + b_c)
    c = f ⊙ c₋ + i ⊙ g
    o = σ(W_o x + U_o h₋ + V_o ⊙ c + b_o)
    h = o ⊙ tanh(c)
    >>> equations(get("tanh"), "latex")
    ['h_t = \\\\tanh(W_h x_t + U_h h_{t-1} + b_h)']
    """
    page = Page(cell, notation)
    roots = [*cell.names.values(), *cell.results]
    formulas = fold(roots, {op: partial(page.visit, rule) for op, rule in RULES.items()})
    for state, result in zip(cell.states, cell.results, strict=True):
        if page.titles.get(result) != Symbol(state.name, "now"):
            page.add(Symbol(state.name, "now"), formulas[result])
    return [*page.lines, *page.notes()]


class Page:
    """The lines printed so far, and what the cell's values are called."""

    def __init__(self, cell: Cell, notation: Notation) -> None:
        self.cell, self.write = cell, NOTATIONS[notation]
        self.titles, self.masks = titles(cell), mask_symbols(cell)
        self.patterns = find_patterns(cell)
        self.visible = visible(cell, self.patterns)
        self.uses = Counter(s for n in self.visible for s in n.sources)
        self.uses.update(n.sources[0] for n in self.visible if n.op is Op.MIX)  # printed as z and as 1 − z
        self.seen: dict[Node, Formula] = {}
        self.lines: list[str] = []
        self.spare = 0

    def visit(self, rule: Callable[..., Formula], node: Node, *sources: Formula) -> Formula:
        """Print a node by its pattern or its rule; where it has a name, or is long, on a line of its own."""
        if node in self.patterns:
            function, inner = self.patterns[node]
            values = [self.seen[v] for v in inner]
            formula = form.called(self.write, function, values, values[0].rank)
            formula = replace(formula, scalar=node.width in (None, "1"))
        else:
            formula = rule(self, node, *sources)
        symbol = self.titles.get(node)
        if symbol is None and node in self.visible and self._deserves_a_line(node, formula):
            symbol = self._spare_symbol()
        if symbol is not None:
            self.add(symbol, formula)
            formula = self.leaf(symbol, OTHER if depends_on(node, Op.STATE) else FROM_INPUT)
            formula = replace(formula, scalar=node.width in (None, "1"))
        self.seen[node] = formula
        return formula

    def _spare_symbol(self) -> Symbol:
        self.spare += 1
        while f"s_{self.spare}" in self.cell.names:
            self.spare += 1
        return Symbol(f"s_{self.spare}", "now")

    def _deserves_a_line(self, node: Node, formula: Formula) -> bool:
        return formula.size > LONGEST or (formula.size > LONG and self.uses[node] > 1)

    def add(self, symbol: Symbol, formula: Formula) -> None:
        """Print one line."""
        self.lines.append(self.write.line % (self.write.symbol(symbol), formula.text))

    def leaf(self, symbol: Symbol, rank: int = OTHER) -> Formula:
        """Return a symbol as a formula."""
        return Formula(self.write.symbol(symbol), ATOM, rank)

    def notes(self) -> list[str]:
        """Return what the signs mean that not every paper has."""
        return [*self._drawn(), *self._normalised(), *self._repeated()]

    def _note(self, mathematics: str, words: str) -> str:
        return self.write.note % (mathematics, self.write.words(words))

    def _drawn(self) -> list[str]:
        lines = []
        for node in self.cell.masks:
            mask, write = node.mask, self.write
            kept = 1 - mask.rate if mask.kind == "dropout" else mask.rate
            law = form.called(write, "Bernoulli", [form.number(write, kept)])
            if mask.kind == "dropout":
                law = form.fraction(write, law, form.number(write, kept))
            symbol = write.symbol(self.masks[node])
            words = f", drawn once a {mask.each}; {mask.expectation:g} outside training"
            lines.append(self._note(write.between % (symbol, write.drawn, law.text), words))
        return lines

    def _normalised(self) -> list[str]:
        if not any(function == "LN" for function, _ in self.patterns.values()):
            return []
        mathematics = self.write.call("LN", [self.write.symbol(Symbol("v"))])
        return [self._note(mathematics, ": v brought to mean 0 and variance 1 over its units")]

    def _repeated(self) -> list[str]:
        if not any(n.op is Op.SPREAD and n.sources[0].width == "K" for n in self.visible):
            return []
        mathematics = self.write.repeated % self.write.symbol(Symbol("v"))
        units = "unit" if self.cell.block == 1 else f"{self.cell.block} units"
        return [self._note(mathematics, f": each value repeated for the {units} of its memory block")]


def _parameter(page: Page, node: Node) -> Formula:
    rank = {"bias": BIAS, "peephole": DIAGONAL}.get(node.weight.role, OTHER)
    return page.leaf(Symbol(node.name), rank)


def _mask(page: Page, node: Node) -> Formula:
    return page.leaf(page.masks[node]) if node in page.masks else page.leaf(Symbol(node.name))


def _matmul(page: Page, node: Node, matrix: Formula, value: Formula) -> Formula:
    rank = FROM_INPUT if node.sources[0].weight.role == "input" else FROM_STATE
    return form.applied(page.write, matrix.text, value, rank)


def _matmul_transposed(page: Page, node: Node, matrix: Formula, value: Formula) -> Formula:
    return form.applied(page.write, page.write.transposed % matrix.text, value, OTHER)


def _outer(page: Page, node: Node, left: Formula, right: Formula) -> Formula:
    row = Formula(page.write.transposed % within(page.write, right, ATOM), size=right.size + 1)
    return form.applied(page.write, within(page.write, left, ATOM), row, OTHER)


def _add(page: Page, node: Node, left: Formula, right: Formula) -> Formula:
    return form.total(page.write, [*left.signed, *right.signed])


def _negative(page: Page, node: Node, value: Formula) -> Formula:
    negative, body = value.sign
    return form.total(page.write, [(not negative, body)])


def _mix(page: Page, node: Node, gate: Formula, new: Formula, old: Formula) -> Formula:
    rest = form.difference(page.write, form.number(page.write, 1), gate)
    if node.sources[0].op is Op.CONST:
        rest = form.number(page.write, 1 - node.sources[0].value)
    terms = [*form.product(page.write, gate, new).signed, *form.product(page.write, rest, old).signed]
    return form.total(page.write, terms)


def _root(page: Page, node: Node, value: Formula) -> Formula:
    return Formula(page.write.root % value.text, ATOM, OTHER, value.scalar, size=value.size + 1)


def _spread(page: Page, node: Node, value: Formula) -> Formula:
    if node.sources[0].width != "K":
        return value
    return Formula(page.write.repeated % value.text, ATOM, size=value.size + 1)


def _sum(page: Page, node: Node, value: Formula) -> Formula:
    formula = form.called(page.write, "sum" if node.width == "1" else "block_sum", [value])
    return replace(formula, scalar=node.width == "1")


def _function(name: str) -> Callable[..., Formula]:
    return lambda page, node, *values: form.called(page.write, name, values)


def _of_two(join: Callable[..., Formula]) -> Callable[..., Formula]:
    return lambda page, node, left, right: join(page.write, left, right)


RULES: Mapping[Op, Callable[..., Formula]] = {
    Op.INPUT: lambda page, node: page.leaf(Symbol(node.name, "now"), FROM_INPUT),
    Op.STATE: lambda page, node: replace(page.leaf(Symbol(node.name, "before")), scalar=node.width == "1"),
    Op.PARAM: _parameter,
    Op.CONST: lambda page, node: form.number(page.write, node.value),
    Op.SIZE: lambda page, node: replace(page.leaf(Symbol(str(node.attribute))), scalar=True),
    Op.MASK: _mask,
    Op.COTANGENT: lambda page, node: Formula(
        page.write.gradient % page.write.symbol(Symbol(node.name, "now"))
    ),
    Op.MATMUL: _matmul,
    Op.MATMUL_T: _matmul_transposed,
    Op.OUTER: _outer,
    Op.ADD: _add,
    Op.SUB: _of_two(form.difference),
    Op.MUL: _of_two(form.product),
    Op.DIV: _of_two(form.fraction),
    Op.NEG: _negative,
    Op.MAXIMUM: _function("max"),
    Op.MIX: _mix,
    Op.SIGMOID: _function("sigma"),
    Op.TANH: _function("tanh"),
    Op.RELU: _function("relu"),
    Op.EXP: _function("exp"),
    Op.LOG: _function("log"),
    Op.SQRT: _root,
    Op.STEP: _function("step"),
    Op.SPREAD: _spread,
    Op.SUM: _sum,
}
