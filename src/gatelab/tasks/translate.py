"""Translation: an encoder reads a sentence, a decoder writes it in another language.

In training the decoder reads the right words (teacher forcing); the encoder's last states are the decoder's
first. With ``reverse``, the encoder reads the sentence from its end to its beginning.

Source: Sutskever, Vinyals and Le 2014, arXiv:1409.3215; Cho et al. 2014, arXiv:1406.1078.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from gatelab.data.text.parallel import ParallelPart, ParallelText, load_parallel
from gatelab.data.text.vocabulary import START, STOP, Vocabulary
from gatelab.data.text.words import detokenise
from gatelab.nn import Categorical
from gatelab.nn.beam import beam_search
from gatelab.runs.config import Body, Measure, Training
from gatelab.stats.bleu import bleu_counts
from gatelab.stats.measures import value
from gatelab.tasks.batch import Batch
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.network import EncoderDecoder, Network
from gatelab.tasks.options import Options
from gatelab.tasks.ragged import SPREAD
from gatelab.tasks.task import About, Task

LONGEST = 80
"""The most words of a translation."""


class TranslateTask(Task):
    """Sentences in one language from sentences in another.

    Parameters
    ----------
    data
        Sentence pairs.
    reverse
        Whether the encoder reads sentences backwards.
    embedding
        Numbers a word is embedded in.
    """

    kind = "translate"
    onward = True
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=5.0, batch_size=64, max_epochs=8, patience=3,
        annealing=0.7, anneal_after=3,
    )  # fmt: skip
    body = Body(dropout=0.3)
    rates = (math.log(5e-4), math.log(5e-3))
    measures = (
        Measure(name="NLL", unit="nats per word"),
        Measure(name="perplexity", formula="exp"),
        Measure(name="BLEU", better="higher", formula="bleu"),
    )
    headline = "BLEU"

    def __init__(self, data: ParallelText, reverse: bool = False, embedding: int = 128) -> None:
        self.data, self.reverse = data, reverse
        self.about = About(
            f"{data.name}-{'-'.join(data.languages)}", data.title, data.source, data.digest, _notes(data)
        )
        self.symbols = len(data.source_vocabulary), len(data.target_vocabulary)
        self.blueprint = Blueprint(
            symbols=self.symbols[1], embedding=embedding, head="categorical", outputs=self.symbols[1],
            source_symbols=self.symbols[0], spread=SPREAD,
        )  # fmt: skip
        self.worst = 2 * math.log(self.symbols[1])
        ids = data.target_vocabulary.ids
        self.start, self.stop = ids[START], ids[STOP]

    @classmethod
    def load(cls, load: str, told: Options) -> TranslateTask:
        """Return the task on ``multi30k``, or a folder of aligned files.

        Options: ``pair`` (de-en), ``reverse`` (no), ``embedding`` (128), ``min_count`` (2), ``lower`` (no).
        """
        data = load_parallel(
            load,
            pair=told.text("pair", "de-en"),
            min_count=told.whole("min_count", 2, least=1),
            lower=told.flag("lower"),
        )
        return cls(data, told.flag("reverse"), told.whole("embedding", 128, least=1))

    def kept(self) -> dict[str, Any]:
        """Return the two vocabularies and how sentences are read."""
        return {
            "source": self.data.source_vocabulary.to_data(),
            "target": self.data.target_vocabulary.to_data(),
            "reverse": self.reverse,
            "lower": self.data.lower,
            "languages": list(self.data.languages),
        }

    def part(self, split: str) -> ParallelPart:
        """Return the sentences of a split."""
        found: ParallelPart = getattr(self.data, split)
        return found

    def lengths(self, split: str) -> list[int]:
        """Return the words of each target sentence, its end included."""
        return [len(s) + 1 for s in self.part(split).target]

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen pairs; inputs are the source and the words so far, both packed."""
        part = self.part(split)
        order = sorted(chosen, key=lambda k: -len(part.target[k]))
        read = [np.asarray(part.source[k], np.int64)[:: -1 if self.reverse else 1].copy() for k in order]
        written = [np.asarray([self.start, *part.target[k]], np.int64) for k in order]
        wanted = [np.asarray([*part.target[k], self.stop], np.int64) for k in order]
        targets = pack_sequence([torch.from_numpy(w) for w in wanted])
        columns = torch.cat([torch.arange(int(n)) for n in targets.batch_sizes])
        inputs = (
            pack_sequence([torch.from_numpy(r) for r in read], enforce_sorted=False),
            pack_sequence([torch.from_numpy(w) for w in written]),
        )
        return Batch(inputs, targets.data, torch.tensor(order)[columns])

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each word, [N], in nats."""
        return Categorical.nll(answers, batch.targets)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return nats and words; BLEU's numbers come from :meth:`written`."""
        return {"perplexity": self.objective(head, answers, batch)}

    def written(self, network: EncoderDecoder, split: str, width: int = 1) -> list[str]:
        """Return the translation of each sentence of a split, by a beam of ``width``."""
        part, texts = self.part(split), [""] * len(self.part(split).source)
        order = sorted(range(len(texts)), key=lambda k: len(part.source[k]))
        for at in range(0, len(order), 100):
            chosen = order[at : at + 100]
            read = [part.source[k] for k in chosen]
            found = translate(network, read, self.reverse, self.start, self.stop, width)
            for place, ids in zip(chosen, found, strict=True):
                texts[place] = spelt(ids, self.data.target_vocabulary)
        return texts

    def measured(self, network: Network, split: str) -> dict[str, np.ndarray]:
        """Return BLEU's numbers of each sentence, [sentences, numbers], of greedy translations."""
        assert isinstance(network, EncoderDecoder)
        return {"BLEU": bleu_counts(self.written(network, split), self.part(split).references)}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the measures of the words' frequencies, and the BLEU of sentences left as they are."""
        seen = np.bincount(np.concatenate([*self.part("train").target]), minlength=self.symbols[1]) + 0.5
        seen[self.stop] += len(self.part("train").target)
        nats = -np.log(seen / seen.sum())
        asked = self.part("test").target
        words = sum(len(s) + 1 for s in asked)
        cost = float((sum(nats[s].sum() for s in asked) + len(asked) * nats[self.stop]) / words)
        part = self.part("test")
        copied = [spelt(ids.tolist(), self.data.source_vocabulary) for ids in part.source]
        bleu = value("bleu", bleu_counts(copied, part.references).sum(0))
        return {"1-gram": {"NLL": cost, "perplexity": math.exp(cost)}, "copy": {"BLEU": bleu}}


def _notes(data: ParallelText) -> tuple[str, ...]:
    left = sum(data.left_out)
    lost = (f"{left:,} pairs were left out because a side of them is empty",) if left else ()
    return ("split: as given, or 80/10/10 with equal pairs in one part", *lost)


@torch.no_grad()
def translate(
    network: EncoderDecoder, sentences: Sequence[Any], reverse: bool, start: int, stop: int, width: int = 1
) -> list[list[int]]:
    """Return translations, as ids without the stop symbol, of sentences given as ids.

    Parameters
    ----------
    reverse
        Whether the encoder reads sentences backwards.
    start, stop
        The symbols before the first word and after the last.
    width
        Translations that the beam keeps; 1 takes the likeliest word each time.
    """
    network.eval()
    step = -1 if reverse else 1
    read = [torch.from_numpy(np.asarray(s, np.int64)[::step].copy()) for s in sentences]
    state = network.encode(pack_sequence(read, enforce_sorted=False))
    single = isinstance(state, Tensor)

    def write(words: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        logits, after = network.write(words, states[0] if single else states)
        return logits, (after,) if isinstance(after, Tensor) else tuple(after)

    given = (state,) if isinstance(state, Tensor) else tuple(state)
    power = 0.7 if width > 1 else 0.0
    found = beam_search(write, given, start, stop, width, LONGEST, power)
    return [[k for k in best[0].symbols if k != stop] for best in found]


def spelt(ids: Sequence[int], vocabulary: Vocabulary) -> str:
    """Return words as a sentence."""
    return detokenise([vocabulary.symbols[k] for k in ids])
