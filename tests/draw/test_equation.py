import xml.etree.ElementTree as ElementTree

import pytest

from gatelab.cells import CATALOGUE, get
from gatelab.draw.equation import RULES, Page, equations, weights
from gatelab.graph import Op, cell, fold, make
from gatelab.graph.data import from_data, to_data
from gatelab.graph.language import (
    exp,
    layer_norm,
    linear,
    log,
    maximum,
    mean,
    minimum,
    mix,
    relu,
    sigmoid,
    sqrt,
    tanh,
)
from gatelab.graph.language import step as where_positive
from gatelab.passes.adjoint import adjoint

WRAPPED = [
    "lstm+layer-norm+zoneout=0.1", "gru+recurrent-dropout=0.25", "lstm-blocks+blocks=4", "mut1+layer-norm",
    "lstm-blocks+layer-norm+recurrent-dropout+zoneout",
]  # fmt: skip

TEXT = {
    "lstm": """
        i = σ(W_i x + U_i h₋ + V_i ⊙ c₋ + b_i)
        f = σ(W_f x + U_f h₋ + V_f ⊙ c₋ + b_f)
        g = tanh(W_c x + U_c h₋ + b_c)
        c = f ⊙ c₋ + i ⊙ g
        o = σ(W_o x + U_o h₋ + V_o ⊙ c + b_o)
        h = o ⊙ tanh(c)""",
    "gru": """
        z = σ(W_z x + U_z h₋ + b_z)
        r = σ(W_r x + U_r h₋ + b_r)
        h̃ = tanh(W_h x + U_h (r ⊙ h₋) + b_h)
        h = z ⊙ h̃ + (1 − z) ⊙ h₋""",
    "cifg": """
        i = σ(W_i x + U_i h₋ + V_i ⊙ c₋ + b_i)
        f = 1 − i
        g = tanh(W_c x + U_c h₋ + b_c)
        c = f ⊙ c₋ + i ⊙ g
        o = σ(W_o x + U_o h₋ + V_o ⊙ c + b_o)
        h = o ⊙ tanh(c)""",
    "fgr": """
        i = σ(W_i x + U_i h₋ + U_i_i i₋ + U_i_f f₋ + U_i_o o₋ + V_i ⊙ c₋ + b_i)
        f = σ(W_f x + U_f h₋ + U_f_i i₋ + U_f_f f₋ + U_f_o o₋ + V_f ⊙ c₋ + b_f)
        g = tanh(W_c x + U_c h₋ + b_c)
        c = f ⊙ c₋ + i ⊙ g
        o = σ(W_o x + U_o h₋ + U_o_i i₋ + U_o_f f₋ + U_o_o o₋ + V_o ⊙ c + b_o)
        h = o ⊙ tanh(c)""",
    "mut1": """
        e = W_e x
        z = σ(W_z e + b_z)
        r = σ(W_r e + U_r h₋ + b_r)
        h̃ = tanh(U_h (r ⊙ h₋) + tanh(e) + b_h)
        h = z ⊙ h̃ + (1 − z) ⊙ h₋""",
    "lstm-blocks": """
        i = σ(W_i x + U_i h₋ + b_i)
        f = σ(W_f x + U_f h₋ + b_f)
        g = tanh(W_c x + U_c h₋ + b_c)
        o = σ(W_o x + U_o h₋ + b_o)
        c = ⟨f⟩ ⊙ c₋ + ⟨i⟩ ⊙ g
        h = ⟨o⟩ ⊙ tanh(c)
        ⟨v⟩: each value repeated for the 2 units of its memory block""",
    "gru+recurrent-dropout=0.25": """
        z = σ(W_z x + U_z (m ⊙ h₋) + b_z)
        r = σ(W_r x + U_r (m ⊙ h₋) + b_r)
        h̃ = tanh(W_h x + U_h (m ⊙ r ⊙ h₋) + b_h)
        h = z ⊙ h̃ + (1 − z) ⊙ h₋
        m ~ Bernoulli(0.75) / 0.75, drawn once a sequence; 1 outside training""",
    "tanh+layer-norm+zoneout=0.1": """
        h = m ⊙ h₋ + (1 − m) ⊙ tanh(G_W_h ⊙ LN(W_h x) + G_U_h ⊙ LN(U_h h₋) + b_h)
        m ~ Bernoulli(0.1), drawn once a step; 0.1 outside training
        LN(v): v brought to mean 0 and variance 1 over its units""",
}

LATEX = {
    "lstm": r"""
        i_t = \sigma(W_i x_t + U_i h_{t-1} + V_i \odot c_{t-1} + b_i)
        f_t = \sigma(W_f x_t + U_f h_{t-1} + V_f \odot c_{t-1} + b_f)
        g_t = \tanh(W_c x_t + U_c h_{t-1} + b_c)
        c_t = f_t \odot c_{t-1} + i_t \odot g_t
        o_t = \sigma(W_o x_t + U_o h_{t-1} + V_o \odot c_t + b_o)
        h_t = o_t \odot \tanh(c_t)""",
    "gru": r"""
        z_t = \sigma(W_z x_t + U_z h_{t-1} + b_z)
        r_t = \sigma(W_r x_t + U_r h_{t-1} + b_r)
        \tilde{h}_t = \tanh(W_h x_t + U_h (r_t \odot h_{t-1}) + b_h)
        h_t = z_t \odot \tilde{h}_t + (1 - z_t) \odot h_{t-1}""",
    "mut1": r"""
        e_t = W_e x_t
        z_t = \sigma(W_z e_t + b_z)
        r_t = \sigma(W_r e_t + U_r h_{t-1} + b_r)
        \tilde{h}_t = \tanh(U_h (r_t \odot h_{t-1}) + \tanh(e_t) + b_h)
        h_t = z_t \odot \tilde{h}_t + (1 - z_t) \odot h_{t-1}""",
    "lstm-blocks": r"""
        i_t = \sigma(W_i x_t + U_i h_{t-1} + b_i)
        f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f)
        g_t = \tanh(W_c x_t + U_c h_{t-1} + b_c)
        o_t = \sigma(W_o x_t + U_o h_{t-1} + b_o)
        c_t = \langle f_t \rangle \odot c_{t-1} + \langle i_t \rangle \odot g_t
        h_t = \langle o_t \rangle \odot \tanh(c_t)
        \langle v \rangle \text{: each value repeated for the 2 units of its memory block}""",
    "tanh+zoneout=0.1": r"""
        h_t = m_t \odot h_{t-1} + (1 - m_t) \odot \tanh(W_h x_t + U_h h_{t-1} + b_h)
        m_t \sim \operatorname{Bernoulli}(0.1) \text{, drawn once a step; 0.1 outside training}""",
}


def lines(text):
    return [line.strip() for line in text.strip().splitlines()]


def test_every_operation_has_its_notation():
    assert set(RULES) == set(Op)


# The order of independent lines follows the graph's, so these are compared as sets; the last is the output.
@pytest.mark.parametrize("name", TEXT)
def test_text(name):
    assert sorted(equations(get(name))) == sorted(lines(TEXT[name]))


@pytest.mark.parametrize("name", LATEX)
def test_latex(name):
    assert sorted(equations(get(name), "latex")) == sorted(lines(LATEX[name]))


@pytest.mark.parametrize("name", [*CATALOGUE, *WRAPPED])
def test_a_line_comes_after_those_it_reads(name):
    printed = [line.split(" = ") for line in equations(get(name)) if " = " in line]
    titles = [title for title, _ in printed]
    assert len(set(titles)) == len(titles)
    words = str.maketrans(dict.fromkeys("()⟨⟩", " "))
    for k, (_, formula) in enumerate(printed):
        assert not set(formula.translate(words).split()) & set(titles[k:])


@pytest.mark.parametrize("name", [*CATALOGUE, *WRAPPED])
def test_mathml_is_well_formed_and_closed_under_brackets(name):
    for line in equations(get(name), "mathml"):
        tree = ElementTree.fromstring(line)
        assert tree.tag.endswith("math")
        text = "".join(tree.itertext())
        assert text.count("(") == text.count(")")
        for part in tree.iter():
            wanted = {"msub": 2, "msup": 2, "mover": 2, "mfrac": 2, "msubsup": 3}
            assert len(part) == wanted.get(part.tag.split("}")[1], len(part))


def printed(function, notation="text", **options):
    return equations(cell(function, **options) if not options else cell(**options)(function), notation)


def test_signs_and_brackets():
    def signs(x, h):
        a = linear(x, name="a")
        return -(a - 2) * (-3.5) + (h - (a + h)) - (-h) + h / (a * a) - -(a + h) * 0.5e-7

    assert printed(signs) == [
        "a = W_a x + b_a",
        "h = 3.5 · (a − 2) + h₋ − (a + h₋) + h₋ + h₋ / (a ⊙ a) + 5e-8 · (a + h₋)",
    ]


def test_functions():
    def all_of_them(x, h):
        e = linear(x, name="e")
        a = maximum(exp(h), log(e)) - minimum(h, e)
        b = sqrt(where_positive(e)) * relu(h) + mean(h)
        return a + b * mean(e) + mix(0.25, h, e)

    assert printed(all_of_them) == [
        "e = W_e x + b_e",
        "a = max(exp(h₋), log(e)) − min(h₋, e)",
        "b = √(step(e)) ⊙ ReLU(h₋) + mean(h₋)",
        "h = a + b · mean(e) + 0.25 · h₋ + 0.75 · e",
    ]
    latex = printed(all_of_them, "latex")
    assert latex[1] == r"a_t = \max(\exp(h_{t-1}), \log(e_t)) - \min(h_{t-1}, e_t)"
    assert latex[2].startswith(r"b_t = \sqrt{\operatorname{step}(e_t)} \odot \operatorname{ReLU}(h_{t-1})")


def test_a_name_that_is_a_states_but_not_its_new_value_gets_a_prime():
    def leaky(x, h, c):
        c = tanh(linear(x, h, name="c"))
        return c * h, sigmoid(c)

    assert printed(leaky) == ["c′ = tanh(W_c x + U_c h₋ + b_c)", "h = c′ ⊙ h₋", "c = σ(c′)"]


def test_a_state_that_is_kept_or_shared():
    def lazy(x, h, c, d):
        new = tanh(linear(x, h, name="h"))
        return new, new, d

    assert printed(lazy) == ["h = tanh(W_h x + U_h h₋ + b_h)", "c = h", "d = d₋"]


def test_names_with_subscripts_and_greek_letters():
    def spelled(x, h_fast):
        alpha = sigmoid(linear(x, name="alpha"))
        return alpha * h_fast

    assert printed(spelled)[-1] == "h_fast = alpha ⊙ h_fast₋"
    assert printed(spelled, "latex") == [
        r"\alpha_t = \sigma(W_{\alpha} x_t + b_{\alpha})",
        r"h_{\mathrm{fast},t} = \alpha_t \odot h_{\mathrm{fast},t-1}",
    ]


def test_a_long_value_used_twice_gets_a_line():
    def nameless(x, h):
        return mix(sigmoid(linear(x, h, name="z")), tanh(linear(x, name="h")), h)

    assert printed(nameless) == [
        "s_1 = σ(W_z x + U_z h₋ + b_z)",
        "h = s_1 ⊙ tanh(W_h x + b_h) + (1 − s_1) ⊙ h₋",
    ]


def test_a_graph_that_would_be_exponentially_long_is_not():
    def doubled(x, h):
        for _ in range(60):
            h = h * h + h
        return h

    assert len("".join(printed(doubled))) < 10_000


def test_layer_norm_without_its_pattern_is_spelled_out():
    def own(x, h):
        a = linear(x, name="a")
        return layer_norm(a, name="a", epsilon=0.5) + (h - mean(h)) / sqrt(mean(h * h) + 1)

    assert printed(own)[1] == "h = G_a ⊙ LN(a) + (h₋ − mean(h₋)) / √(mean(h₋ ⊙ h₋) + 1)"


def test_derivatives_can_be_printed():
    """No cell holds these operations, but a rule that nobody calls is a rule that is wrong."""
    lstm = get("lstm-blocks")
    page = Page(lstm, "text")

    roots = adjoint(lstm).roots
    rules = {op: lambda node, *sources, rule=rule: rule(page, node, *sources) for op, rule in RULES.items()}
    u = make(Op.COTANGENT, (), "h", "H")
    matrix = next(p for p in lstm.parameters if p.name == "W_c")
    roots += [make(Op.MATMUL_T, (matrix, u)), make(Op.OUTER, (u, lstm.input)), make(Op.SUM, (u,), None, "K")]
    values = fold(roots, rules)
    assert [values[r].text for r in roots[-3:]] == ["W_cᵀ ∂L/∂h", "∂L/∂h xᵀ", "Σ_block(∂L/∂h)"]


@pytest.mark.parametrize("notation", ["text", "latex", "mathml"])
def test_hostile_names_are_harmless(notation):
    data = to_data(get("gru"))
    data["names"]["<script>alert(1)</script>\x1b[31m"] = data["names"].pop("z")
    data["names"]["\\input{a}%"] = data["names"].pop("r")
    text = "\n".join(equations(from_data(data), notation))
    assert "\x1b" not in text
    if notation == "mathml":
        assert "<script" not in text
    if notation == "latex":
        assert "\\input" not in text
        assert "\\%" in text


def test_weights():
    rows = {w.name: w for w in weights(get("lstm-blocks"))}
    assert (rows["W_i"].shape, rows["W_i"].role, rows["W_i"].start) == ("K × I", "input", "")
    assert rows["b_i"].shape == "K"
    start = {w.name: w.start for w in weights(get("irnn"))}
    assert start == {"W_h": "", "b_h": "0", "U_h": "identity"}
