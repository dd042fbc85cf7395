"""gatelab bench from outside: what it prints, what it writes, how it ends."""

import json
import sys

import pytest

from gatelab.cli.main import run as run_in_this_process


def gatelab(monkeypatch, capsys, *arguments):
    """Return the exit code, and what was printed."""
    monkeypatch.setattr(sys, "argv", ["gatelab", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        run_in_this_process()
    said = capsys.readouterr()
    return ended.value.code, said.out + said.err


def test_bench_prints_and_writes_and_shows_and_draws(monkeypatch, capsys, tmp_path):
    path = tmp_path / "result.json"
    asked = ["--workload", "tiny", "--cell", "gru", "--peer", "gatelab,nn", "--repeat", 1, "--output", path]
    code, said = gatelab(monkeypatch, capsys, "bench", *asked)
    assert code == 0, said
    for words in (
        "tiny, 1 thread(s), gru: nn",
        "T=7 × B=3 × I=4 → H=6",
        "Gflop/s",
        "gru-after for gru",
        "×)",
    ):
        assert words in said
    assert len(json.loads(path.read_text())["rows"]) == 2
    code, again = gatelab(monkeypatch, capsys, "bench", "show", path, "--fastest")
    assert code == 0
    assert "fastest" in again
    code, said = gatelab(monkeypatch, capsys, "bench", "figure", path, "--output", tmp_path / "a.svg")
    assert (code, said) == (0, f"figure: {tmp_path / 'a.svg'}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--workload", "W9"], "known are W1"),
        (["--peer", "jaxx"], "did you mean jax"),
        (["--cell", "grru"], "did you mean gru"),
        (["--threads", "0"], "--threads: wanted 1 to"),
        (["--threads", "two"], "whole numbers"),
        (["show", "none.json"], "No such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(monkeypatch, capsys, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, message = gatelab(monkeypatch, capsys, "bench", *arguments)
    assert code == 2
    assert said in message
    assert len(message.strip().split("\n")) == 1
