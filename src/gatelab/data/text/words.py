"""Sentences to words and back, the same way for every language that parts its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

CLOSING = set(".,;:!?%)]}»”’'…")
"""Marks that stand at the word before them."""
OPENING = set("([{«„‚“‘¿¡")
"""Marks that stand at the word after them; “ and ‘ close where „ or ‚ has opened, as in German."""
_FIRST_MARK = "\u0300"
_CLOSED_BY = {"„": "“", "‚": "‘"}


def words(sentence: str, *, lower: bool = False) -> list[str]:
    """Return the words and punctuation marks of a sentence.

    1. Numbers keep their points and commas: ``3.14``, ``1,000``.
    2. A word is letters, digits and combining marks; apostrophes and hyphens inside it stay.
    3. Every other character that is no white space is a word of its own.

    Parameters
    ----------
    sentence
        Any text.
    lower
        Whether to put it into lower case first.

    Examples
    --------
    >>> words("Two dogs' T-shirts (don't ask): 3.50!")
    ['Two', 'dogs', "'", 'T-shirts', '(', "don't", 'ask', ')', ':', '3.50', '!']
    """
    sentence = sentence.lower() if lower else sentence
    plain = not sentence or max(sentence) < _FIRST_MARK or _marks().isdisjoint(sentence)
    return (_PLAIN if plain else _marked()).findall(sentence)


def detokenise(tokens: Iterable[str]) -> str:
    """Return words as a sentence: blanks between words, none before closing marks or after opening ones.

    :func:`words` gives the same words of it, which is what a comparison by BLEU needs; the blanks are not
    always those of the original.

    Examples
    --------
    >>> detokenise(["He", "said", ":", '"', "Go", "(", "now", ")", '"', "."])
    'He said: "Go (now)".'
    """
    sentence, glued, quoted, wanted = "", True, False, ""
    for token in tokens:
        straight, closes_german = token == '"', bool(wanted) and token == wanted
        closing = (token in CLOSING and token not in OPENING) or (straight and quoted) or closes_german
        sentence += token if glued or closing else f" {token}"
        glued = (token in OPENING and not closes_german) or (straight and not quoted)
        quoted ^= straight
        wanted = "" if closes_german else _CLOSED_BY.get(token, wanted)
    return sentence


def _pattern(letter: str) -> re.Pattern[str]:
    return re.compile(rf"\d+(?:[.,]\d+)+|{letter}+(?:['’-]{letter}+)*|[^\s]")


_PLAIN = _pattern(r"\w")


@cache
def _marks() -> frozenset[str]:
    """Return what is no letter to Python's ``\\w`` and yet part of words: combining marks, and joiners."""
    every = map(chr, (*range(ord(_FIRST_MARK), 0x20000), *range(0xE0100, 0xE01F0)))
    return frozenset(c for c in every if unicodedata.category(c)[0] == "M") | {"\u200c", "\u200d"}


@cache
def _marked() -> re.Pattern[str]:
    """Return the pattern for sentences with marks, which takes ten times as long."""
    return _pattern(rf"[\w{''.join(sorted(_marks()))}]")
