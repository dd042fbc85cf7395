"""A trained network as a folder: its weights, and everything else as JSON.

::

    MODEL/
      model.json            what the network is: cell, sizes, task, what was kept of the data, measures
      weights.safetensors   its weights

The cell travels as its graph, checked when it is read; so a model with an invented cell loads where nobody
knows its source. Nothing in the folder is code, and nothing of it is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_weights
from safetensors.torch import save as write_weights

from gatelab.errors import CellError, ConfigError, RunError, ShapeError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data, to_data
from gatelab.runs import Body, Training, write_atomic, write_json
from gatelab.runs.config import Frozen, Positive
from gatelab.runs.config import Task as Record
from gatelab.runs.folder import parse_model, read_json
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.network import Network

LARGEST = 4 * 2**30
"""The most bytes of weights."""


class Card(Frozen):
    """What ``model.json`` says.

    Attributes
    ----------
    task
        Kind, data and measures, as a run keeps them.
    blueprint, cell, hidden_size, body
        What the network is made of.
    kept
        What the task keeps of its data to use the network: vocabulary, classes, scales.
    training, learning_rate, seed
        How it was trained.
    measures
        For valid and test, each measure by its name.
    """

    format: Literal[1] = 1
    gatelab: str
    task: Record
    blueprint: Blueprint
    cell: dict[str, Any]
    hidden_size: Positive
    body: Body
    kept: dict[str, Any]
    training: Training
    learning_rate: float
    seed: int
    measures: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Model:
    """A trained network with what is known of it.

    Attributes
    ----------
    card
        What ``model.json`` says.
    cell
        Its cell.
    network
        The torch module, in eval mode.
    """

    card: Card
    cell: Cell
    network: Network

    @property
    def kind(self) -> str:
        """The kind of its task."""
        return self.card.task.kind


def save(folder: Path, card: Card, network: Network) -> Path:
    """Write a model's folder; files that are there are replaced whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {folder}: {(error.strerror or str(error)).lower()}") from None
    own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    write_atomic(folder / "weights.safetensors", write_weights(own))
    write_json(folder / "model.json", card)
    return folder


def load(folder: str | Path) -> Model:
    """Return the model in a folder.

    Raises
    ------
    RunError
        The folder is no model, was edited so that its parts do not fit, or is damaged.

    Examples
    --------
    >>> import gatelab
    >>> gatelab.load("nowhere")
    Traceback (most recent call last):
    gatelab.errors.RunError: nowhere is no folder; wanted a model's folder, as gatelab train makes it
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise RunError(f"{place} is no folder; wanted a model's folder, as gatelab train makes it")
    card = parse_model(place / "model.json", read_json(place / "model.json"), Card, 1)
    try:
        cell = from_data(card.cell)
        with torch.device("meta"):  # shapes without memory: what the file says is not believed before
            shape = card.blueprint.network(cell, card.hidden_size, card.body)
        weights = _weights(shape, place / "weights.safetensors")
        with torch.random.fork_rng(devices=[]):
            network = card.blueprint.network(cell, card.hidden_size, card.body)
    except (CellError, ConfigError, ShapeError) as error:
        raise RunError(f"{place / 'model.json'} cannot be used: {error}") from None
    network.load_state_dict(weights)
    return Model(card, cell, network.eval())


def card_of(cell: Cell, **values: Any) -> Card:
    """Return a card with this cell."""
    from importlib.metadata import version

    return Card(gatelab=version("gatelab"), cell=to_data(cell), **values)


def _weights(network: Network, path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a network of these shapes; refuse others."""
    try:
        if path.stat().st_size > LARGEST:
            raise RunError(f"{path}: wanted at most {LARGEST >> 30} GiB of weights; try a smaller model")
        weights = read_weights(path.read_bytes())
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); take it from a copy") from None
    wanted = {name: (tuple(t.shape), t.dtype) for name, t in network.state_dict().items()}
    came = {name: (tuple(t.shape), t.dtype) for name, t in weights.items()}
    if wanted != came:
        odd = next(n for n in sorted(wanted.keys() | came.keys()) if wanted.get(n) != came.get(n))
        raise RunError(
            f"{path} does not fit model.json: weight {odd}: wanted {_said(wanted.get(odd))}, "
            f"came {_said(came.get(odd))}; was either changed by hand?"
        )
    if not all(bool(t.isfinite().all()) for t in weights.values()):
        raise RunError(f"{path} holds weights that are not finite; train the model again")
    return weights


def _said(shape: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    return "none" if shape is None else f"{list(shape[0])} {str(shape[1]).removeprefix('torch.')}"
