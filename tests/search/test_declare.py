import math

import pytest

from gatelab.errors import ConfigError, GatelabError
from gatelab.runs.space import Choice, LogUniform, OneMinusLogUniform, Uniform
from gatelab.search.declaration import declared, from_words, read_declaration
from gatelab.search.declare import declare

SMALL = {"data": "parity", "options": {"shortest": 3, "longest": 5, "epoch": 20, "held_out": 5}}
LEAST = {"tasks": [SMALL], "cells": ["tanh", "gru"], "trials": 3}


def test_what_is_not_said_is_put_in():
    plan = declared(LEAST)
    assert plan.name == "parity"
    (task,) = plan.tasks
    rate = plan.space["learning_rate"]
    assert plan.settings == {"parameters": 20_000, "weight_noise": 0.0, "input_noise": 0.0}
    assert isinstance(rate, LogUniform)
    assert 0 < rate.low < rate.high < 1
    assert (task.name, task.record.kind) == ("parity", "synthetic")
    assert [c.name for c in plan.cells] == ["tanh", "gru"]
    assert len(plan) == 6


FILE = """
cells = ["lstm", "gru"]
trials = 7
seed = 3
pruner = "median"
max_epochs = 9
patience = 4
tasks = [
    "parity",
    {data = "parity", name = "long", options = {longest = 30}, max_epochs = 5, batch_size = 4, layers = 2},
]

[space]
learning_rate = {log-uniform = [1e-6, 1e-2]}
momentum = {one-minus-log-uniform = [0.0, 0.99]}
input_noise = {uniform = [0, 1]}
hidden_size = {log-uniform = [20, 200]}
optimizer = ["sgd", "adam"]

[settings]
weight_noise = 0.05
"""


def test_a_file_that_says_everything(tmp_path):
    (tmp_path / "my units.toml").write_text(FILE)
    plan = read_declaration(tmp_path / "my units.toml")
    assert (plan.name, plan.trials, plan.seed, plan.pruner) == ("my-units", 7, 3, "median")
    assert plan.space == {
        "learning_rate": LogUniform(low=1e-6, high=1e-2),
        "momentum": OneMinusLogUniform(low=0, high=0.99),
        "input_noise": Uniform(low=0, high=1),
        "hidden_size": LogUniform(low=20, high=200, whole=True),
        "optimizer": Choice(values=("sgd", "adam")),
    }
    assert plan.settings == {"weight_noise": 0.05}
    short, long = plan.tasks
    assert (short.name, short.training.max_epochs, short.training.patience) == ("parity", 9, 4)
    assert (long.name, long.training.max_epochs, long.training.patience) == ("long", 5, 4)
    assert (long.training.batch_size, long.body.layers, long.record.options) == (4, 2, {"longest": 30})
    assert short.record.digest != long.record.digest


def test_paths_are_seen_from_the_file(tmp_path, few_chorales, monkeypatch):
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "few.json").write_bytes(few_chorales.read_bytes())
    (folder / "a.toml").write_text('tasks = ["few.json"]\ncells = ["gru"]\nsettings = {parameters = 800}\n')
    monkeypatch.chdir(tmp_path)
    (task,) = read_declaration(folder / "a.toml").tasks
    assert task.record.load == str(folder / "few.json")
    assert task.name == "few"


def test_learning_rates_fit_every_task():
    plan = declared({**LEAST, "tasks": [SMALL, "chorales"]})
    assert plan.name == "parity-chorales"
    rate = plan.space["learning_rate"]
    assert rate.low == pytest.approx(math.exp(-12), rel=1e-3)
    assert rate.high == pytest.approx(declared(LEAST).space["learning_rate"].high)


def test_words_of_a_command_line():
    space, settings = from_words(
        [
            "learning_rate=log:1e-4:1e-1",
            "momentum=one-minus-log:0:0.99",
            "layers=1,2",
            "dropout=uniform:0:0.5",
        ],
        ["optimizer=sgd", "normalized_momentum=true", "parameters=5000"],
    )
    assert space == {
        "learning_rate": LogUniform(low=1e-4, high=1e-1),
        "momentum": OneMinusLogUniform(low=0, high=0.99),
        "layers": Choice(values=(1, 2)),
        "dropout": Uniform(low=0, high=0.5),
    }
    assert settings == {"optimizer": "sgd", "normalized_momentum": True, "parameters": 5000}
    assert declare([SMALL], ["gru"], space=space, settings=settings).settings["weight_noise"] == 0.0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"triasl": 3}, "did you mean trials"),
        ({"trials": "5"}, "trials: .*'5'"),
        ({"trials": True}, "trials: .*True"),
        ({"trials": 10**9}, "trials: wanted 1 to 100,000"),
        ({"trials": 0}, "trials: "),
        ({"seed": -1}, "seed: wanted"),
        ({"name": "a/b"}, "name: wanted a letter .*'a/b'"),
        ({"tasks": [{**SMALL, "name": "a b"}]}, "tasks: name: wanted a letter"),
        ({"pruner": "mean"}, "pruner: "),
        ({"max_epochs": 0}, "max_epochs: "),
        ({"cells": "lstm"}, "cells: .*list"),
        ({"cells": []}, "cells: wanted at least one"),
        ({"cells": ["lsmt"]}, "did you mean lstm"),
        ({"cells": ["gru", "gru"]}, "gru is named twice"),
        ({"tasks": []}, "tasks: wanted at least one"),
        ({"tasks": [SMALL, SMALL]}, "two are called parity; give each a name"),
        ({"tasks": [{"name": "x"}]}, "data: wanted a text"),
        ({"tasks": [{"data": "parity", "optoins": {}}]}, "did you mean options"),
        ({"tasks": [{"data": "parity", "options": {"long": 3}}]}, "did you mean longest"),
        ({"tasks": [{"data": "parity", "options": [1]}]}, "options: wanted such as"),
        ({"tasks": [{"data": "parity", "task": "synthetics"}]}, "did you mean synthetic"),
        ({"tasks": [{"data": "parity", "batch_size": 0}]}, "task parity: batch_size"),
        (
            {"tasks": [{**SMALL, "batch_size": 4}], "settings": {"batch_size": 8}},
            "wanted one of both",
        ),
        ({"tasks": ["nowhere.json"]}, "no set and no file"),
        ({"space": {"learning_rate": 0.1}}, "space.learning_rate: wanted such as"),
        ({"space": {"learning_rate": {}}}, "wanted one distribution, got none"),
        ({"space": {"learning_rate": {"loguniform": [1, 2]}}}, "did you mean log-uniform"),
        ({"space": {"learning_rate": {"uniform": [1, 2], "log-uniform": [1, 2]}}}, "wanted one distribution"),
        ({"space": {"learning_rate": {"log-uniform": [1, 0.1]}}}, "wanted low < high"),
        ({"space": {"learning_rate": {"log-uniform": [0, 0.1]}}}, "low: .*greater than 0"),
        ({"space": {"learning_rate": {"log-uniform": ["0.1", 1]}}}, "wanted two numbers"),
        ({"space": {"learning_rate": {"log-uniform": [0.1, math.inf]}}}, "wanted two numbers"),
        ({"space": {"learning_rate": {"uniform": [0.1, 0.2], "whole": 1}}}, "whole: wanted true or false"),
        ({"space": {"learning_rate": {"uniform": [0.1, 0.2], "whole": True}}}, "could become 0"),
        ({"space": {"learning_rate": [math.nan]}}, "to choose from, got nan"),
        ({"space": {"learning_rate": [0.1, 0.1]}}, "wanted each value once"),
        ({"space": {"optimizer": ["adam", "sdg"]}}, "could become 'sdg'"),
        ({"space": {"momentum": {"uniform": [0, 0.9]}}}, "momentum: belongs to the optimizer sgd"),
        ({"space": {"learnign_rate": [0.1]}}, "did you mean learning_rate"),
        ({"space": {"max_epochs": [1, 2]}}, "no hyper-parameter is called 'max_epochs'"),
        ({"space": {"parameters": [3_000]}, "settings": {"parameters": 2_000}}, "wanted one of both"),
        ({"settings": {"parameters": 3_000, "hidden_size": 7}}, "wanted one of hidden_size and parameters"),
        ({"settings": {"decay": "0.9"}}, "decay: wanted a number, got '0.9'"),
        ({"settings": {"learning_rate": True}}, "learning_rate: wanted a number, got True"),
        ({"settings": {"optimizer": "adamm"}}, "settings: optimizer: "),
        ({"settings": {"parameters": 3}}, "task parity: impossible budget"),
        ({"settings": {"bidirectional": True}}, "task parity: bidirectional: .* would have read it"),
        ({"space": {"bidirectional": [False, True]}}, "task parity: bidirectional: .* would have read it"),
    ],
)
def test_what_cannot_be_is_one_line(changed, said):
    with pytest.raises(GatelabError, match=said) as refused:
        declared({**LEAST, **changed})
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 1500


@pytest.mark.parametrize(
    ("space", "settings", "said"),
    [
        (["learning_rate"], [], "--space: wanted NAME=VALUE"),
        (["learning_rate=log:1"], [], "wanted such as log:1e-4:1e-1, got 'log:1'"),
        (["learning_rate=lag:1:2"], [], "no distribution is called 'lag'"),
        (["learning_rte=log:1:2"], [], "did you mean learning_rate"),
        (["layers=1,2", "layers=3"], [], "wanted each once"),
        ([], ["momentum="], "--set: wanted NAME=VALUE"),
        ([], ["momentun=1"], "did you mean momentum"),
    ],
)
def test_words_that_say_nothing(space, settings, said):
    with pytest.raises(ConfigError, match=said):
        from_words(space, settings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "wanted TOML"),
        (b"name = ", "wanted TOML"),
        (b"a = " + b"[" * 100_000, "wanted TOML"),
        (b"#" * (1 << 20) + b"\n", "more than 1024 KiB"),
        (b"trials = " + b"9" * 10_000, "wanted TOML"),
        (b"cells = ['gru']", "tasks: field required"),
        (b"tasks = ['parity']\ncells = ['gru']\nseed = 2020-01-01", "seed: "),
    ],
)
def test_files_that_declare_nothing(tmp_path, content, said):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=rf"a\.toml: {said}"):
        read_declaration(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match="no such file"):
        read_declaration(tmp_path / "b.toml")
    with pytest.raises(ConfigError, match="is a directory"):
        read_declaration(tmp_path)
