"""What transcription costs without looking: the same answer to everything.

They are trivial, and meant so: a recogniser that is still learning to align often answers with nothing at
all, or with the same few letters, and its error rate should be known for what it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gatelab.errors import DataError


@dataclass(frozen=True)
class ConstantAnswer:
    """One text given as the answer to everything.

    Attributes
    ----------
    text
        The answer.
    character_error
        Edits (insertions, deletions, replacements, 1 each) from the answers to the texts, summed over all,
        divided by the number of characters of the texts. It may exceed 1.
    text_error
        The share of texts that are not the answer.
    """

    text: str
    character_error: float
    text_error: float


def constant_answers(train: Sequence[str], test: Sequence[str]) -> dict[str, ConstantAnswer]:
    """Return what the constant answers of a set cost on its test texts.

    - ``"empty"``: nothing. Its character error is exactly 1.
    - ``"most frequent"``: the text that comes most often in ``train``, of several the first in Unicode's
      order.

    Parameters
    ----------
    train, test
        Texts, such as those of :class:`gatelab.data.pens.strokes.Writing`.

    Raises
    ------
    DataError
        ``train`` is empty, or ``test`` has no characters.

    Examples
    --------
    >>> from gatelab.data.pens.baselines import constant_answers
    >>> found = constant_answers(["the", "of", "the"], ["the", "they", "on"])
    >>> found["empty"].character_error, found["most frequent"]
    (1.0, ConstantAnswer(text='the', character_error=0.4444444444444444, text_error=0.6666666666666666))

    Notes
    -----
    V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966; the
    error rate is that of A. Graves et al., "Connectionist Temporal Classification", ICML 2006, section 2.1.
    """
    if not train or not any(test):
        came = f"{len(train)} texts for training, {sum(map(len, test))} characters in test"
        raise DataError(
            f"transcription: wanted texts in train and characters in test, came {came}; try others"
        )
    counts = Counter(train)
    most = max(sorted(counts), key=lambda text: counts[text])
    return {"empty": _cost("", test), "most frequent": _cost(most, test)}


def _cost(answer: str, test: Sequence[str]) -> ConstantAnswer:
    asked = Counter(test)
    edits = sum(_edits(answer, text) * count for text, count in asked.items())
    wrong = sum(count for text, count in asked.items() if text != answer)
    return ConstantAnswer(answer, edits / sum(map(len, test)), wrong / len(test))


def _edits(first: str, second: str) -> int:
    """Return Levenshtein's distance, a row of the table at a time.

    Within a row an insertion may follow an insertion; in row[j] − j that is a running minimum.
    """
    letters = np.array([ord(c) for c in second], np.int64)
    steps = np.arange(len(second) + 1)
    row = steps.copy()
    for character in first:
        replaced = row[:-1] + (letters != ord(character))
        row = np.concatenate(([row[0] + 1], np.minimum(row[1:] + 1, replaced)))
        row = np.minimum.accumulate(row - steps) + steps
    return int(row[-1])
