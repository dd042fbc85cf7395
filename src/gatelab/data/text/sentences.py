"""Sentences of different lengths as ids, in one piece of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

from gatelab.data.text.vocabulary import Ids, Vocabulary, build_vocabulary

Sentences = Sequence[Sequence[str]]


def train_vocabulary(train: Sentences, min_count: int, specials: Iterable[str]) -> Vocabulary:
    """Return the vocabulary of the words of the training part, specials first."""
    counts = Counter(word for sentence in train for word in sentence)
    return build_vocabulary("words", counts, min_count=min_count, specials=specials)


def as_ids(sentences: Sentences, vocabulary: Vocabulary) -> tuple[tuple[Ids, ...], int]:
    """Return the ids of each sentence ``[T]``, and how many words the vocabulary does not have."""
    ids = vocabulary.encode([word for sentence in sentences for word in sentence])
    ends = list(accumulate(map(len, sentences)))
    parts = tuple(ids[end - len(sentence) : end] for end, sentence in zip(ends, sentences, strict=True))
    return parts, sum(word not in vocabulary.ids for sentence in sentences for word in sentence)
