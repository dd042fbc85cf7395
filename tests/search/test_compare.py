"""A whole comparison, undisturbed and killed at random moments."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gatelab.errors import DataError, RunError
from gatelab.runs import Outcome, Training, read_run
from gatelab.runs.folder import read_model
from gatelab.runs.profile import PARTS, Timing, read_profile
from gatelab.search import begin, comparison, work
from gatelab.search.compare import changed_environment, repetitions, searches


class Heard:
    def __init__(self):
        self.trials, self.outcomes = [], []

    def planned(self, trials, ended):
        self.trials.append(([t.name for t in trials], ended))

    def told(self, trial, news):
        if isinstance(news, Outcome):
            self.outcomes.append(trial.name)


def _plan(few_chorales, **changes):
    training = Training(batch_size=2, max_epochs=6, patience=6)
    options = {"parameters": 800, "trials": 2, "repeats": 1, "training": training} | changes
    return comparison(str(few_chorales), ["tanh", "gru"], **options)


def _numbers(folder):
    """Everything that a run says but seconds."""
    run = read_run(folder)
    return {
        t.trial: (
            t.outcome.model_copy(update={"seconds": 0.0, "microseconds": None}),
            tuple(e.model_copy(update={"seconds": 0.0}) for e in t.epochs),
        )
        for t in run.trials
    }


@pytest.fixture(scope="module")
def whole(few_chorales, tmp_path_factory):
    heard = Heard()
    folder = begin(tmp_path_factory.mktemp("runs"), _plan(few_chorales))
    work(folder, heard)
    return folder, heard


def test_every_trial_is_run_once_and_the_best_repeated(whole):
    folder, heard = whole
    run = read_run(folder)
    assert run.complete
    assert sorted(heard.outcomes) == sorted(t.trial.name for t in run.trials)
    assert len(run.trials) == 2 * 2 + 2
    assert [len(names) for names, _ in heard.trials] == [4, 2]
    for unit in ("tanh", "gru"):
        (repeat,) = run.of(unit, "repeat")
        assert repeat.trial.learning_rate == run.best(unit).trial.learning_rate
        assert repeat.trial.seed == 1
    assert {t.trial.seed for t in run.trials if t.trial.stage == "search"} == {0}
    assert run.environment["threads_per_trial"] == 1
    assert set(run.baselines) == {"marginal", "Markov"}


def test_a_finished_run_is_not_run_again(whole):
    folder, _ = whole
    heard = Heard()
    before = _numbers(folder)
    work(folder, heard)
    assert heard.trials == [([], 4), ([], 2)]
    assert _numbers(folder) == before


COMMAND = """
from pathlib import Path
from gatelab.search import work
class Silent:
    def planned(self, trials, ended): pass
    def told(self, trial, news): pass
if __name__ == "__main__":
    work(Path({folder!r}), Silent())
"""


def _processes_of(group):
    found = subprocess.run(
        ["ps", "-o", "pid=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def test_killed_at_random_moments_it_ends_with_the_same_numbers(whole, few_chorales, tmp_path):
    folder = begin(tmp_path, _plan(few_chorales))
    script = tmp_path / "go_on.py"
    script.write_text(COMMAND.format(folder=str(folder)))
    moment, kills = random.Random(1), 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
        until = time.monotonic() + 30
        began = len(list(folder.glob("trials/*/metrics.jsonl")))
        while len(list(folder.glob("trials/*/metrics.jsonl"))) <= began and time.monotonic() < until:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        time.sleep(moment.random() * 0.5)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        deadline = time.monotonic() + 10
        while _processes_of(process.pid) and time.monotonic() < deadline:  # workers end by themselves
            time.sleep(0.05)
        assert not _processes_of(process.pid)
    assert kills >= 1
    work(folder, Heard())
    assert _numbers(folder) == _numbers(whole[0])


def test_a_killed_worker_is_told(few_chorales, tmp_path):
    folder = begin(tmp_path, _plan(few_chorales, training=Training(max_epochs=10_000, patience=10_000)))

    class Killer(Heard):
        def told(self, trial, news):
            children = subprocess.run(
                ["pgrep", "-f", "spawn_main", "-P", str(os.getpid())],
                capture_output=True,
                text=True,
                check=False,
            )
            for process in children.stdout.split():
                os.kill(int(process), signal.SIGKILL)

    with pytest.raises(RunError, match=r"a worker process died .* gatelab resume"):
        work(folder, Killer(), workers=1)
    assert read_run(folder).trials


def test_data_that_changed_under_a_run_is_refused(few_chorales, tmp_path):
    copy = tmp_path / "few.json"
    copy.write_bytes(few_chorales.read_bytes())
    folder = begin(tmp_path, _plan(copy))
    copy.write_bytes(copy.read_bytes() + b"\n")
    with pytest.raises(DataError, match="is not the file that this run began with"):
        work(folder, Heard())


def test_a_run_that_is_worked_on_is_refused(few_chorales, tmp_path):
    from gatelab.runs import locked

    folder = begin(tmp_path, _plan(few_chorales))
    with locked(folder), pytest.raises(RunError, match="another process"):
        work(folder, Heard())


def test_all_units_meet_the_same_seeds(whole):
    run = read_run(whole[0])
    for plan in (searches(run), repetitions(run)):
        for k in {t.number for t in plan}:
            assert len({t.seed for t in plan if t.number == k}) == 1
    assert Path(whole[0]).name.startswith("compare-few-")


def test_a_run_that_goes_on_elsewhere_records_where(whole, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(whole[0], folder)
    assert changed_environment(folder) == []
    environment = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(environment | {"torch": "1.0"}))
    assert changed_environment(folder) == ["torch"]
    work(folder, Heard())
    (later,) = (folder / "later_environments.jsonl").read_text().splitlines()
    assert json.loads(later)["torch"] == environment["torch"]


def test_a_configuration_changed_by_hand_is_found_out(whole, few_chorales, tmp_path):
    folder = tmp_path / Path(whole[0]).name
    shutil.copytree(whole[0], folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"learning_rates": [0.1, 0.2]}))
    with pytest.raises(RunError, match="holds another trial than the run's configuration asks for"):
        work(folder, Heard())
    with pytest.raises(RunError, match="was changed since the run began"):
        begin(tmp_path, _plan(few_chorales))
    config["units"][0]["name"] = "../../elsewhere"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(RunError, match=r"is damaged: units.0.name"):
        work(folder, Heard())


def test_a_listener_that_fails_ends_the_run(few_chorales, tmp_path):
    class Failing(Heard):
        def told(self, trial, news):
            raise BrokenPipeError

    folder = begin(tmp_path, _plan(few_chorales))
    with pytest.raises(BrokenPipeError):
        work(folder, Failing())
    work(folder, Heard())
    assert read_run(folder).complete


def test_a_timed_run_says_where_the_time_went_and_gives_the_same_numbers(whole, few_chorales, tmp_path):
    folder = begin(tmp_path, _plan(few_chorales))
    work(folder, Heard(), timed=True)
    assert folder.name == whole[0].name
    assert _numbers(folder) == _numbers(whole[0])
    profile = read_profile(folder)
    assert profile.trials == {"tanh": 3, "gru": 3}
    for parts in profile.seconds.values():
        assert list(parts) == list(PARTS)
        assert all(s > 0 for s in parts.values())
    assert sum(sum(p.values()) for p in profile.seconds.values()) <= 2 * profile.training * profile.workers
    assert read_profile(whole[0]) is None


def test_workers_are_kept_from_stage_to_stage(few_chorales, tmp_path):
    folder = begin(tmp_path, _plan(few_chorales))
    work(folder, Heard(), workers=1, timed=True)
    timings = [read_model(p, Timing) for p in folder.glob("trials/*/profile.json")]
    assert len(timings) == 6
    assert len({t.process for t in timings}) == 1
