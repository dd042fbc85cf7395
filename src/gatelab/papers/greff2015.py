"""Greff, Srivastava, Koutník, Steunebrink and Schmidhuber 2015: which parts does the LSTM need?

Nine units, and the GRU beside them, on three tasks; each trial draws its hyper-parameters from one space.
Reported numbers and findings are those of the paper; they stand beside ours and enter no computation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

from gatelab.cells import get
from gatelab.errors import ConfigError, near_misses
from gatelab.graph.data import to_data
from gatelab.runs import Body, Paper, Reported, Training
from gatelab.runs.config import Effort
from gatelab.runs.findings import Finding, Relation
from gatelab.runs.space import LogUniform, OneMinusLogUniform, Space, Uniform
from gatelab.runs.study import StudyCell, StudyPlan, StudyTask, study_plan
from gatelab.search.space import check_seed
from gatelab.tasks import open_task

KEY = "greff2015"
CITATION = (
    "Greff, Srivastava, Koutník, Steunebrink, Schmidhuber 2015. LSTM: A Search Space Odyssey. "
    "arXiv:1503.04069"
)
VARIANTS = ("nig", "nfg", "nog", "niaf", "noaf", "np", "cifg", "fgr")
CELLS = ("lstm", *VARIANTS, "gru")
"""Vanilla, with peepholes; its eight variants; and the GRU, which the paper does not have."""

SPACE: Space = MappingProxyType(
    {
        "learning_rate": LogUniform(low=1e-6, high=1e-2),
        "hidden_size": LogUniform(low=20, high=200, whole=True),
        "momentum": OneMinusLogUniform(low=0.0, high=0.99),
        "input_noise": Uniform(low=0.0, high=1.0),
    }
)
"""What each trial draws (section III): units of each direction, and 1 − momentum from 0.01 to 1."""

TRAINING = Training(
    optimizer="sgd", normalized_momentum=True, loss="sum", batch_size=1, weight_noise=0.0, max_norm=None,
    init_deviation=0.1, max_epochs=150, patience=15,
)  # fmt: skip
"""An update after every sequence by its whole loss; gradients are not clipped."""


class Posed(NamedTuple):
    """One of the paper's tasks: what loads it, and how the paper's own data differs from that."""

    load: str
    kind: str
    body: Body
    differs: str = ""


BOTH_WAYS = Body(bidirectional=True)
TASKS: Mapping[str, Posed] = MappingProxyType(
    {
        "jsb": Posed("jsb", "music", Body()),
        "phones": Posed(
            "festvox_ru", "frames", BOTH_WAYS,
            "phones: 160 sentences of one Russian speaker with 51 phones stand in for TIMIT's 3,696 "
            "sentences of 462 speakers with 61; give phones=PATH of a TIMIT folder for the paper's data.",
        ),
        "handwriting": Posed(
            "gw", "transcribe", BOTH_WAYS,
            "handwriting: 4,860 single words of one writer stand in for IAM-OnDB's lines by many "
            "writers; give handwriting=PATH of an IAM-OnDB folder for the paper's data.",
        ),
    }
)  # fmt: skip

REPORTED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"phones": {"cifg": 29.6}, "handwriting": {"np": 9.26}, "jsb": {"niaf": 8.38}}
)
"""The best test results that the text names: frame error [%], character error [%], NLL [nats per step]."""

EFFORT = Effort(trials={"phones": 1800, "handwriting": 1800, "jsb": 1800}, years=15)
"""Nine units × 200 trials of each task, in about 15 years of one processor (section IV)."""

DIFFERENCES = (
    "The GRU is added; the paper has the LSTM and its eight variants.",
    "The loss of an update is the sum over the steps of its sequence, and the learning rate is multiplied by "
    "1 − momentum, as in pylstm, the library of the paper's authors; the paper does not say the former.",
    "Remembered, not checked against the paper: weights from N(0, 0.1²), at most 150 epochs, 15 without a "
    "better validation, and the reported numbers.",
    "The k-th trials of all units share hyper-parameters, initial seed and order of sequences, so that units "
    "can be compared in pairs; the paper draws 200 trials for each unit.",
    "A training whose loss becomes far worse than that of guessing (on music twice a fair coin's) ends "
    "there, as diverged; the paper says nothing of such trials.",
    "Training ends by the validation loss (NLL or CTC), and the weights of its best epoch are kept.",
)


def study(
    datasets: Sequence[str] = ("jsb",),
    *,
    cells: Sequence[str] = CELLS,
    trials: int = 200,
    seed: int = 0,
    training: Training = TRAINING,
    pruner: Literal["none", "median"] = "none",
    name: str = KEY,
) -> StudyPlan:
    """Return the paper's study.

    Parameters
    ----------
    datasets
        ``jsb``, ``phones`` and ``handwriting``, each once; ``phones=PATH`` or ``handwriting=PATH`` takes the
        user's own data, such as TIMIT or IAM-OnDB, and ``jsb=PATH`` or ``jsb=NAME`` other music.
    cells
        Names of cells; those of the paper and the GRU.
    trials
        Of each cell on each task.
    seed
        Of all draws.
    training
        How networks are trained; what the space draws is put in its place.
    pruner
        As in :class:`gatelab.runs.study.StudyPlan`; the paper has none.
    name
        The study's name.

    Raises
    ------
    ConfigError, DataError
        Where a name, a number or a file is impossible.

    Examples
    --------
    >>> from gatelab.papers import greff2015
    >>> plan = greff2015.study(["jsb=chorales"], cells=["lstm", "nfg"], trials=3)
    >>> [key.name for key in plan.keys()][:2], plan.tasks[0].training.optimizer
    (['jsb/lstm/0', 'jsb/nfg/0'], 'sgd')
    >>> sorted(plan.space)
    ['hidden_size', 'input_noise', 'learning_rate', 'momentum']
    """
    check_seed(seed)
    if trials < 1:
        raise ConfigError(f"trials: wanted at least 1 a cell, got {trials}")
    asked = dict(map(_asked, datasets))
    if len(asked) < len(datasets) or not asked:
        raise ConfigError(
            f"datasets: wanted some of {', '.join(TASKS)}, each once; got {', '.join(datasets)}"
        )
    return study_plan(
        name=name,
        tasks=tuple(_task(task, load, training) for task, load in asked.items()),
        cells=tuple(StudyCell(name=c.name, cell=to_data(c)) for c in map(get, cells)),
        space=dict(SPACE),
        trials=trials,
        seed=seed,
        pruner=pruner,
        paper=_paper(asked, trials, training, pruner),
        findings=tuple(_findings(asked, cells)),
    )


def _asked(dataset: str) -> tuple[str, str]:
    """Return the task and what loads it."""
    task, told, load = dataset.partition("=")
    if task not in TASKS or (told and not load):
        raise ConfigError(
            f"the paper has no task {dataset!r}{near_misses(task, TASKS)}; its tasks are {', '.join(TASKS)}, "
            "or with your own data, such as phones=PATH"
        )
    return task, load or TASKS[task].load


def _task(name: str, load: str, training: Training) -> StudyTask:
    posed = TASKS[name]
    return StudyTask(
        name=name, record=open_task(load, posed.kind).record(), body=posed.body, training=training
    )


def _paper(asked: Mapping[str, str], trials: int, training: Training, pruner: str) -> Paper:
    said = [*DIFFERENCES]
    for task, load in asked.items():
        if load == TASKS[task].load:
            said += [TASKS[task].differs] * bool(TASKS[task].differs)
        else:
            said.append(f"{task}: the user's data, {load}.")
    if trials != 200:
        said.append(f"{trials} trials a cell and task; the paper has 200.")
    if pruner != "none":
        said.append(f"Trials that promise little are stopped early (pruner: {pruner}).")
    if changed := [k for k, v in training if v != getattr(TRAINING, k)]:
        said.append(f"Changed: {', '.join(changed)}.")
    reported = {f"{t}/{c}": Reported(test=value) for t in asked for c, value in REPORTED[t].items()}
    return Paper(
        key=KEY,
        citation=CITATION,
        table="the text",
        reported=reported,
        differences=tuple(said),
        effort=EFFORT,
    )


def _of_cell(cell: str, relation: Relation, tasks: tuple[str, ...], sentence: str) -> Finding:
    return Finding(sentence=sentence, tasks=tasks, about=(cell,), relation=relation, reference="lstm")


def _of_settings(
    names: str, relation: Relation, tasks: tuple[str, ...], sentence: str, bound: float | None = None
) -> Finding:
    """Return a finding of hyper-parameters; those with a bound were not checked against the paper."""
    about, checked = tuple(names.split(", ")), bound is None
    return Finding(
        sentence=sentence, tasks=tasks, about=about, relation=relation, bound=bound, checked=checked
    )


PHONES, WRITING, MUSIC = "phones", "handwriting", "jsb"
ALL, OTHERS = (PHONES, WRITING, MUSIC), (PHONES, WRITING)
FINDINGS = (
    _of_cell("nfg", "worse", ALL, "No forget gate: worse on all three tasks."),
    _of_cell("noaf", "worse", ALL, "No output activation: worse on all three tasks."),
    _of_cell("nig", "worse", OTHERS, "No input gate: worse on speech and handwriting."),
    _of_cell("nog", "worse", OTHERS, "No output gate: worse on speech and handwriting."),
    _of_cell("niaf", "worse", OTHERS, "No input activation: worse on speech and handwriting."),
    _of_cell("nig", "not worse", (MUSIC,), "No input gate: not worse on music."),
    _of_cell("nog", "not worse", (MUSIC,), "No output gate: not worse on music."),
    _of_cell("niaf", "not worse", (MUSIC,), "No input activation: not worse on music."),
    _of_cell("cifg", "alike", ALL, "Coupled input and forget gate: changes little."),
    _of_cell("np", "alike", ALL, "No peepholes: changes little."),
    _of_cell("fgr", "not better", ALL, "Full gate recurrence: does not help."),
    _of_settings("learning_rate", "largest share", ALL, "The learning rate matters most."),
    _of_settings(
        "learning_rate", "share at least", ALL, "It explains more than two thirds of the variance.", 2 / 3
    ),
    _of_settings("hidden_size", "next share", ALL, "The hidden size matters next."),
    _of_settings("momentum", "share at most", ALL, "Momentum hardly matters.", 0.01),
    _of_settings("input_noise", "rising", (WRITING, MUSIC), "Input noise hurts music and handwriting."),
    _of_settings(
        "learning_rate, hidden_size", "interaction at most", ALL,
        "Learning rate and hidden size are nearly independent.", 0.05,
    ),
)  # fmt: skip
"""What the paper found; ``phones`` stands for its TIMIT, ``handwriting`` for its IAM-OnDB. The bounds of 0.01
and 0.05 are what we take "hardly" and "nearly" to mean."""


def _findings(tasks: Iterable[str], cells: Sequence[str]) -> Iterable[Finding]:
    """Yield what the paper found of these tasks and cells."""
    for finding in FINDINGS:
        there = tuple(t for t in finding.tasks if t in tasks)
        known = finding.reference is None or {finding.about[0], finding.reference} <= set(cells)
        if there and known:
            yield finding.model_copy(update={"tasks": there})
