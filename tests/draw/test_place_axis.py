import pytest

from gatelab.draw.place_axis import place_axis, ticks, written
from gatelab.runs.space import Choice, LogUniform, OneMinusLogUniform, Uniform


@pytest.mark.parametrize(
    ("dimension", "wanted"),
    [
        (LogUniform(low=1e-6, high=1e-2), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²"]),
        (LogUniform(low=20, high=200, whole=True), ["20", "50", "100", "200"]),
        (LogUniform(low=1e3, high=3e4), ["1000", "2000", "5000", "10,000", "20,000"]),
        (OneMinusLogUniform(low=0, high=0.99), ["0", "0.5", "0.9", "0.99"]),
        (Uniform(low=0, high=1), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Uniform(low=-3, high=12), ["0", "5", "10"]),
        (Choice(values=("sgd", "adam", 3, True)), ["sgd", "adam", "3", "True"]),
    ],
)
def test_ticks_stand_where_values_lie(dimension, wanted):
    found = ticks(dimension)
    assert [text for _, text in found] == wanted
    places = [place for place, _ in found]
    assert places == sorted(places)
    assert all(0 <= p <= 1 for p in places)
    if not isinstance(dimension, Choice) and not dimension.whole:
        for place, text in found:
            if text[0] != "1":
                assert float(dimension.at(place)) == pytest.approx(
                    float(text.replace(",", "")), rel=1e-5, abs=1e-4
                )


def test_labels_are_text_whatever_stands_in_them():
    axis = place_axis("optimizer", Choice(values=("a'\"]; alert(1) //", "</script>")))["axis"]
    said = axis.to_dict()["labelExpr"]
    assert said.startswith('["a\'\\"]; alert(1) //", "</script>"][indexof([0.25, 0.75], datum.value)]')


def test_values_are_short():
    assert [written(v) for v in (0, 1.5e-7, 2_000_000, 123456, True)] == [
        "0", "1.5 · 10⁻⁷", "2 · 10⁶", "123,456", "True",
    ]  # fmt: skip
