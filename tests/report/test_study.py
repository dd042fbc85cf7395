import base64
import hashlib
import re
from dataclasses import replace

import pytest
import vl_convert

from gatelab.errors import ConfigError
from gatelab.report.study import markdown_of, render_study, study_markdown, write_study_report
from gatelab.report.study_claims import judged, summed
from gatelab.report.study_conduct import projection
from gatelab.report.study_numbers import study_numbers
from gatelab.runs import Paper, Reported
from gatelab.runs.config import Effort
from gatelab.runs.findings import Finding
from gatelab.runs.study_table import StudyRecord
from made_studies import CELLS, PAPER, made_plan, made_study, made_trial, task_record
from page import Page


def finding(about, relation, tasks=("jsb", "speech"), **values):
    return Finding(
        sentence=f"{about} {relation}.", tasks=tasks, about=tuple(about.split()), relation=relation, **values
    )


FINDINGS = (
    finding("nfg", "worse", reference="lstm"),
    finding("cifg", "alike", reference="lstm"),
    finding("nfg", "not better", reference="lstm"),
    finding("cifg", "not worse", ("jsb",), reference="gru"),
    finding("learning_rate", "largest share"),
    finding("hidden_size", "next share"),
    finding("learning_rate", "share at least", bound=0.05),
    finding("momentum", "share at most", bound=0.05, checked=False),
    finding("learning_rate momentum", "interaction at most", bound=0.2),
    finding("input_noise", "rising", ("speech", "elsewhere")),
    finding("dropout", "rising", ("speech",)),
)
REPORTED = PAPER.model_copy(update={"reported": {"jsb/cifg": Reported(test=8.38)}})


@pytest.fixture(scope="module")
def numbers():
    record = made_study(
        ("jsb", "speech"), ("lstm", "nfg", "cifg"), trials=80, findings=FINDINGS, paper=REPORTED
    )
    return study_numbers(record, trees=12, seeds=2)


@pytest.fixture(scope="module")
def text(numbers):
    return render_study(numbers, command="gatelab again")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_everything_is_in_it(numbers, page):
    for wanted in (
        "lstm, nfg and cifg on jsb and speech, 80 trials each",
        "jsb, against lstm by test NLL [nats per step]: ", "worse is nfg (+", "best 8 of 80 trials a cell",
        "permutation test of pairs, p by Holm over 4 comparisons", "by test frame error [%]",
        "one minus log uniform", "Updates after every 8 sequences.", "20 to 200, whole",
        "mean of the best 10 %", "(8)", "Hedges' g", "Welch p", "Mann–Whitney p", "8 of 80",
        "R² on trials not met", "learning rate × hidden size", "Mean ranks over 2 tasks", "Friedman's test",
        "n = 2 tasks, 3 cells", "Findings of the paper", "[remembered]", "enter no computation", "8.380",
        "the training NLL became 131.2", "480 of 480", "machine-0, machine-1", "2023-11-14",
        "gatelab again", "Thick: all cells (", "JSB Chorales", "NLL [nats per step], lower is better",
    ):  # fmt: skip
        assert wanted in page.text, wanted
    assert "not finished" not in page.text
    figures = set(page.data["figures"])
    for task in ("task0", "task1"):
        kinds = ("boxes", "trials", "best-of", "curves", "shares", "marginal-momentum")
        assert {f"{task}-{k}" for k in kinds} <= figures
        assert f"{task}-pair-learning_rate-hidden_size" in figures
    assert "ranks" in figures
    assert page.tags.count("figure") == len(figures) == 2 * (5 + 4 + 6) + 1


def test_the_page_is_closed_to_others(page, text):
    assert [a for a in page.addresses if not a.startswith("#")] == []
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    assert len(page.scripts) == 2
    for script in page.scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in text
    assert "default-src 'none'" in text
    assert len(text) < 2_000_000


def test_every_place_that_is_linked_exists(page, text):
    assert page.addresses
    assert all(f'id="{a[1:]}"' in text for a in page.addresses)


def test_findings_are_judged(numbers):
    rows = judged(numbers, FINDINGS)
    found = {(r.finding.sentence, r.task): r for r in rows}
    assert len(found) == len(rows) == 2 * 8 + 1 + 1 + 1
    assert found["nfg worse.", "jsb"].verdict == "reproduced"
    assert found["nfg worse.", "jsb"].alone == "yes"
    assert found["nfg not better.", "speech"].verdict == "reproduced"
    assert found["cifg not worse.", "jsb"].verdict == "not tested"
    assert found["learning_rate largest share.", "jsb"].verdict == "reproduced"
    assert found["hidden_size next share.", "jsb"].verdict != "reproduced"
    assert found["learning_rate share at least.", "jsb"].verdict == "reproduced"
    assert found["momentum share at most.", "jsb"].verdict == "reproduced"
    assert found["learning_rate momentum interaction at most.", "jsb"].verdict == "reproduced"
    assert found["input_noise rising.", "speech"].verdict == "reproduced"
    assert found["dropout rising.", "speech"].verdict == "not tested"
    for row in rows:
        if row.verdict != "not tested":
            assert re.search(r"bootstrap of 80 pairs|ANOVA of \d+ trials of 3 cells", row.why)
    assert summed(rows).startswith("Of 19 findings, each on one task: ")
    opposite = [
        finding("nfg", "not worse", reference="lstm"), finding("learning_rate", "share at most", bound=0.1),
        finding("momentum", "largest share"), finding("input_noise", "rising").model_copy(
            update={"about": ("hidden_size",)}
        ),
    ]  # fmt: skip
    assert {r.verdict for r in judged(numbers, opposite)} == {"not reproduced"}


def test_as_markdown(numbers):
    text = markdown_of(numbers)
    for wanted in (
        "# lstm, nfg and cifg", "| cell | trials | finished | diverged |", "| against lstm | difference |",
        "- Fewer trials a cell.", "## Findings of the paper", "## Over all tasks",
        "    gatelab study report odyssey-small.study.json.gz --reference lstm",
    ):  # fmt: skip
        assert wanted in text
    assert text.count("\n# ") == 0


def test_a_study_that_has_only_begun(tmp_path):
    record = made_study(("jsb", "speech"), trials=30, ended=0)
    target = write_study_report(record, tmp_path / "study.html", reference="lstm")
    page = Page(target.read_text(encoding="utf-8"))
    assert "jsb: 90 of 90 trials are still to come." in page.text
    assert page.data["figures"] == {}


@pytest.mark.parametrize("ended", [0, 1, 7, 100])
def test_an_unfinished_study(ended):
    record = made_study(("jsb", "speech"), trials=30, ended=ended)
    page = Page(render_study(study_numbers(record, "lstm", trees=2, seeds=1), command="again"))
    assert "This study is not finished." in page.text
    assert f"{ended:,} of 180" in page.text
    assert ended or "not tested: nig and nfg" in page.text
    assert "nan" not in page.text.lower().split()
    assert "inf" not in page.text.split()


def test_without_a_reference():
    text = study_markdown(made_study(trials=8))
    assert "no cell was named as reference" in text
    assert "Welch" not in text


def test_one_cell_and_one_task():
    text = study_markdown(made_study(cells=("gru",), trials=20, broken=False), reference="gru")
    assert "jsb: gru has the best mean of its best 2 trials" in text
    assert "all cells" not in text


SPACES = [
    {"learning_rate": {"kind": "log-uniform", "low": 1e-4, "high": 1e-2}},
    {
        "learning_rate": {"kind": "choice", "values": [0.1, 0.01, 0.001]},
        "optimizer": {"kind": "choice", "values": ["sgd", "adam"]},
        "parameters": {"kind": "log-uniform", "low": 1000, "high": 9000, "whole": True},
    },
]


@pytest.mark.parametrize("space", SPACES)
def test_other_spaces_and_measures(space):
    task = task_record(
        "jsb", measures=({"name": "NLL"}, {"name": "accuracy", "better": "higher"}), headline="accuracy"
    )
    settings = {} if "parameters" in space else {"hidden_size": 30}
    plan = made_plan(trials=20, cells=CELLS[:2], space=space, settings=settings)
    plan = plan.model_copy(update={"tasks": (plan.tasks[0].model_copy(update={"record": task}),)})
    trials = []
    for key in list(plan.keys()):
        trial = made_trial(plan, key)
        accuracy = 1 / trial.valid if trial.valid else None
        measures = {s: {"accuracy": accuracy} for s in ("valid", "test")}
        pruned = key.number % 5 == 4
        trials.append(
            trial.model_copy(update={"measures": measures, **({"status": "pruned"} if pruned else {})})
        )
    numbers = study_numbers(StudyRecord(plan, tuple(trials)), "lstm", trees=4, seeds=2)
    page = Page(render_study(numbers))
    assert "pruned" in page.text
    assert "accuracy, higher is better" in page.text
    assert "cannot be drawn" not in page.text
    for name, spec in page.data["figures"].items():
        svg = vl_convert.vegalite_to_svg(spec | {"width": 300})
        at = svg.find("NaN")
        assert at < 0, (name, svg[max(0, at - 300) : at + 200])


def test_another_reference_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no cell 'lstn' to compare with; did you mean lstm"):
        write_study_report(made_study(ended=3), tmp_path / "x.html", reference="lstn")
    assert list(tmp_path.iterdir()) == []


HOSTILE = "</script><img src=//x onerror=alert(1)><!--{{7*7}}&'\"\u2028"


def test_hostile_content_stays_text():
    task = task_record(
        "jsb", title=HOSTILE, source=HOSTILE, notes=(HOSTILE,), options={HOSTILE: HOSTILE},
        measures=({"name": HOSTILE, "unit": HOSTILE},), headline=HOSTILE,
    )  # fmt: skip
    paper = PAPER.model_copy(update={"citation": HOSTILE, "differences": (HOSTILE,)})
    said = Finding(sentence=HOSTILE, tasks=("jsb",), about=(HOSTILE,), relation="rising")
    plan = made_plan(trials=8, cells=CELLS[:2], paper=paper, findings=(said,))
    plan = plan.model_copy(update={"tasks": (plan.tasks[0].model_copy(update={"record": task}),)})
    keys = list(plan.keys())
    trials = [made_trial(plan, k).model_copy(update={"reason": HOSTILE, "worker": HOSTILE}) for k in keys]
    record = StudyRecord(plan, tuple(trials), {HOSTILE: {HOSTILE: HOSTILE, "cores": [HOSTILE]}})
    text = render_study(study_numbers(record, "lstm", trees=2, seeds=1), command=HOSTILE)
    page = Page(text)
    assert "img" not in page.tags
    assert len(page.scripts) == 2
    assert all(a.startswith("#") for a in page.addresses)
    assert "49" not in page.text.partition("What was asked")[0]
    assert text.count("onerror=alert(1)>") == 0
    assert HOSTILE.partition("<!--")[0] in page.text


def test_findings_are_not_judged_on_a_few_trials():
    record = made_study(("jsb",), ("lstm", "nfg", "cifg"), trials=15, findings=FINDINGS, broken=False)
    rows = judged(study_numbers(record), FINDINGS)
    assert {r.verdict for r in rows if r.task == "jsb"} == {"not tested"}
    assert sum("trials are too few, wanted" in r.why for r in rows) >= 3


def test_what_the_papers_trials_would_cost():
    record = made_study()
    task = record.plan.tasks[0].name
    effort = Effort(trials={task: 100, "elsewhere": 10}, years=2)
    paper = Paper(key="k", citation="c", table="t", effort=effort)
    record = replace(record, plan=record.plan.model_copy(update={"paper": paper}))
    trials = [t.cpu_seconds for t in record.trials if t.task == task]
    (said,) = projection(record)
    assert f"= {100 * sum(trials) / len(trials) / 86400:.2f} days of one core; elsewhere is not in it" in said
    assert "about 2 years" in said
    assert "for 110 trials" in said
    assert projection(made_study()) == []


def test_a_study_that_draws_nothing_but_seeds():
    plain = made_study(space={}, settings={"learning_rate": 0.001, "hidden_size": 20}, trials=4)
    assert "hidden" in render_study(study_numbers(plain))
