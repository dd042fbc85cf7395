"""The command line from outside: what it prints, where it writes, how it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from gatelab.cli.main import run as run_in_this_process
from gatelab.data import load_music


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    data = load_music("chorales")
    notes = {
        split: [[(step.nonzero()[0] + 21).tolist() for step in s] for s in getattr(data, split)[:6]]
        for split in ("train", "valid", "test")
    }
    path = tmp_path_factory.mktemp("music") / "few.json"
    path.write_text(json.dumps(notes))
    return path


def gatelab(*arguments, folder=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "gatelab", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"COLUMNS": "140", "GATELAB_DATA": ""} | environment,
        check=False,
    )


SMALL = ["--parameters", 800, "--trials", 2, "--repeats", 1, "--epochs", 2, "--batch-size", 3]


@pytest.fixture(scope="module")
def compared(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    done = gatelab("compare", few, "--cells", "tanh,gru", *SMALL, folder=folder)
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "runs").iterdir()
    return done, run


def test_compare_prints_budget_table_baselines_answer_and_report(compared):
    done, run = compared
    for said in (
        "2 learning rates a unit",
        "weight noise 0.075",
        "seed 0",
        "tanh",
        "gru",
        "Markov",
        "marginal",
    ):
        assert said in " ".join(done.stdout.split())
    assert f"report: runs/{run.name}/report.html" in done.stdout
    assert (run / "report.html").stat().st_size > 100_000
    assert len(list((run / "trials").glob("*/outcome.json"))) == 2 * 2 + 2


def test_a_run_that_ended_is_shown_again_not_trained_again(compared, few):
    _, run = compared
    again = gatelab("compare", few, "--cells", "tanh,gru", *SMALL, folder=run.parents[1])
    assert again.returncode == 0
    assert "ended before" in again.stdout
    assert "tanh search" not in again.stdout
    resumed = gatelab("resume", run)
    assert resumed.returncode == 0
    assert "ended before" in resumed.stdout


def test_profile_is_printed_and_kept(few, compared, tmp_path):
    done = gatelab("compare", few, "--cells", "tanh,gru", *SMALL, "--profile", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for said in ("Where the time went", "noise, clipping, update", "idle", "for the report"):
        assert said in " ".join(done.stdout.split())
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name == compared[1].name  # timing is no part of what was asked
    kept = (run / "profile.json").read_text()
    again = gatelab("resume", run, "--profile")
    assert "Where the time went" in again.stdout
    assert (run / "profile.json").read_text() == kept
    shutil.copytree(compared[1], tmp_path / "untimed")
    assert "is not known" in gatelab("resume", tmp_path / "untimed", "--profile").stdout


def test_report_goes_where_it_is_told(compared, tmp_path):
    _, run = compared
    done = gatelab("report", run, "--output", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").exists()
    assert done.stdout.strip() == f"report: {tmp_path / 'page.html'}"


def test_cells_lists_the_catalogue_and_shows_one():
    listed = gatelab("cells")
    assert listed.returncode == 0
    for name in ("tanh", "lstm", "gru-after", "mut3", "fgr", "layer-norm"):
        assert name in listed.stdout
    shown = gatelab("cells", "show", "gru")
    assert shown.returncode == 0
    for said in ("z = σ(", r"z_t = \sigma", "W_z", "H × I", "3IH + 3H² + 3H", "arXiv:1406.1078"):
        assert said in shown.stdout


def test_version_and_help_need_no_torch():
    assert gatelab("--version").stdout.startswith("gatelab ")
    assert "compare" in gatelab("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "--cells", "lsmt"], "did you mean lstm"),
        (["compare", "--cells", "tanh,tanh"], "named twice"),
        (["compare", "--parameters", "20"], "impossible budget"),
        (["compare", "--count", "some"], "recurrent or all"),
        (["compare", "--optimizer", "adamm"], "optimizer: "),
        (["compare", "jbs"], "did you mean jsb"),
        (["compare", "nowhere.json"], "nowhere.json"),
        (["cells", "show", "grru"], "did you mean gru"),
        (["cells", "show", "lstm-blocks", "--units", "7"], "blocks of 2"),
        (["paper", "chung2015"], "did you mean chung2014"),
        (["paper", "chung2014", "--dataset", "chorales"], "its tasks are"),
        (["paper", "greff2015", "--sizes", "table"], "--sizes: means nothing for greff2015"),
        (["paper", "greff2015", "--dataset", "jbs"], "did you mean jsb"),
        (["paper", "chung2014", "--cells", "gru"], "--cells: means nothing for chung2014"),
        (["report", "nowhere"], "nowhere is no folder"),
        (["resume", "."], "no run folder"),
    ],
)
def test_a_user_s_mistake_is_one_line_and_exit_code_2(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gatelab", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_in_this_process()
    message = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in message
    assert len(message.strip().split("\n")) == 1
    assert not list(tmp_path.iterdir())


def test_a_user_s_mistake_from_outside(tmp_path):
    done = gatelab("cells", "show", "grru", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("gatelab: unknown cell 'grru'; did you mean gru?")
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_exit_code_2():
    done = gatelab("compare", "--trails", "3")
    assert done.returncode == 2
    assert "--trails" in done.stderr


def test_our_own_mistake_has_its_trace_and_exit_code_1(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text(
        "import gatelab.cells.catalogue as c\n"
        "def broken(*_): raise RuntimeError('ours')\n"
        "import gatelab.cells; gatelab.cells.get = broken\n"
        "import sys; sys.argv = ['gatelab', 'cells', 'show', 'gru']\n"
        "from gatelab.cli.main import run; run()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RuntimeError: ours" in done.stderr
    assert "Traceback" in done.stderr


LONG = ["--parameters", "800", "--trials", "2", "--repeats", "1", "--epochs", "3000", "--patience", "3000"]


def test_ctrl_c_names_the_run_that_can_go_on(few, tmp_path):
    command = [sys.executable, "-m", "gatelab", "compare", str(few), "--cells", "tanh,gru", *LONG]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell lets what it starts in the background ignore Ctrl-C, and all that is started from there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    until = time.monotonic() + 60
    while not list(tmp_path.glob("runs/*/trials/*/metrics.jsonl")) and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to main and workers alike
    _, errors = process.communicate(timeout=60)
    (run,) = (tmp_path / "runs").iterdir()
    assert process.returncode == 130
    assert errors.strip() == f"gatelab: stopped; go on with: gatelab resume runs/{run.name}"


def test_a_reader_that_leaves_ends_it_in_silence(few, tmp_path):
    command = [sys.executable, "-m", "gatelab", "compare", str(few), "--cells", "tanh,gru", *SMALL]
    process = subprocess.Popen(
        [str(c) for c in command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=60)
    assert process.stderr.read() == ""
    process.stderr.close()
