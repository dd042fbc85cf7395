"""A study as a file of TOML declares it, or the words of a command line → its plan.

::

    name = "units"                       # of the file, where it is not said
    cells = ["tanh", "lstm", "gru"]
    trials = 50                          # of each cell on each task
    seed = 0
    pruner = "none"                      # or "median"
    max_epochs = 100                     # of all tasks that say nothing else; patience, too
    tasks = ["jsb", "muse"]              # or a table for each:

    [[tasks]]
    data = "songs.mid.zip"               # a known set, or a path, seen from the file's folder
    task = "music"                       # as a rule what the data suggests
    name = "songs"                       # as a rule the set's
    options = {split = "70/15/15"}
    batch_size = 4                       # and whatever else its networks are trained with

    [space]
    learning_rate = {log-uniform = [1e-6, 1e-2]}
    momentum = {one-minus-log-uniform = [0.0, 0.99]}
    input_noise = {uniform = [0.0, 1.0]}
    hidden_size = {log-uniform = [20, 200]}
    optimizer = ["sgd", "adam"]

    [settings]                           # what all trials share
    weight_noise = 0.075

What is not said of a learning rate is log-uniform within the bounds of the tasks; of the size, a budget of
20,000 parameters, so that cells are compared at equal counts; of noise on weights and inputs, none. All else
is as each task trains its networks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gatelab.data.places import spelt
from gatelab.errors import ConfigError, near_misses
from gatelab.runs import Body, Training, build
from gatelab.runs.config import Frozen, Positive
from gatelab.runs.space import AnyDimension, Choice, Interval, LogUniform, OneMinusLogUniform, Uniform, Value
from gatelab.runs.study import KNOWN, SIZES, StudyPlan
from gatelab.search.declare import OF_A_TASK, as_name, declare
from gatelab.tasks.guess import named

LARGEST = 1 << 20
"""Bytes that a declaration may have."""
WHOLE = (*SIZES, "batch_size", "layers", "anneal_after")
"""Hyper-parameters that are whole numbers."""
INTERVALS: Mapping[str, type[Interval]] = MappingProxyType(
    {"uniform": Uniform, "log-uniform": LogUniform, "one-minus-log-uniform": OneMinusLogUniform}
)
OF_TRAINING = (*Training.model_fields, *Body.model_fields)


class Declaration(Frozen):
    """What may stand at the top of a declaration; nothing is taken for what it is not, such as "5" for 5."""

    model_config = {**Frozen.model_config, "strict": True}  # noqa: RUF012

    name: str | None = None
    tasks: list[str | dict[str, Any]]
    cells: list[str]
    trials: Positive = 50
    seed: int = 0
    pruner: Literal["none", "median"] = "none"
    max_epochs: Positive | None = None
    patience: Positive | None = None
    space: dict[str, Any] | None = None
    settings: dict[str, Value] | None = None


def read_declaration(path: Path) -> StudyPlan:
    """Return the plan that a file of TOML declares.

    Raises
    ------
    ConfigError
        The file is missing or no TOML, or what it says cannot be: one line that says what.
    DataError
        The data of a task is broken.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"{path}: {reason}; wanted a file of TOML that declares a study, or a known data set"
        ) from None
    if len(content) > LARGEST:
        raise ConfigError(f"{path}: more than {LARGEST >> 10} KiB; that declares no study")
    try:
        said = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: wanted TOML; {str(error)[:200]}") from None
    try:
        return declared({"name": as_name(path.stem)} | said, path.absolute().parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def declared(said: Mapping[str, Any], folder: Path | None = None) -> StudyPlan:
    """Return the plan that the values of a file declare; paths are seen from ``folder``.

    Raises
    ------
    ConfigError, DataError
        As :func:`read_declaration`.

    Examples
    --------
    >>> from gatelab.search.declaration import declared
    >>> plan = declared({"tasks": ["parity"], "cells": ["tanh", "gru"], "trials": 3})
    >>> plan.name, len(plan), list(plan.space), plan.settings["parameters"]
    ('parity', 6, ['learning_rate'], 20000)
    """
    found = build(Declaration, **said)
    shared = {k: v for k in ("max_epochs", "patience") if (v := getattr(found, k)) is not None}
    asked = [_asked(task, shared, folder) for task in found.tasks]
    space = {name: _dimension(name, value) for name, value in (found.space or {}).items()}
    return declare(
        asked, found.cells, name=found.name, trials=found.trials, space=space, settings=found.settings,
        seed=found.seed, pruner=found.pruner,
    )  # fmt: skip


def dimension(name: str, kind: str, low: float, high: float, whole: bool = False) -> AnyDimension:
    """Return how a hyper-parameter is drawn between two numbers; sizes are whole by themselves.

    Raises
    ------
    ConfigError
        There is no such kind, or nothing between these ends.
    """
    if kind not in INTERVALS:
        raise ConfigError(
            f"space.{name}: no distribution is called {kind!r}{near_misses(kind, INTERVALS)}; known are "
            f"{', '.join(INTERVALS)}, or a list of values"
        )
    try:
        return build(INTERVALS[kind], low=low, high=high, whole=whole or name in WHOLE)  # type: ignore[return-value]
    except ConfigError as error:
        raise ConfigError(f"space.{name}: {error}") from None


def choice(name: str, values: Sequence[Value]) -> Choice:
    """Return a hyper-parameter that is one of some values.

    Raises
    ------
    ConfigError
        There is none, one of them twice, or one that is no number, text or truth.
    """
    if odd := [v for v in values if not (isinstance(v, bool | str) or _is_number(v))]:
        raise ConfigError(f"space.{name}: wanted numbers, texts or truths to choose from, got {odd[0]!r:.60}")
    try:
        return build(Choice, values=tuple(values))
    except ConfigError as error:
        raise ConfigError(f"space.{name}: {error}") from None


def _dimension(name: str, said: Any) -> AnyDimension:
    """Return what a line of [space] says."""
    if isinstance(said, list):
        return choice(name, said)
    if not isinstance(said, dict):
        raise ConfigError(
            f"space.{name}: wanted such as {{log-uniform = [1e-4, 1e-1]}} or a list of values, got "
            f"{said!r:.60}; what all trials share stands in [settings]"
        )
    if strange := sorted(set(said) - {*INTERVALS, "whole"}):
        hint = near_misses(strange[0], [*INTERVALS, "whole"])
        raise ConfigError(
            f"space.{name}: no distribution is called {strange[0]!r}{hint}; known are {', '.join(INTERVALS)}"
        )
    kinds = [kind for kind in said if kind != "whole"]
    if len(kinds) != 1:
        raise ConfigError(f"space.{name}: wanted one distribution, got {' and '.join(kinds) or 'none'}")
    ends, whole = said[kinds[0]], said.get("whole", False)
    if not (isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends))):
        raise ConfigError(f"space.{name}: wanted two numbers, [low, high], got {ends!r:.60}")
    if not isinstance(whole, bool):
        raise ConfigError(f"space.{name}: whole: wanted true or false, got {whole!r:.60}")
    return dimension(name, kinds[0], ends[0], ends[1], whole)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _asked(said: str | dict[str, Any], shared: Mapping[str, int], folder: Path | None) -> dict[str, Any]:
    """Return what is asked of a task, with what is said of all; a path is seen from the folder."""
    asked: dict[str, Any] = {"data": said} if isinstance(said, str) else dict(said)
    for name in asked:
        if name not in OF_A_TASK and name not in OF_TRAINING:
            known = (*OF_A_TASK, *OF_TRAINING)
            raise ConfigError(f"tasks: no key is called {name!r}{near_misses(name, known)}")
    for name in ("data", "task", "name"):
        if not isinstance(asked.get(name, "" if name != "data" else None), str):
            raise ConfigError(f"tasks: {name}: wanted a text, got {asked.get(name)!r:.60}")
    options = asked.get("options", {})
    if not isinstance(options, dict) or any(isinstance(v, dict | list) for v in options.values()):
        raise ConfigError(f"tasks: options: wanted such as {{unroll = 50}}, got {options!r:.60}")
    data = asked["data"]
    if folder is not None and spelt(data, named()) is None and (folder / data).exists():
        asked["data"] = str(folder / data)
    return {**shared, **asked}


def from_words(space: Sequence[str], settings: Sequence[str]) -> tuple[dict[str, Any], dict[str, Value]]:
    """Return a space and settings as a command line says them.

    ``NAME=log:LOW:HIGH``, ``NAME=uniform:LOW:HIGH``, ``NAME=one-minus-log:LOW:HIGH`` or ``NAME=A,B,C``; and
    ``NAME=VALUE``.

    Raises
    ------
    ConfigError
        A word is not of this form.

    Examples
    --------
    >>> from gatelab.search.declaration import from_words
    >>> space, settings = from_words(["hidden_size=log:20:200", "optimizer=sgd,adam"], ["momentum=0.9"])
    >>> space["hidden_size"].whole, space["optimizer"].values, settings
    (True, ('sgd', 'adam'), {'momentum': 0.9})
    """
    drawn: dict[str, Any] = {}
    for name, said in _pairs("--space", space, "learning_rate=log:1e-4:1e-1"):
        kind, colon, ends = said.partition(":")
        if not colon:
            drawn[name] = choice(name, [_value(word) for word in said.split(",")])
            continue
        numbers = [_value(word) for word in ends.split(":")]
        if len(numbers) != 2 or not all(map(_is_number, numbers)):
            raise ConfigError(f"--space {name}: wanted such as log:1e-4:1e-1, got {said!r}")
        full = kind if kind in INTERVALS else f"{kind}-uniform"
        low, high = numbers
        assert isinstance(low, int | float)
        assert isinstance(high, int | float)
        drawn[name] = dimension(name, full if full in INTERVALS else kind, low, high)
    return drawn, {name: _value(said) for name, said in _pairs("--set", settings, "momentum=0.9")}


def _pairs(option: str, words: Sequence[str], such_as: str) -> list[tuple[str, str]]:
    found = []
    for word in words:
        name, equals, said = word.partition("=")
        if not (name and equals and said):
            raise ConfigError(f"{option}: wanted NAME=VALUE, such as {such_as}, got {word!r}")
        if name not in KNOWN:
            raise ConfigError(
                f"{option}: no hyper-parameter is called {name!r}{near_misses(name, KNOWN)}; known are "
                f"{', '.join(KNOWN)}"
            )
        found.append((name, said))
    if len(dict(found)) < len(found):
        raise ConfigError(f"{option}: {', '.join(n for n, _ in found)}: wanted each once")
    return found


def _value(word: str) -> Value:
    """Return a word as the truth, the number or the text that it says."""
    if word in ("true", "false"):
        return word == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word
