"""Sentences to words and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.text.words import detokenise, words


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("Zwei junge weiße Männer.", "Zwei junge weiße Männer ."),
        ("L'été, c’est-à-dire 3.14 ou 1,000!", "L'été , c’est-à-dire 3.14 ou 1,000 !"),
        ("„Ja“, sagt sie (laut).", "„ Ja “ , sagt sie ( laut ) ."),
        ("a\xa0b\u3000c", "a b c"),
        ("हिन्दी में", "हिन्दी में"),
        ("e\u0301te\u0301 — oui", "e\u0301te\u0301 — oui"),
        ("¿Qué? 😀", "¿ Qué ? 😀"),
        (" ", ""),
        ("", ""),
    ],
)
def test_words(sentence: str, wanted: str) -> None:
    assert words(sentence) == wanted.split()


def test_lower_case() -> None:
    assert words("Ein HUND", lower=True) == ["ein", "hund"]


@pytest.mark.parametrize(
    "sentence",
    [
        "A man, 3.5 m tall, waits.",
        'He said: "Go (now)" and went.',
        "„Ja“, sagt sie.",
        "¿Qué? No!",
        "“Yes,” she said.",
    ],
)
def test_detokenise_gives_the_sentence(sentence: str) -> None:
    assert detokenise(words(sentence)) == sentence


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab1.,'’\"„“”‘()-\u0301 "))
def test_detokenise_keeps_the_words(sentence: str) -> None:
    assert words(detokenise(words(sentence))) == words(sentence)
