"""A trained network as a folder: its weights, and everything else as JSON.

::

    MODEL/
      model.json            what the network is: cell, sizes, task, what was kept of the data, measures
      weights.safetensors   its weights
      training/             how it was trained: order.json says all that decides the numbers; metrics and,
                            until the end, a checkpoint. Nobody who uses the model needs it.

The cell travels as its graph, checked when it is read; so a model with an invented cell loads where nobody
knows its source. Nothing in the folder is code, and nothing of it is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_weights
from safetensors.torch import save as write_weights

from gatelab.data.tree import read_file
from gatelab.errors import CellError, ConfigError, DataError, RunError, ShapeError
from gatelab.graph.cell import Cell
from gatelab.graph.data import from_data, to_data
from gatelab.models.kept import Kept, read_kept
from gatelab.passes.simplify import simplify_cell
from gatelab.runs import Body, Training, write_atomic, write_json
from gatelab.runs.config import Frozen, Positive
from gatelab.runs.config import Task as Record
from gatelab.runs.folder import parse_model
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.network import Network

CARD, WEIGHTS = "model.json", "weights.safetensors"
LARGEST = 4 * 2**30
"""The most bytes of weights."""
LONGEST = 64 * 2**20
"""The most bytes of model.json."""


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
    kept
        What ``card.kept`` says, checked; one of :data:`gatelab.models.kept.KEPT`.
    """

    card: Card
    cell: Cell
    network: Network
    kept: Kept

    @property
    def kind(self) -> str:
        """The kind of its task."""
        return self.card.task.kind


def save(folder: Path, card: Card, network: Network) -> Path:
    """Write a model's folder; files that are there are replaced whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot make {folder}: {(error.strerror or str(error)).lower()}; try another folder"
        ) from None
    own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    write_atomic(folder / WEIGHTS, write_weights(own))
    write_json(folder / CARD, card)
    return folder


def load(folder: str | Path) -> Model:
    """Return the model in a folder.

    1. What ``model.json`` says is checked: types, sizes, and that its parts fit each other.
    2. The weights are read; the network is laid out without memory, and its shapes compared with theirs.
    3. Only then is the network made: it is never larger than the file of its weights.

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
    path = place / CARD
    if not path.exists() and (place / "training").is_dir():
        raise RunError(
            f"{place} holds a training that has not ended, and no model; "
            f"the same gatelab train goes on with it"
        )
    card = parse_model(path, _json(path), Card, 1)
    kept = read_kept(card.task.kind, card.kept, card.blueprint, path)
    weights = _weights(place / WEIGHTS)
    try:
        cell = from_data(card.cell)
        _check_sizes(card, cell, weights)
        with torch.device("meta"):  # shapes without memory
            shape = card.blueprint.network(cell, card.hidden_size, card.body)
        _check_shapes(shape, weights, place / WEIGHTS)
        with torch.random.fork_rng(devices=[]):
            network = card.blueprint.network(cell, card.hidden_size, card.body)
    except (CellError, ConfigError, ShapeError) as error:
        raise RunError(f"{path} cannot be used: {error}") from None
    network.load_state_dict(weights)
    return Model(card, cell, network.eval(), kept)


def card_of(cell: Cell, **values: Any) -> Card:
    """Return a card with this cell."""
    from importlib.metadata import version

    return Card(gatelab=version("gatelab"), cell=to_data(cell), **values)


def _json(path: Path) -> Any:
    """Return what a JSON file says; NaN and infinity are no JSON."""
    try:
        return json.loads(read_file(path, LONGEST), parse_constant=_refused)
    except DataError as error:
        raise RunError(f"{error}; wanted a model's folder, as gatelab train makes it") from None
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is no JSON ({error}); take it from a copy") from None


def _refused(constant: str) -> None:
    raise ValueError(f"wanted a finite number, came {constant}")


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """Return the finite weights of a file."""
    try:
        weights = read_weights(read_file(path, LARGEST))
    except DataError as error:
        raise RunError(f"{error}; wanted a model's folder, as gatelab train makes it") from None
    except (SafetensorError, ValueError, TypeError, LookupError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise RunError(f"{path} cannot be read ({reason}); take it from a copy") from None
    odd = next((n for n, t in weights.items() if not t.is_floating_point()), None)
    if odd is not None:
        raise RunError(f"{path}: weight {odd[:40]}: wanted floating point, came {weights[odd].dtype}")
    if not all(bool(t.float().isfinite().all()) for t in weights.values()):
        raise RunError(f"{path} holds weights that are not finite; train the model again")
    return weights


def _check_sizes(card: Card, cell: Cell, weights: Mapping[str, torch.Tensor]) -> None:
    """Refuse what is larger than its weights, before anything of that size is made or counted up to."""
    directions = (1 + card.body.bidirectional) * (1 + bool(card.blueprint.source_symbols))
    wanted = len(simplify_cell(cell).parameters) * card.body.layers * directions
    if wanted > len(weights):
        raise ConfigError(
            f"wanted {wanted:,} weights of {card.body.layers:,} layer(s), came {len(weights):,} in all"
        )
    most, around = sum(t.numel() for t in weights.values()), card.blueprint
    sizes = {"hidden_size": card.hidden_size, "outputs": around.outputs, "embedding": around.embedding}
    sizes |= {"inputs": around.inputs, "symbols": around.symbols, "source_symbols": around.source_symbols}
    for name, size in sizes.items():
        if size > most:
            raise ConfigError(f"{name}: wanted at most {most:,}, the numbers of all weights, came {size:,}")


def _check_shapes(network: Network, weights: Mapping[str, torch.Tensor], path: Path) -> None:
    """Refuse weights that are not those of the network."""
    wanted = {name: (tuple(t.shape), t.dtype) for name, t in network.state_dict().items()}
    came = {name: (tuple(t.shape), t.dtype) for name, t in weights.items()}
    if wanted != came:
        odd = next(n for n in sorted(wanted.keys() | came.keys()) if wanted.get(n) != came.get(n))
        raise RunError(
            f"{path} does not fit model.json: weight {odd[:80]}: wanted {_said(wanted.get(odd))}, "
            f"came {_said(came.get(odd))}; was either changed by hand?"
        )


def _said(shape: tuple[tuple[int, ...], torch.dtype] | None) -> str:
    return "none" if shape is None else f"{list(shape[0])} {str(shape[1]).removeprefix('torch.')}"
