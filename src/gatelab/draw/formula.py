"""Pieces of an equation, with what is needed to put them together: precedence, signs, order of terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gatelab.draw.notation import Signs

SUM, TIMES, APPLY, ATOM = range(4)
"""Precedence: a + b, a ⊙ b, W x, and what needs no brackets."""

FROM_INPUT, FROM_STATE, DIAGONAL, OTHER, BIAS = range(5)
"""Order of the terms of a sum that ends in a bias."""


@dataclass(frozen=True)
class Formula:
    """A printed expression.

    Attributes
    ----------
    text
        As its notation writes it, without outer brackets.
    level
        Precedence of its outermost operation.
    rank
        Its place in a sum.
    scalar
        Whether it is one number a sequence, so that ⊙ is too strong a sign.
    literal
        Whether it is a number written out, which goes before what it multiplies.
    size
        Number of signs in it.
    terms
        Of a sum, or of one negative term: whether negative, and what.
    """

    text: str
    level: int = ATOM
    rank: int = OTHER
    scalar: bool = False
    literal: bool = False
    size: int = 1
    terms: tuple[tuple[bool, Formula], ...] = ()

    @property
    def signed(self) -> tuple[tuple[bool, Formula], ...]:
        """The terms of a sum; of anything else, itself."""
        return self.terms or ((False, self),)

    @property
    def sign(self) -> tuple[bool, Formula]:
        """Whether one minus stands in front of all of it, and what follows."""
        return self.terms[0] if len(self.terms) == 1 else (False, self)


def within(notation: Signs, formula: Formula, level: int) -> str:
    """Return the text, in brackets where it binds less than ``level``."""
    return formula.text if formula.level >= level else notation.brackets % formula.text


def total(notation: Signs, terms: Iterable[tuple[bool, Formula]]) -> Formula:
    """Return the sum of (negative, term): biases last, W x before U h before V ⊙ c."""
    ordered = list(terms)
    if any(term.rank == BIAS for _, term in ordered):
        ordered.sort(key=lambda item: item[1].rank)
    if len(ordered) == 1 and not ordered[0][0]:
        return ordered[0][1]
    text = ""
    for negative, term in ordered:
        written = within(notation, term, TIMES)
        if text:
            text = notation.between % (text, notation.minus if negative else notation.plus, written)
        else:
            text = notation.negated % written if negative else written
    scalar, size = all(t.scalar for _, t in ordered), sum(t.size for _, t in ordered) + 1
    return Formula(text, SUM, OTHER, scalar, size=size, terms=tuple(ordered))


def difference(notation: Signs, left: Formula, right: Formula) -> Formula:
    """Return left − right; a sum on the right keeps its brackets."""
    negative, body = right.sign
    return total(notation, [*left.signed, (not negative, body)])


def product(notation: Signs, left: Formula, right: Formula) -> Formula:
    """Return the product unit by unit, a minus drawn to the front."""
    (minus_left, a), (minus_right, b) = left.sign, right.sign
    if b.literal and not a.literal:
        a, b = b, a
    sign = notation.dot if a.scalar or b.scalar else notation.times
    text = within(notation, a, TIMES) + sign + within(notation, b, TIMES)
    body = Formula(text, TIMES, min(a.rank, b.rank), a.scalar and b.scalar, size=a.size + b.size + 1)
    return total(notation, [(minus_left != minus_right, body)])


def fraction(notation: Signs, above: Formula, below: Formula) -> Formula:
    """Return above / below."""
    flat = notation.flat
    upper = within(notation, above, TIMES) if flat else above.text
    lower = within(notation, below, APPLY) if flat else below.text
    text = notation.fraction % (upper, lower)
    scalar = above.scalar and below.scalar
    return Formula(text, TIMES if flat else ATOM, OTHER, scalar, size=above.size + below.size + 1)


def applied(notation: Signs, matrix: str, value: Formula, rank: int) -> Formula:
    """Return a matrix times a value."""
    text = matrix + notation.space + within(notation, value, ATOM)
    return Formula(text, APPLY, rank, size=value.size + 2)


def called(notation: Signs, function: str, arguments: Sequence[Formula], rank: int = OTHER) -> Formula:
    """Return function(arguments)."""
    text = notation.call(function, [a.text for a in arguments])
    scalar = all(a.scalar for a in arguments)
    return Formula(text, ATOM, rank, scalar, size=sum(a.size for a in arguments) + 1)


def number(notation: Signs, value: float) -> Formula:
    """Return a number, a negative one as minus its magnitude."""
    return total(notation, [(value < 0, Formula(notation.number(abs(value)), scalar=True, literal=True))])
