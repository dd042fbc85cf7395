"""gatelab study from outside and, where no process of its own is needed, from inside."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatelab.cli import study_live
from gatelab.cli.main import run as run_in_this_process
from gatelab.cli.study_live import Lines, Screen
from gatelab.runs import Epoch
from gatelab.runs.store import Store
from gatelab.runs.study import Key
from gatelab.runs.study_table import read_study

PARITY = '{data = "parity", options = {shortest = 3, longest = 5, epoch = 20, held_out = 5}}'
FILE = f"""
tasks = [{PARITY}]
cells = ["tanh", "gru"]
trials = 2
max_epochs = 2
space = {{learning_rate = {{log-uniform = [1e-4, 1e-1]}}, hidden_size = {{log-uniform = [4, 20]}}}}
"""


def started(*arguments, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "gatelab", "study", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "140"},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder in which a study was run, and what that printed."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "tiny.toml").write_text(FILE)
    process = started("run", "tiny.toml", "--workers", 2, folder=folder)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors == ""
    return folder, output


@pytest.fixture
def study(done, tmp_path, monkeypatch, capsys):
    """A function: words of gatelab study → (exit code, output, errors), on a copy of the study."""
    shutil.copytree(done[0], tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("COLUMNS", "140")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gatelab", "study", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run_in_this_process()
        return ended.value.code, *capsys.readouterr()

    return run


def test_run_says_what_it_does_and_what_came_of_it(done):
    folder, output = done
    assert output.startswith(
        "tiny: 1 task × 2 cells × 2 trials; each draws learning_rate, hidden_size; seed 0"
    )
    assert "0 of 4 trials ended (0.0%), 2 workers" in output
    assert (
        len(
            re.findall(r"^parity/(tanh|gru)/[01]: finished, validation NLL 0\.\d+, 2 epochs in", output, re.M)
        )
        == 4
    )
    assert "table: runs/tiny.study.json.gz\nreport: runs/tiny.study.html" in output
    assert not read_study(folder / "runs" / "tiny.study.json.gz").missing
    assert sorted(p.name for p in (folder / "runs").iterdir()) == [
        "studies.db", "studies.db.lock", "tiny.study.html", "tiny.study.json.gz",
    ]  # fmt: skip


def test_a_study_that_ended_is_not_trained_again(study):
    code, output, _ = study("run", "tiny.toml")
    assert (code, "has ended before" in output) == (0, True)
    assert study("resume", "tiny")[0] == 0


def test_status_needs_no_torch(done):
    script = (
        "import sys; from gatelab.cli.main import run\n"
        "for words in (['tiny'], []):\n"
        "    sys.argv = ['gatelab', 'study', 'status', *words]\n"
        "    try: run()\n"
        "    except SystemExit as ended: assert not ended.code, ended\n"
        "assert 'torch' not in sys.modules"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=done[0], capture_output=True, text=True, check=False,
        env=os.environ | {"COLUMNS": "140"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "4 of 4 trials ended (100.0%)" in found.stdout
    assert re.search(r"parity +tanh +2/2 +0\.\d+ .*NLL \[nats per step\] +rate .* units", found.stdout)
    assert re.search(r"tiny +parity +tanh, gru +4 +4 +0", found.stdout)


@pytest.mark.parametrize(
    ("width", "there", "gone"), [(60, "diverged", "validation"), (100, "validation", "zzz")]
)
def test_status_at_other_widths(study, monkeypatch, width, there, gone):
    monkeypatch.setenv("COLUMNS", str(width))
    _, output, _ = study("status", "tiny")
    assert there in output
    assert gone not in output
    assert "…" not in output
    assert max(map(len, output.splitlines()[1:])) <= width


def test_show_export_import(study):
    code, shown, _ = study("show", "tiny")
    assert code == 0
    assert re.search(r"gru +2/2 +0\.\d+ +\d+ +[\d.]+ +\d+", shown)
    code, said, _ = study("export", "tiny", "--out", "a.study.json.gz")
    assert (code, "4 of 4 trials" in said) == (0, True)
    assert study("show", "a.study.json.gz")[1] in shown
    code, said, _ = study("import", "a.study.json.gz", "--storage", "other.db")
    assert "4 of its 4 trials are new in study tiny" in said
    code, said, _ = study("resume", "a.study.json.gz", "--storage", "other.db")
    assert "0 of its 4 trials are new" in said
    assert "has ended before" in said
    assert code == 0
    assert read_study("a.study.json.gz") == read_study("runs/tiny.study.json.gz")


def test_report(study):
    assert study("report", "tiny", "--reference", "tanh")[:2] == (0, "report: runs/tiny.study.html\n")
    assert "--reference tanh" in Path("runs/tiny.study.html").read_text()
    assert study("report", "runs/tiny.study.json.gz", "-o", "a.md")[:2] == (0, "report: a.md\n")
    assert Path("a.md").read_text().startswith("# ")


def test_stop_tells_whom(study):
    store = Store("runs/studies.db", "tiny")
    assert study("stop", "tiny")[1] == "nobody works on tiny\n"
    store.begin(store.plan().model_copy(update={"trials": 3}))
    store.claim(store.plan())
    _, said, _ = study("stop", "tiny")
    assert re.fullmatch(rf"asked \S+:{os.getpid()} to stop when their 1 running trials have ended\n", said)
    assert "within seconds" in study("stop", "tiny", "--now")[1]
    status = study("status", "tiny")[1]
    assert re.search(rf"parity/tanh/2 +\S+ +{os.getpid()} +\d+ s", status)
    assert "4 of 6 trials ended (66.7%)" in status


def test_cells_that_diverge_and_trials_that_fail_are_told(study):
    with sqlite3.connect("runs/studies.db") as connection:
        outcomes = (
            "SELECT trial_user_attribute_id, value_json FROM trial_user_attributes WHERE key = 'outcome'"
        )
        for number, said in connection.execute(outcomes).fetchall():
            changed = re.sub('"finished"', '"diverged"' if '"tanh"' in said else '"failed"', said)
            changed = re.sub('"reason": *"[^"]*"', r'"reason": "Traceback\\nValueError: odd"', changed)
            connection.execute(
                "UPDATE trial_user_attributes SET value_json = ? WHERE trial_user_attribute_id = ?",
                (changed, number),
            )
    for word in ("status", "show"):
        code, said, _ = study(word, "tiny")
        assert code == 0
        assert "tanh diverged in all 2 trials on parity" in said
        assert "2 trials failed, such as parity/gru/0: ValueError: odd" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nowhere.toml"], "nowhere.toml: no such file"),
        (["run", "a.toml", "b.toml"], "wanted one file"),
        (["run", "tiny.toml", "--trials", "9"], "--trials: stands in the file"),
        (["run", "tiny.toml", "--seed", "9"], "--seed: stands in the file"),
        (["run", "parity", "--space", "learning_rat=log:1:2"], "did you mean learning_rate"),
        (["run", "parity", "--space", "learning_rate=log:2:1"], "wanted low < high"),
        (["run", "parity", "--set", "parameters=9", "--parameters", "9"], "wanted one of both"),
        (["run", "parity", "--cells", "lsmt"], "did you mean lstm"),
        (["run", "parity", "--name", "a/b"], "name: "),
        (["run", "parity", "--storage", "mysql://x/y"], "storage: wanted"),
        (["run", "parity", "--storage", "."], "cannot be used"),
        (["run", "parity", "--name", "tiny"], "give the study another name"),
        (["resume", "tinyy"], "did you mean tiny"),
        (["resume", "a b/c\x1b[0m"], "has no study"),
        (["resume", "tiny", "--trials", "1"], "wanted as many or more"),
        (["resume", "x.study.json.gz"], "x.study.json.gz is missing"),
        (["status", "tinyy"], "did you mean tiny"),
        (["status", "--storage", "elsewhere.db"], "no studies are kept in"),
        (["status", "tiny", "--storage", "tiny.toml"], "cannot be used"),
        (["stop", "tinyy"], "did you mean tiny"),
        (["show", "tiny.study.json.gz"], "is missing"),
        (["export", "tiny", "--out", "tiny.json"], "ends in .study.json.gz"),
        (["export", "tiny", "--out", "no/a.study.json.gz"], "cannot write"),
        (["report", "tiny", "--reference", "lstm"], "lstm"),
        (["report", "tiny", "--out", "a.pdf"], "ends in .html or .md"),
        (["run", "tiny.toml", "--ray", "auto", "--workers", "2"], "wanted --workers or --ray"),
        (["import", "tiny.toml"], "cannot be read as a table"),
    ],
)
def test_a_user_s_mistake_is_one_line(study, words, said):
    before = sorted(os.listdir())
    code, _, errors = study(*words)
    assert code == 2
    assert said in errors
    assert len(errors.strip().split("\n")) == 1
    assert sorted(os.listdir()) == before


def test_ctrl_c_names_the_command_that_goes_on(tmp_path):
    process = started(
        "run", "parity", "--epochs", 100_000, "--patience", 100_000, "--parameters", 500, "--cells", "gru",
        "--workers", 1, "--storage", "here.db", folder=tmp_path,
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(0.2)
        store = Store(str(tmp_path / "here.db"), "parity")
        if "parity" in store.names() and store.running():
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "gatelab: stopped; go on with: gatelab study resume parity --storage here.db\n"
    assert not Store(str(tmp_path / "here.db"), "parity").running()


# the live table, without a terminal


class Drawn:
    """A board on a console of some size that keeps what it prints."""

    def __init__(self, kind, width, height, folder):
        from io import StringIO

        from rich.console import Console

        self.store = Store(str(folder / "runs" / "studies.db"), "tiny")
        self.plan = self.store.plan()
        self.out = StringIO()
        console = Console(
            file=self.out, width=width, height=height, force_terminal=kind is Screen, highlight=False
        )
        self.board = kind(console, self.store, self.plan)

    def text(self):
        with self.board.console.capture() as captured:
            self.board.console.print(self.board.render())
        return re.sub(r"\x1b\[[0-9;]*m", "", captured.get())


@pytest.mark.parametrize("width", [60, 100, 160])
def test_the_live_table(done, width):
    drawn = Drawn(Screen, width, 40, done[0])
    board, record = drawn.board, drawn.store.record()
    assert "reading the data" in drawn.text()
    board.size = 2
    board.trials = {t.key: t for t in record.trials[:3]}
    board.started(Key("parity", "gru", 1))
    board.epoch(Key("parity", "gru", 1), Epoch(epoch=1, updates=3, seconds=0.1, train=0.7, valid=0.6543))
    board.said("the storage is away")
    shown = drawn.text()
    for said in ("3 of 4 trials ended (75.0%)", "2 workers", "the storage is away", "2/2", "1/2"):
        assert said in " ".join(shown.split())
    assert re.search(r"parity/gru/1 +1/2 +0\.6543 +\d+ s", shown)
    assert ("rate" in shown) == (width >= 80)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width


def test_a_low_terminal_shows_where_something_runs(done):
    drawn = Drawn(Screen, 100, 12, done[0])
    drawn.board.size = 1
    drawn.board.plan = drawn.plan.model_copy(
        update={"cells": tuple(drawn.plan.cells[0].model_copy(update={"name": f"c{k}"}) for k in range(9))}
    )
    drawn.board.started(Key("parity", "c7", 0))
    shown = drawn.text()
    assert "c7 " in shown
    assert "6 more: gatelab study status tiny" in shown


def test_lines_say_the_same_trouble_once(done, monkeypatch):
    drawn = Drawn(Lines, 100, 40, done[0])
    for left in (9, 8, 7):
        drawn.board.said(
            f"the storage /a/long/way/off/studies.db cannot be used: it is away; for {left} s more"
        )
    drawn.board.said("")
    monkeypatch.setattr(study_live, "SAY_EVERY", 0.0)
    drawn.board.size = 1
    drawn.board.tick()
    first, second = drawn.out.getvalue().splitlines()
    assert "for 9 s more" in first
    assert second.startswith("0 of 4 trials ended")
