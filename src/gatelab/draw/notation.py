"""How mathematics is written: as terminal text, as LaTeX, as MathML.

A notation is a table of signs and patterns and knows nothing of cells; :mod:`gatelab.draw.equation` knows
cells and no signs.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

When = Literal["now", "before", "always"]
Notation = Literal["text", "latex", "mathml"]

# σ is missing: it is the logistic function
_NAMES = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho tau phi chi psi omega"
GREEK = MappingProxyType(dict(zip(_NAMES.split(), "αβγδεζηθκλμνξρτφχψω", strict=True)))


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
    def printable(self) -> str:
        """The name without what a terminal or a page could trip over."""
        return "".join(c if c.isprintable() else "·" for c in self.name)

    @property
    def parts(self) -> tuple[str, list[str]]:
        """The base and the subscripts."""
        base, *rest = [p for p in self.printable.split("_") if p] or [self.printable]
        return base, rest


@dataclass(frozen=True)
class Signs:
    """One notation: signs, and patterns with ``%s`` where something is put in.

    ``flat`` says that a fraction is written on one line and so needs brackets.
    """

    times: str
    dot: str
    space: str
    minus: str
    plus: str
    drawn: str
    brackets: str
    repeated: str
    fraction: str
    root: str
    transposed: str
    gradient: str
    between: str
    negated: str
    line: str
    note: str
    plain_number: str
    power_of_ten: str
    applied: str
    comma: str
    functions: Mapping[str, str]
    function: Callable[[str], str]
    symbol: Callable[[Symbol], str]
    words: Callable[[str], str]
    flat: bool = False

    def number(self, value: float) -> str:
        """Return a number that is not negative."""
        digits, _, exponent = f"{value:.6g}".partition("e")
        power = self.power_of_ten % int(exponent) if exponent else ""
        return self.plain_number % digits + power

    def call(self, name: str, arguments: Sequence[str]) -> str:
        """Return a function of its arguments."""
        called = self.functions.get(name) or self.function(name)
        return self.applied % (called, self.brackets % self.comma.join(arguments))


def _text_symbol(symbol: Symbol) -> str:
    mark = {"": "", "tilde": "\u0303", "prime": "′"}[symbol.mark]
    return symbol.printable + mark + ("₋" if symbol.when == "before" else "")


_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge "}


def _latex_words(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def _latex_word(word: str) -> str:
    if word.isascii() and (word.isdigit() or (len(word) == 1 and word.isalpha())):
        return word
    return f"\\{word}" if word in GREEK else rf"\mathrm{{{_latex_words(word)}}}"


def _latex_symbol(symbol: Symbol) -> str:
    base, subscripts = symbol.parts
    text = _latex_word(base)
    if symbol.mark == "tilde":
        text = rf"\tilde{{{text}}}"
    time = {"now": ["t"], "before": ["t-1"], "always": []}[symbol.when]
    below = ",".join([*(_latex_word(s) for s in subscripts), *time])
    prime = "'" if symbol.mark == "prime" else ""
    return text + prime + (f"_{below}" if len(below) == 1 else f"_{{{below}}}" if below else "")


def _mathml_word(word: str) -> str:
    if word.isascii() and word.isdigit():
        return f"<mn>{word}</mn>"
    return f"<mi>{html.escape(GREEK.get(word, word))}</mi>"


_TIMES = {"now": ["<mi>t</mi>"], "before": ["<mi>t</mi><mo>−</mo><mn>1</mn>"], "always": []}


def _mathml_symbol(symbol: Symbol) -> str:
    base, subscripts = symbol.parts
    text = _mathml_word(base)
    if symbol.mark == "tilde":
        text = f'<mover accent="true">{text}<mo stretchy="false">~</mo></mover>'
    parts = [*(_mathml_word(s) for s in subscripts), *_TIMES[symbol.when]]
    below = f"<mrow>{'<mo>,</mo>'.join(parts)}</mrow>" if parts else ""
    above = "<mo>′</mo>" if symbol.mark == "prime" else ""
    tag = "m" + "sub" * bool(below) + "sup" * bool(above)
    return f"<{tag}>{text}{below}{above}</{tag}>" if parts or above else text


_BEGIN = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'

TEXT = Signs(
    times=" ⊙ ", dot=" · ", space=" ", minus="−", plus="+", drawn="~", brackets="(%s)", repeated="⟨%s⟩",
    fraction="%s / %s", root="√(%s)", transposed="%sᵀ", gradient="∂L/∂%s", between="%s %s %s", negated="−%s",
    line="%s = %s", note="%s%s", plain_number="%s", power_of_ten="e%s", applied="%s%s", comma=", ",
    functions={"relu": "ReLU", "sigma": "σ", "sum": "Σ", "block_sum": "Σ_block"},
    function=str, symbol=_text_symbol, words=str, flat=True,
)  # fmt: skip
"""Unicode for a terminal: ``z = σ(W_z x + U_z h₋ + b_z)``."""

LATEX = Signs(
    times=r" \odot ", dot=r" \cdot ", space=" ", minus="-", plus="+", drawn=r"\sim", brackets="(%s)",
    repeated=r"\langle %s \rangle", fraction=r"\frac{%s}{%s}", root=r"\sqrt{%s}", transposed=r"%s^{\top}",
    gradient=r"\frac{\partial L}{\partial %s}", between="%s %s %s", negated="-%s", line="%s = %s",
    note=r"%s \text{%s}", plain_number="%s", power_of_ten=r" \cdot 10^{%s}", applied="%s%s", comma=", ",
    functions={
        "sigma": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "max": r"\max", "min": r"\min",
        "relu": r"\operatorname{ReLU}", "sum": r"\textstyle\sum",
        "block_sum": r"\textstyle\sum_{\mathrm{block}}",
    },
    function=r"\operatorname{{{}}}".format, symbol=_latex_symbol, words=_latex_words,
)  # fmt: skip
r"""LaTeX with ``amsmath``: ``z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)``."""

MATHML = Signs(
    times="<mo>⊙</mo>", dot="<mo>⋅</mo>", space="<mo>\u2062</mo>", minus="−", plus="+", drawn="∼",
    brackets='<mrow><mo stretchy="false">(</mo>%s<mo stretchy="false">)</mo></mrow>',
    repeated='<mrow><mo stretchy="false">⟨</mo>%s<mo stretchy="false">⟩</mo></mrow>',
    fraction="<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>", root="<msqrt>%s</msqrt>",
    transposed="<msup><mrow>%s</mrow><mo>⊤</mo></msup>",
    gradient="<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo>%s</mrow></mfrac>",
    between="%s<mo>%s</mo>%s", negated='<mo form="prefix">−</mo>%s', line=f"{_BEGIN}%s<mo>=</mo>%s</math>",
    note=f"{_BEGIN}%s<mtext>%s</mtext></math>", plain_number="<mn>%s</mn>",
    power_of_ten="<mo>⋅</mo><msup><mn>10</mn><mn>%s</mn></msup>", applied="<mrow>%s<mo>\u2061</mo>%s</mrow>",
    comma="<mo>,</mo>",
    functions={
        "sigma": "<mi>σ</mi>", "relu": "<mi>ReLU</mi>", "sum": "<mo>∑</mo>", "block_sum": "<mo>∑</mo>",
    },
    function=_mathml_word, symbol=_mathml_symbol, words=html.escape,
)  # fmt: skip
"""MathML Core, which browsers draw without help."""

NOTATIONS: Mapping[Notation, Signs] = MappingProxyType({"text": TEXT, "latex": LATEX, "mathml": MATHML})
