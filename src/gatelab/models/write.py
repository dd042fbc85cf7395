"""Text that a language model writes, and translations of sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from gatelab.data.text.vocabulary import START, STOP, Vocabulary
from gatelab.data.text.words import words
from gatelab.errors import ConfigError, DataError, RunError
from gatelab.models.folder import Model
from gatelab.nn.sampling import draw
from gatelab.tasks.network import EncoderDecoder
from gatelab.tasks.translate import spelt, translate


def write_text(
    model: Model,
    count: int,
    prompt: str = "",
    temperature: float = 1.0,
    top: int | None = None,
    seed: int = 0,
) -> str:
    """Return text that a language model goes on with.

    1. The network reads the prompt, from the zero state; without one, the first symbol of its vocabulary.
    2. ``count`` times, a symbol is drawn from its answer and read next.

    Parameters
    ----------
    count
        Symbols to write: bytes, characters or words.
    prompt
        What comes before, and is not returned.
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
    if model.kind != "language":
        raise ConfigError(f"a model of kind {model.kind} writes no text; wanted a language model")
    if count < 1:
        raise ConfigError(f"length: wanted at least 1, got {count}")
    vocabulary = vocabulary_of(model, "vocabulary")
    given = prompt.encode() if vocabulary.kind == "bytes" else prompt
    ids = np.asarray(vocabulary.encode(given), np.int64) if prompt else np.zeros(1, np.int64)
    written = _drawn(model, ids, count, temperature, top, seed)
    text = vocabulary.decode(written)
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


@torch.no_grad()
def _drawn(
    model: Model, ids: np.ndarray, count: int, temperature: float, top: int | None, seed: int
) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    answers, state = model.network.carried(torch.from_numpy(ids)[:, None])
    written: list[int] = []
    for _ in range(count):
        symbol = draw(answers[-1:], generator, temperature, top)
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
    network = model.network
    if not isinstance(network, EncoderDecoder):
        raise ConfigError(f"a model of kind {model.kind} does not translate; wanted one of kind translate")
    source, target = vocabulary_of(model, "source"), vocabulary_of(model, "target")
    start, stop = (target.ids.get(symbol) for symbol in (START, STOP))
    if start is None or stop is None:
        raise RunError(f"model.json: its target vocabulary lacks {START} or {STOP}; was it changed by hand?")
    lower, reverse = bool(model.card.kept.get("lower")), bool(model.card.kept.get("reverse"))
    for at in range(0, len(lines), batch):
        part = [words(line, lower=lower) for line in lines[at : at + batch]]
        kept = [k for k, sentence in enumerate(part) if sentence]
        read = [np.asarray(source.encode(part[k]), np.int64) for k in kept]
        found = dict(
            zip(kept, translate(network, read, reverse, start, stop, beam) if read else [], strict=True)
        )
        yield from (spelt(found[k], target) if k in found else "" for k in range(len(part)))


def vocabulary_of(model: Model, name: str) -> Vocabulary:
    """Return a vocabulary that a model keeps, of the size that its network has."""
    try:
        found = Vocabulary.from_data(model.card.kept.get(name), f"model.json: {name}")
    except DataError as error:
        raise RunError(str(error)) from None
    blueprint = model.card.blueprint
    wanted = blueprint.source_symbols if name == "source" else blueprint.symbols
    if len(found) != wanted:
        raise RunError(f"model.json: {name}: wanted {wanted} symbols, came {len(found)}; was it changed?")
    return found
