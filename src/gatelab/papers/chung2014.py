"""Chung, Gulcehre, Cho and Bengio 2014: tanh, LSTM or GRU, at equal parameter counts?

Reported numbers are those of the paper's tables 1 and 2; they stand beside ours and enter no computation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from gatelab.data import load_music
from gatelab.errors import ConfigError, near_misses
from gatelab.runs import Comparison, Paper, Reported, Training, build
from gatelab.search import comparison, log_uniform
from gatelab.search.space import check_seed

KEY = "chung2014"
CITATION = (
    "Chung, Gulcehre, Cho, Bengio 2014. Empirical Evaluation of Gated Recurrent Neural Networks on Sequence "
    "Modeling. arXiv:1412.3555"
)
CELLS = ("tanh", "gru", "lstm")
BUDGET = 20_000
SIZES = {"tanh": (100, "20.1 × 10³"), "gru": (46, "20.2 × 10³"), "lstm": (36, "19.8 × 10³")}
"""Hidden units and parameters of the recurrent layer on the music sets (table 1)."""

NLL: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "nottingham": {"tanh": (3.22, 3.13), "gru": (2.79, 3.23), "lstm": (3.08, 3.20)},
    "jsb": {"tanh": (8.82, 9.10), "gru": (6.94, 8.54), "lstm": (8.15, 8.67)},
    "muse": {"tanh": (5.64, 6.23), "gru": (5.06, 5.99), "lstm": (5.18, 6.23)},
    "piano": {"tanh": (5.64, 9.03), "gru": (4.93, 8.82), "lstm": (6.49, 9.03)},
}
"""Train and test NLL per step (table 2)."""

TRAINING = Training(
    optimizer="rmsprop", weight_noise=0.075, max_norm=1.0, batch_size=4, max_epochs=200, patience=20
)

NOT_SAID = (
    "Batch size, number of epochs, patience, RMSProp's decay and the initial weights are not given in the "
    "paper; ours are in the configuration (input matrices Glorot, recurrent ones orthogonal, peepholes and "
    "biases 0).",
    "Weight noise is added to all weights, those of the output layer and the biases included; the paper does "
    "not say to which.",
    "The learning rate is chosen on one seed and the chosen trial repeated from further seeds; the paper "
    "gives one number a unit, without spread.",
    "Train NLL is computed after training, without weight noise, with the weights of the best validation "
    "epoch.",
)


def plan(
    dataset: str = "jsb",
    *,
    sizes: Literal["budget", "table"] = "budget",
    trials: int = 10,
    repeats: int = 4,
    seed: int = 0,
    training: Training = TRAINING,
) -> Comparison:
    """Return the paper's comparison on one of its music sets.

    Parameters
    ----------
    dataset
        ``jsb``, ``nottingham``, ``muse`` or ``piano``.
    sizes
        ``"budget"`` solves the hidden sizes for 20,000 parameters with the 88 inputs that the data has;
        ``"table"`` takes the hidden sizes of the paper's table 1, whose counts hold for 100 inputs.
    trials, repeats, seed, training
        As in :func:`gatelab.search.comparison`.

    Raises
    ------
    ConfigError
        Where the paper has no such task.

    Examples
    --------
    >>> from gatelab.papers import chung2014
    >>> chung2014.NLL["jsb"]["gru"]  # train, test
    (6.94, 8.54)
    """
    if trials < 1:
        raise ConfigError(f"trials: wanted at least 1 learning rate, got {trials}")
    check_seed(seed)
    data = load_music(dataset)
    if data.name not in NLL:
        raise ConfigError(
            f"the paper has no task {dataset!r}{near_misses(dataset, NLL)}; "
            f"its music sets are {', '.join(NLL)}"
        )
    return comparison(
        dataset,
        CELLS,
        parameters=BUDGET,
        hidden_sizes=[SIZES[c][0] for c in CELLS] if sizes == "table" else None,
        learning_rates=log_uniform(trials, seed),
        repeats=repeats,
        seed=seed,
        training=training,
        paper=_paper(data.name, _differences(sizes, trials, training)),
    )


def _paper(dataset: str, differences: Sequence[str]) -> Paper:
    reported = {
        cell: Reported(hidden_size=SIZES[cell][0], parameters=SIZES[cell][1], train=train, test=test)
        for cell, (train, test) in NLL[dataset].items()
    }
    return build(
        Paper,
        key=KEY,
        citation=CITATION,
        table="tables 1 and 2",
        reported=reported,
        differences=tuple(differences),
    )


def _differences(sizes: str, trials: int, training: Training) -> list[str]:
    said = [_said_of_sizes(sizes), *NOT_SAID]
    if trials != 10:
        said.append(f"{trials} learning rate(s) were tried, the paper tried 10.")
    if training != TRAINING:
        changed = [k for k, v in training if v != getattr(TRAINING, k)]
        said.append(f"Changed by options of the command: {', '.join(changed)}.")
    return said


def _said_of_sizes(sizes: str) -> str:
    if sizes == "table":
        return (
            "Hidden sizes are those of the paper's table 1; with the 88 inputs of the data their parameter "
            "counts are lower than the table's, which hold for 100 inputs."
        )
    return (
        "Hidden sizes are solved for 20,000 parameters of the recurrent layer with the data's 88 inputs; the "
        "counts of the paper's table 1 hold for 100 inputs."
    )
