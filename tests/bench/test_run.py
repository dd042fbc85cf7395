import json
import sys
from dataclasses import replace
from types import MappingProxyType

import pytest

from gatelab.bench import peers, record, run, worker
from gatelab.bench.process import Process
from gatelab.bench.record import Result, Row
from gatelab.bench.run import Plan, bench
from gatelab.bench.table import cells_table, number, peers_table, ratios, remarks
from gatelab.bench.workload import find
from gatelab.errors import DataError


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    told, kept = [], []
    plan = Plan(find(["tiny"]), ["gru", "tanh"], peers.find(["gatelab", "nn"]), repeat=2)
    result = bench(plan, told.append, lambda so_far: kept.append(len(so_far.rows)))
    assert told == result.rows
    assert kept == [2, 4]
    path = tmp_path_factory.mktemp("bench") / "new" / "result.json"
    record.write(path, result)
    return result, path


def test_every_row_is_verified_and_timed(measured):
    result, _ = measured
    assert [(r.cell, r.peer, r.computes) for r in result.rows] == [
        ("gru", "gatelab", "gru"),
        ("gru", "nn", "gru-after"),
        ("tanh", "gatelab", "tanh"),
        ("tanh", "nn", "tanh"),
    ]
    for row in result.rows:
        assert row.status == "timed", row.said
        assert 0 < row.far < 1e-5
        assert len(row.seconds) >= 2
        assert min(row.seconds) > 0
        assert row.first > 0
        assert row.faults >= 0
    assert result.rows[0].engine


def test_a_result_is_read_as_it_was_written(measured, tmp_path):
    result, path = measured
    assert record.read(path) == result
    row = json.loads(path.read_text())["rows"][0]
    assert row["min"] <= row["quartile1"] <= row["median"] <= row["quartile3"] <= max(row["seconds"])
    assert result.machine["versions"]["torch"]
    for content in ("", "[]", '{"format": 1}', '{"format": 9, "rows": []}', '{"format": 1, "rows": [{}]}'):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(DataError, match=r"bad\.json"):
            record.read(tmp_path / "bad.json")
    with pytest.raises(DataError, match="No such file"):
        record.read(tmp_path / "none.json")


def test_who_differs_is_not_timed(monkeypatch):
    monkeypatch.setattr(run, "LIMIT", 0.0)
    (row,) = bench(Plan(find(["tiny"]), ["tanh"], peers.find(["nn"]))).rows
    assert row.status == "differs"
    assert "from float64" in row.said
    assert not row.seconds


def test_who_is_not_installed_is_missing(monkeypatch, tmp_path):
    gone = replace(peers.PEERS["nn"], name="gone", needs="no_such_module")
    monkeypatch.setattr(worker, "PEERS", MappingProxyType({"gone": gone}))
    answer = worker.Worker().verify(str(tmp_path), "gone", "tiny", "tanh", 6)
    assert "no_such_module" in answer["missing"]


def test_what_a_command_raises_is_an_answer():
    def fail(**_):
        raise ValueError("two\nlines")

    commands = {"fail": fail}
    assert json.loads(worker.answer(commands, '{"do": "fail"}')) == {"failed": "ValueError: two lines"}


def test_a_process_that_dies_is_told_of(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Process("plain", 1) as process:
        assert "ended with code 1" in process.ask("hello")["failed"]
        assert "ended with code 1" in process.ask("hello")["failed"]
        assert not process.alive


def test_too_long_for_a_peer_is_left_out():
    short = replace(peers.PEERS["nn"], most_steps=3)
    (row,) = bench(Plan(find(["tiny"]), ["tanh"], [short])).rows
    assert (row.status, row.seconds) == ("left out", [])
    assert "at most 3 steps; here are 7" in row.said


def made(cell, peer, seconds, **more):
    computes = {"gru": "gru-after"}.get(cell, cell) if peer.startswith("nn") else cell
    row = Row("W1", cell, peer, 1, computes, 46, 1600, 8_000_000, seconds=seconds)
    return replace(row, **more)


@pytest.fixture
def result():
    return Result(
        [
            made("gru", "gatelab", [1e-3, 3e-3, 2e-3], faults=0.0, memory=3_000_000, first=0.01),
            made("gru", "gatelab+malloc", [1e-3]),
            made("gru", "nn", [9e-3, 8e-3, 1e-2], faults=12.0, memory=6_000_000, first=0.1),
            made("gru", "nn+malloc", [4e-3]),
            made("gru", "jax", [], status="missing", said="no jax"),
            made("gru", "jit", [1.0], status="failed", said="it died"),
            made("lstm", "gatelab", [4e-3]),
        ],
        {},
        {"1": 16e9},
    )


def test_ratios_are_taken_in_the_same_environment(result):
    assert [(r["peer"], r["ratio"]) for r in ratios(result)] == [("nn", 4.5), ("nn+malloc", 4.0)]
    fastest = ratios(replace(result, fastest=True))
    assert [(r["peer"], r["ratio"]) for r in fastest] == [("nn", 8.0), ("nn+malloc", 4.0)]


def test_tables(result):
    columns, rows = peers_table(result, "W1", 1, ["gru", "lstm"])
    assert columns == ["ms", "gru", "lstm"]
    assert dict(zip([r[0] for r in rows], rows, strict=True)) == {
        "gatelab": ["gatelab", "2.00", "4.00"],
        "nn": ["nn", "9.00~ (4.5×)", ""],
        "gatelab+malloc": ["gatelab+malloc", "1.00", ""],
        "nn+malloc": ["nn+malloc", "4.00~ (4×)", ""],
        "jax": ["jax", "missing", ""],
        "jit": ["jit", "failed", ""],
        "Gflop/s": ["Gflop/s", "4.00", "2.00"],
        "of the peak": ["of the peak", "25%", "12%"],
        "page faults": ["page faults", "0 | 12", ""],
        "first [ms]": ["first [ms]", "10 | 100", ""],
        "MB": ["MB", "3 | 6", ""],
    }
    assert remarks(result)[2:] == [
        "~ the peer's nearest relative: gru-after for gru",
        "jax (missing): no jax",
        "jit gru on W1 (failed): it died",
    ]
    assert cells_table(result, "W1", 1)[1] == [
        ["gru", "46", "2.00", "4.0", "2.00"],
        ["lstm", "46", "4.00", "2.0", "1.00"],
    ]
    assert number(0.1234) == "0.123"
