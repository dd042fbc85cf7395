"""What every estimator shares: parameters by their names, one training, and the model that comes of it."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import Any, Self

import torch

from gatelab.cells import get
from gatelab.errors import ConfigError, near_misses
from gatelab.graph.cell import Cell
from gatelab.models.folder import Card, Model, load, save
from gatelab.models.make import make, order
from gatelab.tasks.network import Network
from gatelab.tasks.task import Task


class Estimator:
    """Parameters in scikit-learn's manner: each is an attribute of its name, and none is checked before fit.

    Parameters
    ----------
    cell
        A cell, or the name of one in the catalogue.
    hidden_size, layers, bidirectional
        Units of a layer, layers, and whether sequences are read from their end, too.
    dropout
        Share of what goes from layer to layer that is left out in training.
    learning_rate
        η; None: what suits the task as a rule.
    batch_size, max_epochs
        Sequences of an update; the most passes over the data.
    patience
        Epochs without a better validation after which the training stops; the best epoch's weights are kept.
    validation
        Share of the data that is held out for this.
    seed
        Of the held-out part, of the initial weights, and of all that is drawn.

    Attributes
    ----------
    model_
        What was trained, as :func:`gatelab.load` returns it.
    module_
        Its network, a ``torch.nn.Module`` in eval mode.
    history_
        What was said of each epoch: ``epoch``, ``updates``, ``seconds``, ``train``, ``valid``.
    """

    model_: Model
    history_: list[dict[str, Any]]

    def __init__(
        self,
        cell: str | Cell = "lstm",
        hidden_size: int = 64,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        learning_rate: float | None = None,
        batch_size: int = 16,
        max_epochs: int = 30,
        patience: int = 5,
        validation: float = 0.15,
        seed: int = 0,
    ) -> None:
        self.cell, self.hidden_size, self.layers = cell, hidden_size, layers
        self.bidirectional, self.dropout = bidirectional, dropout
        self.learning_rate, self.batch_size = learning_rate, batch_size
        self.max_epochs, self.patience = max_epochs, patience
        self.validation, self.seed = validation, seed

    @classmethod
    def _names(cls) -> list[str]:
        return list(inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by their names; ``deep`` makes no difference."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; they count from the next fit on.

        Raises
        ------
        ConfigError
            There is no parameter of this name.
        """
        known = self._names()
        for name, value in params.items():
            if name not in known:
                hint = near_misses(name, known) or ";"
                raise ConfigError(
                    f"{type(self).__name__} has no parameter {name!r}{hint} it has {', '.join(known)}"
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        usual = {p.name: p.default for p in inspect.signature(type(self)).parameters.values()}
        said = [f"{k}={v!r}" for k, v in self.get_params().items() if v != usual[k]]
        return f"{type(self).__name__}({', '.join(said)})"

    @property
    def module_(self) -> Network:
        """The network, in eval mode unless it was changed; what predicts puts it back into it."""
        return self._fitted().network

    def save(self, folder: str | Path) -> Path:
        """Write what was trained as a model's folder, which :func:`gatelab.load` reads; return its path."""
        model = self._fitted()
        return save(Path(folder).expanduser(), model.card, model.network)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Return an estimator with the model of a folder that :meth:`save` wrote.

        Raises
        ------
        ConfigError, RunError
            The folder holds no model, or one that another kind of estimator trained.
        """
        model = load(folder)
        found = cls(**cls._told(model.card))
        found._restore(model)
        return found

    @classmethod
    def _told(cls, card: Card) -> dict[str, Any]:
        """Return the parameters with which this model would be trained again; others are as usual."""
        from gatelab.graph.data import from_data

        training = card.training
        return {
            "cell": from_data(card.cell), "hidden_size": card.hidden_size, **card.body.model_dump(),
            "learning_rate": card.learning_rate, "batch_size": training.batch_size,
            "max_epochs": training.max_epochs, "patience": training.patience, "seed": card.seed,
        }  # fmt: skip

    def _restore(self, model: Model) -> None:
        """Take over a model, with what else fit sets."""
        self.model_, self.history_ = model, []

    def _train(self, task: Task) -> Self:
        """Train a network of the task; its split ``test`` is not looked at."""
        history: list[dict[str, Any]] = []
        body = {"layers": self.layers, "bidirectional": self.bidirectional, "dropout": self.dropout}
        training = {k: getattr(self, k) for k in ("batch_size", "max_epochs", "patience")}
        with tempfile.TemporaryDirectory(prefix="gatelab-") as folder, torch.random.fork_rng(devices=[]):
            asked = order(
                task, get(self.cell), self.hidden_size, body, training, self.learning_rate, self.seed
            )
            make(Path(folder), asked, lambda epoch: history.append(epoch.model_dump()))
            model = load(folder)
        self._restore(Model(_without_test(model.card), model.cell, model.network, model.kept))
        self.history_ = history
        return self

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise ConfigError(f"this {type(self).__name__} has learned nothing yet; call fit before")
        return self.model_


def _without_test(card: Card) -> Card:
    """Return the card without test: an estimator's data is all for training and validation."""
    task = card.task
    counts = {"sequences": (*task.sequences[:2], 0), "steps": (*task.steps[:2], 0)}
    valid = {"valid": card.measures["valid"]}
    return card.model_copy(update={"task": task.model_copy(update=counts), "measures": valid})
