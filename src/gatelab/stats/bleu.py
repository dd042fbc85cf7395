"""BLEU from counts that can be summed over sentences, so that a corpus can be drawn again and again.

The counts are sacrebleu's own, its tokenizer included; the score of their sum is its score to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ShapeError

ORDER = 4


def bleu_counts(
    hypotheses: Sequence[str], references: Sequence[str], *, tokenize: str = "13a", lowercase: bool = False
) -> NDArray[np.int64]:
    """Return the counts of each sentence that BLEU is made of, ``[N, 10]``.

    The columns are the lengths of hypothesis and reference, how many n-grams are correct, n = 1 … 4, and how
    many there are.

    Parameters
    ----------
    hypotheses, references
        N sentences, one reference each, as running text (not split into words, unless ``tokenize`` is none).
    tokenize
        sacrebleu's tokenizer: ``"13a"``, ``"intl"``, ``"char"``, ``"zh"``, ``"none"``.
    lowercase
        Compare without case.

    Raises
    ------
    ShapeError
        There are not as many hypotheses as references, or none.

    Examples
    --------
    >>> counts = bleu_counts(["the cat sat on the mat .", "hello"], ["the cat sat on a mat .", "hello ."])
    >>> counts[0].tolist()
    [7, 7, 6, 4, 2, 1, 7, 6, 5, 4]
    >>> round(bleu(counts), 2)
    43.37

    Notes
    -----
    K. Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002; M. Post,
    "A Call for Clarity in Reporting BLEU Scores", WMT 2018, arXiv:1804.08771.
    """
    from sacrebleu.metrics.bleu import BLEU  # here, because it is slow to read, and most measures need it not

    if len(hypotheses) != len(references) or not hypotheses:
        raise ShapeError(f"BLEU: wanted {len(references)} hypotheses, from 1, got {len(hypotheses)}")
    metric = BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
    counts = metric._extract_corpus_statistics(list(hypotheses), [list(references)])
    return np.array(counts, np.int64)


def bleu(counts: NDArray[np.int64]) -> float:
    """Return BLEU, 0 to 100, of counts ``[N, 10]`` or of their sum ``[10]``, with sacrebleu's smoothing.

    BP · exp(mean of log p_n over n = 1 … 4), p_n = correct_n / total_n, BP = min(1, exp(1 − r/c)). The k-th
    order without a correct n-gram counts as 2^−k of one (smoothing "exp"); without any correct word it is 0.
    """
    total = np.asarray(counts).reshape(-1, 2 + 2 * ORDER).sum(0).astype(np.float64)
    length, reference, correct, totals = total[0], total[1], total[2 : 2 + ORDER], total[2 + ORDER :]
    if not correct.any() or not totals.all():
        return 0.0
    missing = correct == 0
    smooth = np.where(missing, 0.5 ** np.cumsum(missing), correct)
    brevity = min(0.0, 1 - reference / length)
    return float(100 * np.exp(brevity + np.log(smooth / totals).mean()))
