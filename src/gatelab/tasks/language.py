"""A language model: from the text so far, the probability of each symbol as the next one.

The text is one long sequence, trained in truncated back-propagation through time: it is cut into as many
lanes as a batch has, each read from its beginning to its end in pieces, with the states carried from piece to
piece. Symbols are bytes, characters or words.

Source: Karpathy, Johnson and Fei-Fei 2015, arXiv:1506.02078; Mikolov et al. 2010, Recurrent neural network
based language model.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from gatelab.data.splits import SPLITS
from gatelab.data.text.baselines import bigram_cost, unigram_cost
from gatelab.data.text.corpus import Corpus, load_text
from gatelab.errors import ConfigError, DataError
from gatelab.runs.config import Measure, Training
from gatelab.tasks.batch import Batch, averaged
from gatelab.tasks.blueprint import Blueprint, HeadName
from gatelab.tasks.options import Options
from gatelab.tasks.task import About, Task

LANES, PIECE = 32, 200
"""Lanes and steps of a piece in evaluation."""
BLOCK = 1000
"""Symbols that count as one sequence where scores are compared."""
ONE_HOT = 300
"""The largest vocabulary whose symbols are vectors that are 1 at one place; above, they are embedded."""
EMBEDDING = 128

Softmax = Literal["full", "adaptive", "sampled"]
SOFTMAX: Mapping[str, HeadName] = {"full": "categorical", "adaptive": "adaptive", "sampled": "sampled"}
"""The heads of a language model: of many words, the full softmax is most of the work."""
NAMES = {"bytes": "byte", "characters": "character", "words": "word"}


class LanguageTask(Task):
    """Next-symbol prediction on one text.

    Parameters
    ----------
    corpus
        The text as ids, in three parts.
    unroll
        Steps of a piece: how far gradients go back.
    embedding
        Numbers a symbol is embedded in; 0 for vectors that are 1 at one place. None: 0 for vocabularies of up
        to 300 symbols, else 128.
    softmax
        ``"full"``; ``"adaptive"`` or ``"sampled"`` for large vocabularies, see :mod:`gatelab.nn.heads`.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.data.text.corpus import load_text
    >>> from gatelab.tasks.language import LanguageTask
    >>> task = LanguageTask(load_text("stdlib"), unroll=50)
    >>> batch = next(task.batches("train", 10, seed=0, epoch=1))
    >>> batch.inputs.shape, batch.terms
    (torch.Size([50, 10]), 500)
    """

    kind = "language"
    onward = True
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=5.0, batch_size=50, max_epochs=10, patience=3,
        annealing=0.7, anneal_after=6,
    )  # fmt: skip
    rates = (math.log(1e-3), math.log(1e-2))

    def __init__(
        self, corpus: Corpus, unroll: int = 100, embedding: int | None = None, softmax: Softmax = "full"
    ) -> None:
        self.corpus, self.unroll = corpus, unroll
        self.about = About(corpus.name, corpus.title, corpus.source, corpus.digest, _notes(corpus))
        too_short = next((s for s in SPLITS if len(getattr(corpus, s)) < 2), None)
        if too_short is not None:
            raise DataError(
                f"{corpus.source}: {too_short}: wanted at least 2 symbols, of which the second is predicted, "
                f"came {len(getattr(corpus, too_short))}; try a longer text"
            )
        self.symbols = len(corpus.vocabulary)
        self.embedding = (0 if self.symbols <= ONE_HOT else EMBEDDING) if embedding is None else embedding
        if unroll < 1 or self.embedding < 0:
            came = f"{unroll} and {self.embedding}"
            raise ConfigError(f"unroll and embedding: wanted at least 1 and at least 0, got {came}")
        self.blueprint = Blueprint(
            symbols=self.symbols, embedding=self.embedding, head=SOFTMAX[softmax], outputs=self.symbols
        )
        self.streams = isinstance(corpus.ids, np.memmap)
        self.worst = 2 * math.log(self.symbols)
        symbol = NAMES[corpus.vocabulary.kind]
        objective = Measure(name="NLL", unit=f"nats per {symbol}")
        derived = (
            Measure(name="perplexity", formula="exp")
            if symbol == "word"
            else Measure(name="bits", unit=f"bits per {symbol}", formula="bits")
        )
        accuracy = Measure(name="accuracy", unit="%", better="higher", formula="percent")
        self.measures = (objective, derived, accuracy)

    @classmethod
    def load(cls, load: str, told: Options) -> LanguageTask:
        """Return the task on a text by its name or path.

        Options: ``split``, ``level`` (bytes, characters, words), ``encoding``, ``min_count``, ``max_size``,
        ``unroll``, ``embedding``, ``softmax`` (full, adaptive, sampled).
        """
        corpus = load_text(
            load,
            fractions=told.shares("split"),
            level=told.one_of("level", ("bytes", "characters", "words"), None),
            encoding=told.text("encoding", "utf-8"),
            min_count=told.whole("min_count", 1, least=1),
            max_size=told.whole("max_size", None, least=2),
        )
        softmax = told.one_of("softmax", tuple(SOFTMAX), "full")
        return cls(
            corpus, told.whole("unroll", 100, least=1), told.whole("embedding", None, least=0), softmax
        )

    def steps(self, split: str) -> int:
        """Return the number of symbols of a part of the text."""
        return len(self._ids(split))

    def kept(self) -> dict[str, Any]:
        """Return the vocabulary."""
        return {"vocabulary": self.corpus.vocabulary.to_data()}

    def lengths(self, split: str) -> list[int]:
        """Return the lengths of the blocks of a part of the text whose scores are kept apart."""
        count = self._predicted(split)
        return [min(BLOCK, count - at) for at in range(0, count, BLOCK)]

    def _ids(self, split: str) -> Any:
        return getattr(self.corpus, split)

    def _predicted(self, split: str) -> int:
        """Return how many symbols of a part are predicted in evaluation: all but the first of each lane."""
        size = len(self._ids(split))
        return size - min(LANES, max(1, size // 2))

    def batches(self, split: str, size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Yield pieces [unroll, lanes] of a part, in order; ``size`` is the number of lanes.

        The lanes begin a little later from epoch to epoch, so that pieces do not end at the same symbols.
        """
        ids = self._ids(split)
        lanes = min(size, max(1, len(ids) // 2))
        slack = min(self.unroll, len(ids) // lanes // 2)
        first = int(np.random.default_rng([seed, epoch]).integers(slack)) if slack else 0
        yield from self._pieces(ids[first:], lanes, self.unroll)

    def evaluation(self, split: str) -> Iterator[Batch]:
        """Yield a part in lanes that begin at zero states; the first symbol of a lane is not predicted."""
        ids = self._ids(split)
        yield from self._pieces(ids, len(ids) - self._predicted(split), PIECE, rest=True)

    def _pieces(self, ids: Any, lanes: int, steps: int, rest: bool = False) -> Iterator[Batch]:
        """Yield pieces of equal lanes; with ``rest``, what does not fill the lanes comes as one more lane."""
        length = len(ids) // lanes
        starts = np.arange(lanes) * length
        for at in range(0, length - 1, steps):
            stop = min(at + steps, length - 1)
            piece = torch.from_numpy(
                np.stack([ids[s + at : s + stop + 1] for s in starts], 1).astype(np.int64)
            )
            places = starts - np.arange(lanes) + np.arange(at, stop)[:, None]  # of the predicted, [T, B]
            yield Batch(piece[:-1], piece[1:].flatten(), _blocks(places), fresh=at == 0)
        left = ids[lanes * length - 1 :]
        if rest and len(left) > 1:
            piece = torch.from_numpy(np.asarray(left, np.int64))[:, None]
            places = lanes * length - lanes + np.arange(len(left) - 1)[:, None]
            yield Batch(piece[:-1], piece[1:].flatten(), _blocks(places))

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each symbol, [N], in nats."""
        nats: Tensor = head.nll(answers, batch.targets)  # type: ignore[operator]
        return nats

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return nats and hits of each symbol, with what they are divided by."""
        hits = averaged(head.mode(answers) == batch.targets)  # type: ignore[operator]
        return {self.measures[1].name: self.objective(head, answers, batch), "accuracy": hits}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the measures of the symbols' frequencies, and of a first-order Markov chain."""
        train, test = self.corpus.train, self.corpus.test
        smoothing = 0.5 if self.symbols <= ONE_HOT else 0.01  # of many words, most pairs are never met
        costs = {
            "1-gram": unigram_cost(train, test, self.symbols, smoothing),
            "Markov": bigram_cost(train, test, self.symbols, smoothing),
        }
        words = self.measures[1].formula == "exp"
        return {
            name: {"NLL": cost.nats, self.measures[1].name: cost.perplexity if words else cost.bits}
            for name, cost in costs.items()
        }


def _notes(corpus: Corpus) -> tuple[str, ...]:
    shares = " / ".join(f"{size / max(1, sum(corpus.text_bytes)):.0%}" for size in corpus.text_bytes)
    strange = sum(corpus.outside[1:])
    lost = (
        (f"{strange:,} symbols of validation and test are not in training's vocabulary",) if strange else ()
    )
    return (f"split: in order, {shares} of the bytes", *lost)


def _blocks(places: np.ndarray) -> Tensor:
    return torch.from_numpy(places.reshape(-1) // BLOCK)
