import json

import pytest

from gatelab.errors import ConfigError, RunError
from gatelab.report import write_report
from gatelab.report.frame import safe_json
from gatelab.runs import Task, Training, Unit, read_run, write_json
from page import Page


def page_of(folder):
    return Page(write_report([folder]).read_text(encoding="utf-8"))


def test_one_file_complete_and_small(fabricate):
    folder = fabricate()
    target = write_report([folder])
    page = Page(target.read_text(encoding="utf-8"))
    assert target == folder / "report.html"
    assert target.stat().st_size < 3_000_000
    assert [a for a in page.addresses if not a.startswith("#")] == []
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    assert len(page.scripts) == 2
    assert sorted(p.name for p in folder.iterdir() if "report" in p.name) == ["report.html"]


def test_everything_is_in_it(fabricate):
    page = page_of(fabricate())
    for wanted in (
        "tanh, gru and lstm on JSB Chorales", "gru has the lowest test NLL", "Markov baseline", "10.491",
        "test over seeds", "Beside the paper", "20.1 × 10³", "The batch size is not given in the paper.",
        "diverged: the training NLL became 131.2", "4IH + 4H² + 7H", "by its role", "ab" * 32,
        "A made-up processor", "229 / 76 / 77", "gatelab resume",
        "gatelab paper chung2014 --dataset jsb --sizes budget --trials 10",
    ):  # fmt: skip
        assert wanted in page.text
    assert page.tags.count("math") == 1 + 4 + 6
    assert set(page.data["figures"]) == {"run0-updates", "run0-seconds", "run0-rates"}
    assert set(page.data["themes"]) == {"light", "dark"}
    assert "not finished" not in page.text


def test_scripts_are_those_that_the_policy_allows(fabricate):
    import base64
    import hashlib

    text = write_report([fabricate()]).read_text(encoding="utf-8")
    page = Page(text)
    for script in page.scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in text
    assert "default-src 'none'" in text
    assert "'unsafe-inline'" not in text.partition("script-src")[2].partition(";")[0]


@pytest.mark.parametrize("ended", [1, 5, 30, 32])
def test_an_unfinished_run_says_what_is_missing(fabricate, ended):
    page = page_of(fabricate(ended=ended))
    assert "This run is not finished." in page.text
    assert "of 3 repeats" in page.text
    assert "not ended yet" in page.text or ended >= 30
    assert page.text.count("So far") == (ended >= 1)


def test_a_run_that_has_only_begun(fabricate):
    page = page_of(fabricate(ended=0))
    assert "No trial has finished yet, so there is no answer." in page.text
    assert "No trial has begun yet." in page.text
    assert page.data["figures"] == {}
    assert page.tags.count("math") == 11


def test_several_runs_in_one_file(fabricate, comparison):
    first, second = fabricate(), fabricate(comparison(seed=1, paper=None), ended=4)
    assert write_report([first, second]) == first.parent / "report.html"
    target = first.parent / "both.html"
    assert write_report([first, second], target) == target
    page = Page(target.read_text(encoding="utf-8"))
    assert "2 runs" in page.text
    assert {a for a in page.addresses if a.startswith("#")} == {"#run0", "#run1"}
    assert len(page.data["figures"]) == 6


HOSTILE = "</script><img src=//x onerror=alert(1)><!--{{7*7}}&'\"\u2028"


def test_hostile_content_stays_text(fabricate, comparison):
    config = comparison(paper=None)
    task = Task(
        **(
            config.task.model_dump()
            | {
                "title": HOSTILE,
                "source": HOSTILE,
                "measures": [{"name": HOSTILE, "unit": HOSTILE}],
                "headline": HOSTILE,
                "load": HOSTILE,
            }
        )
    )
    cell = json.loads(json.dumps(config.units[1].cell))
    cell["names"][HOSTILE] = cell["names"].pop("z")
    cell |= {"name": HOSTILE, "summary": HOSTILE, "source": HOSTILE}
    unit = Unit(**(config.units[1].model_dump() | {"cell": cell}))
    folder = fabricate(comparison(paper=None, task=task, units=(config.units[0], unit, config.units[2])))
    write_json(folder / "environment.json", {"began": HOSTILE, HOSTILE: HOSTILE})
    text = write_report([folder]).read_text(encoding="utf-8")
    page = Page(text)
    assert "img" not in page.tags
    assert len(page.scripts) == 2
    assert page.addresses == []
    assert "49" not in page.text.partition("Result")[0]
    assert HOSTILE.partition("<!--")[0] in page.text
    assert text.count("onerror=alert(1)>") == 0


def test_json_in_a_script_cannot_end_it():
    inside = str(safe_json({HOSTILE: [HOSTILE]}))
    assert not set("<>&\u2028") & set(inside)
    assert json.loads(inside) == {HOSTILE: [HOSTILE]}


@pytest.mark.parametrize("cell", [{}, {"format": 1}, {"format": 1, "nodes": [["add", [0, 0], None, None]]}])
def test_a_cell_that_cannot_be_read_costs_its_card_only(fabricate, comparison, cell):
    config = comparison()
    broken = Unit(**(config.units[0].model_dump() | {"cell": cell}))
    page = page_of(fabricate(comparison(units=(broken, *config.units[1:]))))
    assert "Its equations cannot be read" in page.text
    assert page.tags.count("math") == 4 + 6


def test_commands_of_a_comparison_are_quoted(fabricate, comparison):
    config = comparison(paper=None, training=Training(optimizer="sgd", momentum=0.5))
    task = Task(**(config.task.model_dump() | {"load": "my music/a$(b).mat"}))
    page = page_of(fabricate(comparison(paper=None, task=task, training=config.training), ended=1))
    assert (
        "gatelab compare 'my music/a$(b).mat' --cells tanh,gru,lstm --task music --parameters 20000"
        in page.text
    )
    assert "--optimizer sgd --weight-noise 0.075 --input-noise 0 --momentum 0.5" in page.text


def test_refusals(tmp_path, fabricate):
    with pytest.raises(ConfigError, match="at least one"):
        write_report([])
    with pytest.raises(RunError):
        write_report([tmp_path / "none"])
    with pytest.raises(RunError, match="cannot write"):
        write_report([fabricate(ended=1)], tmp_path / "no folder" / "report.html")


def test_a_report_is_what_the_folder_says(fabricate):
    folder = fabricate()
    first = write_report([folder]).read_bytes()
    assert write_report([folder]).read_bytes() == first
    assert read_run(folder).complete
