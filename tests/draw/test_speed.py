import pytest

from gatelab.draw.export import save
from gatelab.draw.speed import speed
from gatelab.errors import ConfigError


def row(workload, cell, peer, ratio, threads=1):
    return {
        "workload": workload, "cell": cell, "peer": peer, "computes": cell, "threads": threads,
        "ratio": ratio, "milliseconds": 3 * ratio,
    }  # fmt: skip


ROWS = [
    row("W1", "gru", "nn", 4.0),
    row("W1", "tanh", "jax", 0.5),
    row("W2", "gru", "nn", 90.0),
    row("W2", "gru", "nn", 3.0, 2),
]


def test_the_axis_is_logarithmic_and_holds_all_ratios_and_one():
    spec = speed(ROWS).to_dict()
    line, points = spec["spec"]["layer"]
    assert line["encoding"]["x"]["datum"] == 1
    scale = points["encoding"]["x"]["scale"]
    assert scale["type"] == "log"
    low, high = scale["domain"]
    assert low < 0.5 < 90 < high
    assert points["encoding"]["x"]["axis"]["values"] == [0.5, 1, 2, 5, 10, 20, 50, 100]
    assert points["encoding"]["color"]["scale"]["domain"] == ["nn", "jax"]
    assert points["encoding"]["y"]["sort"] == ["gru", "tanh"]
    assert spec["facet"]["row"]["sort"] == ["W1", "W2"]
    (values,) = spec["datasets"].values()
    assert {r["run"] for r in values} == {"1 thread", "2 threads"}


def test_figures_are_files(tmp_path):
    save(speed(ROWS), tmp_path / "new" / "speed.svg")
    assert (tmp_path / "new" / "speed.svg").read_text().startswith("<svg")
    save(speed(ROWS), tmp_path / "speed.png", dark=True)
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"\.svg or \.png"):
        save(speed(ROWS), tmp_path / "speed.pdf")
