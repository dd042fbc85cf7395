"""Sentence pairs: Multi30k, folders, two files, and what must not pass."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage import assert_one_line, mutated, mutations
from gatelab import settings as folders
from gatelab.data.text.parallel import ParallelText, load_parallel
from gatelab.data.text.words import detokenise, words
from gatelab.errors import ConfigError, DataError

GERMAN = [f"Zwei Hunde, Nummer {n}." for n in range(20)]
ENGLISH = [f"Two dogs, number {n}." for n in range(20)]


def known(pair: str) -> ParallelText:
    try:
        return load_parallel("multi30k", pair=pair)
    except DataError as error:
        if "came no such file" in str(error):
            pytest.skip("multi30k is not in GATELAB_DATA")
        raise


def write(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


def test_multi30k() -> None:
    text = known("de-en")
    parts = (text.train, text.valid, text.test)
    assert (
        [len(part.source) for part in parts]
        == [len(part.references) for part in parts]
        == [29000, 1014, 1000]
    )
    assert text.left_out == (0, 0, 0)
    assert text.target_vocabulary.symbols[:3] == ("<unk>", "<s>", "</s>")
    assert text.test.references[0] == "A man in an orange hat starring at something."
    ids = text.test.target[0].tolist()
    assert detokenise(text.target_vocabulary.symbols[n] for n in ids) == text.test.references[0]
    turned = known("en-de")
    assert len(turned.source_vocabulary) == len(text.target_vocabulary)
    assert turned.source_outside == text.target_outside


def test_folder(tmp_path: Path) -> None:
    for name, size in (("train", 20), ("val", 3), ("test_2016", 2)):
        write(tmp_path, f"{name}.de.gz", GERMAN[:size])
        write(tmp_path, f"{name}.en", ENGLISH[:size])
    text = load_parallel(tmp_path, min_count=1)
    assert [len(p.source) for p in (text.train, text.valid, text.test)] == [20, 3, 2]
    assert text.valid.references == tuple(ENGLISH[:3])
    assert text.source_outside == (0, 0, 0)
    with pytest.raises(DataError, match=r"wanted one train\*.fr or .gz, came none"):
        load_parallel(tmp_path, pair="en-fr")
    write(tmp_path, "train2.de", GERMAN)
    with pytest.raises(DataError, match=r"came train.de.gz, train2.de"):
        load_parallel(tmp_path)


def test_two_files(tmp_path: Path) -> None:
    sides = [
        write(tmp_path, "a.de", [*GERMAN, "leer", ""]),
        write(tmp_path, "a.en.gz", [*ENGLISH, " ", "full"]),
    ]
    text = load_parallel(sides, lower=True)
    assert [len(p.source) for p in (text.train, text.valid, text.test)] == [16, 2, 2]
    assert text.left_out == (2, 0, 0)
    assert "zwei" in text.source_vocabulary.symbols
    assert all(reference.startswith("Two") for reference in text.test.references)
    assert text.source_outside[0] == 16  # each number occurs once


def test_refuses(tmp_path: Path) -> None:
    one, two = write(tmp_path, "a.de", GERMAN), write(tmp_path, "a.en", ENGLISH[:-1])
    with pytest.raises(DataError, match=r"a.de has 20 lines, .*a.en has 19; wanted as many"):
        load_parallel([one, two])
    with pytest.raises(DataError, match="wanted pairs of sentences, came none"):
        load_parallel([write(tmp_path, "b.de", [""]), write(tmp_path, "b.en", ["x"])])
    with pytest.raises(ConfigError, match="wanted two files, source and target, came 1"):
        load_parallel([one])
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        load_parallel(tmp_path / "nowhere")
    for pair in ("de", "de-en-fr", "../x-en", ""):
        with pytest.raises(ConfigError, match="pair: wanted two languages"):
            load_parallel("multi30k", pair=pair)
    with pytest.raises(ConfigError, match="min_count"):
        load_parallel([one, one], min_count=True)


def test_a_line_ends_at_line_feeds_only(tmp_path: Path) -> None:
    odd = [f"a\u2028b\x0bc\x85d {n}" for n in range(20)]
    text = load_parallel([write(tmp_path, "a.de", odd), write(tmp_path, "a.en", ENGLISH)], min_count=1)
    assert len(text.train.source[0]) == len(words(odd[0])) == 5


def seed() -> tuple[bytes, bytes]:
    data = folders.data_folder()
    real = data / "multi30k" / "val.de.gz" if data else None
    german = (
        gzip.decompress(real.read_bytes())[:2000] if real and real.is_file() else "\n".join(GERMAN).encode()
    )
    german = german[: german.rfind(b"\n") + 1]
    return gzip.compress(german), "\n".join(f"line {n}" for n in range(german.count(b"\n"))).encode()


CHANGES = st.tuples(mutations(1500, most=2), mutations(1500, most=2))


def check(folder: Path, changes: Any) -> None:
    sides = map(mutated, seed(), changes)
    paths = [folder / "mutant.de.gz", folder / "mutant.en"]
    for path, side in zip(paths, sides, strict=True):
        path.write_bytes(side)
    try:
        load_parallel(paths)
    except DataError as error:
        assert_one_line(error)


@settings(max_examples=250, deadline=None)
@given(CHANGES)
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, changes: Any) -> None:
    check(tmp_path_factory.getbasetemp(), changes)


@pytest.mark.exhaustive
@settings(max_examples=20_000, deadline=None)
@given(CHANGES)
def test_fuzz_long(tmp_path_factory: pytest.TempPathFactory, changes: Any) -> None:
    check(tmp_path_factory.getbasetemp(), changes)
