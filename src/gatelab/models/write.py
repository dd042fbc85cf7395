"""Text that a language model writes, and translations of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatelab.data.text.vocabulary import LINE_END, START, STOP, Vocabulary
from gatelab.data.text.words import words
from gatelab.errors import ConfigError, DataError
from gatelab.models.folder import Model
from gatelab.models.kept import LanguageKept, TranslateKept
from gatelab.search.space import check_seed
from gatelab.tasks.network import EncoderDecoder
from gatelab.tasks.translate import spelt, translate

MOST_SYMBOLS = 10_000_000
"""The most symbols of a text that is written: an hour, about."""


def write_text(
    model: Model,
    count: int,
    prompt: str = "",
    temperature: float = 1.0,
    top: int | None = None,
    seed: int = 0,
) -> str:
    """Return a prompt and the text that a language model goes on with.

    1. The network reads the prompt, from the zero state; without one, a line end, or the first symbol of a
       vocabulary that has none.
    2. ``count`` times, a symbol is drawn from its answer and read next.

    Parameters
    ----------
    count
        Symbols to write: bytes, characters or words.
    prompt
        What comes before.
    temperature, top
        Logits are divided by the temperature; of the ``top`` likeliest symbols is drawn, of all if None.
    seed
        Of the draws.

    Raises
    ------
    ConfigError
        The model is no language model, or a number is impossible.
    DataError
        The prompt holds symbols that the model does not know.
    """
    kept = model.kept
    if not isinstance(kept, LanguageKept):
        raise ConfigError(f"a model of kind {model.kind} writes no text; wanted a language model")
    if not 1 <= count <= MOST_SYMBOLS:
        raise ConfigError(f"length: wanted 1 to {MOST_SYMBOLS:,} symbols, got {count:,}")
    check_seed(seed)
    vocabulary = kept.symbols
    given = prompt.encode("utf-8", "surrogateescape") if vocabulary.kind == "bytes" else prompt
    ids = np.asarray(vocabulary.encode(given), np.int64) if prompt else _beginning(vocabulary)
    if not len(ids):
        raise DataError(f"prompt: wanted at least one symbol, came {prompt!r:.40}; try some words, or none")
    return _joined(given, vocabulary.decode(_drawn(model, ids, count, temperature, top, seed)), vocabulary)


def _beginning(vocabulary: Vocabulary) -> np.ndarray:
    """Return the symbol that a text begins after: a line end where there is one."""
    end = LINE_END if vocabulary.kind == "words" else "\n"
    return np.array([vocabulary.ids.get(end, 0)], np.int64)


def _joined(given: str | bytes, text: str | bytes, vocabulary: Vocabulary) -> str:
    """Return a prompt and what follows as one text."""
    if isinstance(given, bytes) or isinstance(text, bytes):
        before = given if isinstance(given, bytes) else given.encode()
        after = text if isinstance(text, bytes) else text.encode()
        return (before + after).decode("utf-8", "replace")
    if vocabulary.kind != "words":
        return given + text
    return f"{given} {text}".strip(" ").replace(" \n ", "\n").replace(" \n", "\n")


@torch.no_grad()
def _drawn(
    model: Model, ids: np.ndarray, count: int, temperature: float, top: int | None, seed: int
) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    answers, state = model.network.carried(torch.from_numpy(ids)[:, None])
    written: list[int] = []
    head: Any = model.network.head
    for _ in range(count):
        symbol: Tensor = head.sample(answers[-1:], generator, temperature, top)
        written.append(int(symbol))
        answers, state = model.network.carried(symbol[None], state)
    return written


def translate_lines(model: Model, lines: Sequence[str], beam: int = 4, batch: int = 64) -> Iterator[str]:
    """Yield the translations of sentences, a line each; of an empty line an empty one.

    Raises
    ------
    ConfigError
        The model does not translate.
    """
    network, kept = model.network, model.kept
    if not isinstance(network, EncoderDecoder) or not isinstance(kept, TranslateKept):
        raise ConfigError(f"a model of kind {model.kind} does not translate; wanted one of kind translate")
    source, target = kept.vocabularies
    start, stop = target.ids[START], target.ids[STOP]
    for at in range(0, len(lines), batch):
        part = [words(line, lower=kept.lower) for line in lines[at : at + batch]]
        full = [k for k, sentence in enumerate(part) if sentence]
        read = [np.asarray(source.encode(part[k]), np.int64) for k in full]
        written = translate(network, read, kept.reverse, start, stop, beam) if read else []
        found = dict(zip(full, written, strict=True))
        yield from (spelt(found[k], target) if k in found else "" for k in range(len(part)))
