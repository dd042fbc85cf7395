"""How mathematics is written: as terminal text, as LaTeX, as MathML.

A notation knows signs and brackets and nothing of cells; :mod:`gatelab.draw.equation` knows cells and no
signs. Every method takes and returns finished pieces of text.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

When = Literal["now", "before", "always"]

GREEK = dict(zip(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho tau phi chi psi omega".split(),
    "αβγδεζηθκλμνξρτφχψω",
    strict=True,
))  # fmt: skip


@dataclass(frozen=True)
class Symbol:
    """A letter or word with its marks: ``h̃``, ``c′``, ``U_i_f``.

    ``name`` may hold subscripts after ``_``; ``when`` tells a value of this step or of the one before
    from a weight, which has no time.
    """

    name: str
    when: When = "always"
    mark: Literal["", "tilde", "prime"] = ""

    @property
    def parts(self) -> tuple[str, list[str]]:
        """The base and the subscripts, without what a terminal or a page could trip over."""
        printable = "".join(c if c.isprintable() else "·" for c in self.name)
        base, *rest = [p for p in printable.split("_") if p] or [printable]
        return base, rest


class Text:
    """Unicode for a terminal: ``z = σ(W_z x + U_z h₋ + b_z)``."""

    names = {"relu": "ReLU", "sigma": "σ", "sum": "Σ", "block_sum": "Σ_block"}
    times, dot, space, minus, plus, tilde = " ⊙ ", " · ", " ", "−", "+", "~"

    def symbol(self, symbol: Symbol) -> str:
        name = "".join(c if c.isprintable() else "·" for c in symbol.name)
        mark = {"": "", "tilde": "\u0303", "prime": "′"}[symbol.mark]
        return name + mark + ("₋" if symbol.when == "before" else "")

    def number(self, digits: str, exponent: str) -> str:
        return digits + (f"e{exponent}" if exponent else "")

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return f"{self.names.get(function, function)}({', '.join(arguments)})"

    def brackets(self, inner: str) -> str:
        return f"({inner})"

    def repeated(self, inner: str) -> str:
        return f"⟨{inner}⟩"

    def fraction(self, above: str, below: str) -> str:
        return f"{above} / {below}"

    fraction_needs_brackets = True

    def root(self, inner: str) -> str:
        return f"√({inner})"

    def transposed(self, matrix: str) -> str:
        return f"{matrix}ᵀ"

    def gradient(self, state: str) -> str:
        return f"∂L/∂{state}"

    def between(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def negated(self, inner: str) -> str:
        return f"−{inner}"

    def line(self, left: str, right: str) -> str:
        return f"{left} = {right}"

    def note(self, mathematics: str, words: str) -> str:
        return f"{mathematics}{words}"


class Latex(Text):
    r"""LaTeX with ``amsmath``: ``z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)``."""

    names = {
        "sigma": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "max": r"\max", "min": r"\min",
        "relu": r"\operatorname{ReLU}", "sum": r"\textstyle\sum", "block_sum": r"\textstyle\sum_{\mathrm{block}}",
    }  # fmt: skip
    times, dot, space, minus, plus, tilde = r" \odot ", r" \cdot ", r" \, ", "-", "+", r"\sim"

    def symbol(self, symbol: Symbol) -> str:
        base, subscripts = symbol.parts
        text = self._word(base)
        if symbol.mark == "tilde":
            text = rf"\tilde{{{text}}}"
        time = {"now": ["t"], "before": ["t-1"], "always": []}[symbol.when]
        below = ",".join([*(self._word(s) for s in subscripts), *time])
        return text + ("'" if symbol.mark == "prime" else "") + self._subscript(below)

    def _subscript(self, below: str) -> str:
        return "" if not below else f"_{below}" if len(below) == 1 else f"_{{{below}}}"

    def _word(self, word: str) -> str:
        if len(word) == 1 and (word.isascii() and word.isalnum()) or word.isascii() and word.isdigit():
            return word
        return f"\\{word}" if word in GREEK else rf"\mathrm{{{_latex(word)}}}"

    def number(self, digits: str, exponent: str) -> str:
        return digits + (rf" \cdot 10^{{{exponent}}}" if exponent else "")

    def call(self, function: str, arguments: Sequence[str]) -> str:
        return f"{self.names.get(function, rf'\operatorname{{{function}}}')}({', '.join(arguments)})"

    def repeated(self, inner: str) -> str:
        return rf"\langle {inner} \rangle"

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    fraction_needs_brackets = False

    def root(self, inner: str) -> str:
        return rf"\sqrt{{{inner}}}"

    def transposed(self, matrix: str) -> str:
        return rf"{matrix}^{{\top}}"

    def gradient(self, state: str) -> str:
        return rf"\frac{{\partial L}}{{\partial {state}}}"

    def negated(self, inner: str) -> str:
        return f"-{inner}"

    def note(self, mathematics: str, words: str) -> str:
        return rf"{mathematics} \text{{{_latex(words)}}}"


class MathML(Text):
    """MathML Core, which browsers draw without help."""

    names = {"sigma": "σ", "relu": "ReLU", "sum": "Σ", "block_sum": "Σ"}
    times, dot, space = "<mo>⊙</mo>", "<mo>⋅</mo>", '<mspace width="0.17em"></mspace>'
    minus, plus, tilde = "−", "+", "∼"
    fraction_needs_brackets = False

    def symbol(self, symbol: Symbol) -> str:
        base, subscripts = symbol.parts
        text = _identifier(base)
        if symbol.mark == "tilde":
            text = f'<mover accent="true">{text}<mo stretchy="false">~</mo></mover>'
        time = {"now": "<mi>t</mi>", "before": "<mi>t</mi><mo>−</mo><mn>1</mn>", "always": ""}[symbol.when]
        below = "<mo>,</mo>".join([*(_identifier(s) for s in subscripts), *([time] if time else [])])
        above = "<mo>′</mo>" if symbol.mark == "prime" else ""
        if above and below:
            return f"<msubsup>{text}<mrow>{below}</mrow>{above}</msubsup>"
        if above:
            return f"<msup>{text}{above}</msup>"
        return f"<msub>{text}<mrow>{below}</mrow></msub>" if below else text

    def number(self, digits: str, exponent: str) -> str:
        power = f"<mo>⋅</mo><msup><mn>10</mn><mn>{exponent.replace('-', '−')}</mn></msup>" if exponent else ""
        return f"<mn>{digits}</mn>{power}"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        name = _identifier(self.names.get(function, function))
        return f"<mrow>{name}<mo>\u2061</mo>{self.brackets('<mo>,</mo>'.join(arguments))}</mrow>"

    def brackets(self, inner: str) -> str:
        return f'<mrow><mo stretchy="false">(</mo>{inner}<mo stretchy="false">)</mo></mrow>'

    def repeated(self, inner: str) -> str:
        return f'<mrow><mo stretchy="false">⟨</mo>{inner}<mo stretchy="false">⟩</mo></mrow>'

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def root(self, inner: str) -> str:
        return f"<msqrt>{inner}</msqrt>"

    def transposed(self, matrix: str) -> str:
        return f"<msup>{matrix}<mo>⊤</mo></msup>"

    def gradient(self, state: str) -> str:
        return f"<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>{state}</mrow></mfrac>"

    def between(self, left: str, sign: str, right: str) -> str:
        return f"{left}<mo>{sign}</mo>{right}"

    def negated(self, inner: str) -> str:
        return f'<mo form="prefix">−</mo>{inner}'

    def line(self, left: str, right: str) -> str:
        return f"{_MATH}{left}<mo>=</mo>{right}</math>"

    def note(self, mathematics: str, words: str) -> str:
        return f"{_MATH}{mathematics}<mtext>{html.escape(words)}</mtext></math>"


_MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def _identifier(word: str) -> str:
    return f"<mn>{word}</mn>" if word.isascii() and word.isdigit() else f"<mi>{html.escape(GREEK.get(word, word))}</mi>"


Notation = Literal["text", "latex", "mathml"]
NOTATIONS: dict[str, Text] = {"text": Text(), "latex": Latex(), "mathml": MathML()}
