"""A trained network heard step by step, within microseconds: vectors or symbols in, its answers out."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from gatelab.engine import Choice
from gatelab.engine.single import Array
from gatelab.errors import ConfigError, ShapeError
from gatelab.models.folder import Model, load
from gatelab.nn.stack import State
from gatelab.nn.stream import Stream
from gatelab.tasks.network import EncoderDecoder, Network


def stream(model: Model | Network | str | Path, batch_size: int = 1) -> Stream | SymbolStream:
    """Return a trained network that hears one step at a time.

    Each step gives the head's answers, as the network gives them for a whole sequence; of a network that
    answers once a sequence, they are what it would answer if the sequence ended there. Inputs are what the
    network reads: values are scaled first, as the model's ``card.kept`` says.

    Parameters
    ----------
    model
        A model, its network, or the folder of a model.
    batch_size
        Sequences B that are heard side by side.

    Returns
    -------
    gatelab.nn.Stream or SymbolStream
        For vectors, ``step(x)`` takes [I] or [B, I]. For symbols, ``step(symbol)`` takes a whole number, or
        [B] of them. Both have ``reset()``, ``state`` and ``engine``.

    Raises
    ------
    ConfigError
        The network reads sequences from their end, too, or a whole sentence before it writes.
    RunError
        The folder is no model.

    Examples
    --------
    >>> import gatelab, numpy as np
    >>> from gatelab.tasks.network import Network
    >>> network = Network(gatelab.Recurrent("lstm", 3, 8), gatelab.nn.Categorical(8, 4))
    >>> heard = gatelab.stream(network)
    >>> heard.step(np.ones(3, np.float32)).shape
    (4,)
    """
    network = _network(model)
    if isinstance(network, EncoderDecoder):
        raise ConfigError(
            "a network that reads a whole sentence before it writes cannot be heard step by step; try "
            "gatelab.models.write.translate_lines"
        )
    heard = Stream(network.recurrent, network.head, batch_size)
    if network.encoder is None:
        return heard
    return SymbolStream(heard, network.encoder, network.recurrent.input_size, batch_size)


def _network(model: Any) -> Network:
    if isinstance(model, str | Path):
        model = load(model)
    found = model.network if isinstance(model, Model) else model
    if not isinstance(found, Network):
        raise ConfigError(f"wanted a model, its network or its folder, got {type(model).__name__}")
    return found


class SymbolStream:
    """A network that hears one symbol at a time; :func:`stream` makes it.

    Parameters
    ----------
    heard
        The stream of the layers and the head.
    encoder
        What symbols are embedded by, or what makes vectors of them that are 1 at one place.
    width
        Numbers that the layers read.
    batch_size
        Sequences B.

    Attributes
    ----------
    symbols
        Size of the vocabulary.
    """

    def __init__(self, heard: Stream, encoder: nn.Module, width: int, batch_size: int) -> None:
        self._heard, self._batch = heard, batch_size
        table = encoder.weight if isinstance(encoder, nn.Embedding) else None
        self._table: Array | None = None if table is None else table.detach().cpu().numpy().copy()
        self.symbols = width if self._table is None else len(self._table)
        self._rows = np.zeros((batch_size, width), np.float32) if self._table is None else None
        self._places = np.arange(batch_size)

    def step(self, symbols: SupportsIndex | NDArray[np.int64] | Tensor) -> NDArray[Any]:
        """Hear one symbol of each sequence.

        Parameters
        ----------
        symbols
            A whole number where B is 1, or B of them, [B].

        Returns
        -------
        numpy.ndarray
            The head's answers, [B, …]; without B where the symbol has none.

        Raises
        ------
        ShapeError
            Where something else comes, or a symbol that is not in the vocabulary.
        """
        single = not isinstance(symbols, np.ndarray | Tensor) or symbols.ndim == 0
        ids = self._single(symbols) if single else self._several(symbols)
        answers = self._heard.step(self._encoded(ids))
        return answers[0] if single else answers

    def reset(self) -> None:
        """Begin anew, from states that are zero."""
        self._heard.reset()

    @property
    def engine(self) -> Choice:
        """Which engine runs the steps, and why."""
        return self._heard.engine

    @property
    def state(self) -> State:
        """The states after the last step, as those of :class:`gatelab.nn.Stream`."""
        return self._heard.state

    @state.setter
    def state(self, state: State | None) -> None:
        self._heard.state = state

    def _single(self, symbol: Any) -> Any:
        try:
            found = operator.index(symbol)
        except TypeError:
            raise ShapeError(f"symbol: wanted a whole number, got {type(symbol).__name__}") from None
        if self._batch != 1:
            raise ShapeError(f"symbols: wanted [B] = [{self._batch}] whole numbers, got one")
        if not 0 <= found < self.symbols:
            raise self._strange(found)
        return [found]

    def _several(self, symbols: Any) -> Any:
        ids = np.asarray(symbols)
        if ids.shape != (self._batch,) or ids.dtype.kind not in "iu":
            raise ShapeError(
                f"symbols: wanted [B] = [{self._batch}] whole numbers, got {list(ids.shape)} of {ids.dtype}"
            )
        odd = ids[(ids < 0) | (ids >= self.symbols)]
        if len(odd):
            raise self._strange(int(odd[0]))
        return ids

    def _strange(self, symbol: int) -> ShapeError:
        return ShapeError(f"symbol: wanted 0 to {self.symbols - 1}, as the vocabulary has them, got {symbol}")

    def _encoded(self, ids: Any) -> Array:
        """Return what the layers read, [B, width]."""
        if self._table is not None:
            found: Array = self._table[ids]
            return found
        assert self._rows is not None
        self._rows.fill(0)
        self._rows[self._places, ids] = 1
        return self._rows
