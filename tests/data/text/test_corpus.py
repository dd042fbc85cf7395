"""Texts of files, folders and archives at three levels, known texts, and large ones in the cache folder."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from damage import assert_one_line, mutated, mutations
from gatelab import settings
from gatelab.data.text import codes as text_codes
from gatelab.data.text import corpus as module
from gatelab.data.text import files as text_files
from gatelab.data.text.corpus import Corpus, load_text
from gatelab.errors import ConfigError, DataError, GatelabError

STORY = "The cat sat on the mat.\r\nÇa va? — 😀 yes.\n" * 30


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATELAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "story.txt") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def known(name: str, **options: Any) -> Corpus:
    try:
        return load_text(name, **options)
    except DataError as error:
        if "came no such file" in str(error):
            pytest.skip(f"the text {name} is not in GATELAB_DATA")
        raise


def decoded(corpus: Corpus) -> Any:
    return corpus.vocabulary.decode(corpus.ids)


def test_bytes_and_characters_come_back(write: Callable[..., Path]) -> None:
    path = write("\ufeff" + STORY + "\0end")
    as_bytes = load_text(path, level="bytes")
    assert decoded(as_bytes) == path.read_bytes()
    assert as_bytes.ids.dtype == np.uint8
    characters = load_text(path, fractions=(0.5, 0.25, 0.25), unknown=None)
    assert characters.vocabulary.decode(characters.train).startswith("\ufeffThe cat")
    assert characters.outside == (0, 0, 2)  # the null byte and d were never seen
    assert decoded(characters).count("\ufffd") == 2


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "utf-8-sig"])
def test_blocks_make_no_difference(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, block: int, encoding: str
) -> None:
    story = STORY if encoding != "cp1252" else STORY.replace("😀", "")
    path = write(story.encode(encoding))
    for level in ("characters", "words"):
        plain = load_text(path, level=level, encoding=encoding)  # type: ignore[arg-type]
        monkeypatch.setattr(text_files, "BLOCK", block)
        blocks = load_text(path, level=level, encoding=encoding)  # type: ignore[arg-type]
        monkeypatch.undo()
        assert np.array_equal(plain.ids, blocks.ids)
        assert (plain.sizes, plain.vocabulary) == (blocks.sizes, blocks.vocabulary)
        assert plain.vocabulary.encode(story).tolist() == plain.ids.tolist()


def test_the_cut_is_at_the_same_byte_for_every_level(write: Callable[..., Path]) -> None:
    path = write("ab ä cd efg hi" * 10)
    shares = {load_text(path, level=level).text_bytes for level in ("bytes", "characters", "words")}  # type: ignore[arg-type]
    assert shares == {(120, 15, 15)}
    straddling = write("aé bé")  # 7 bytes; the cut after byte 2 is inside é, after byte 5 before it
    corpus = load_text(straddling, fractions=(2 / 7, 3 / 7, 2 / 7), unknown=True)
    assert corpus.sizes == (1, 3, 1)
    assert load_text(straddling, level="words", fractions=(5 / 7, 0, 2 / 7), unknown=True).sizes == (1, 0, 1)


def test_words(write: Callable[..., Path]) -> None:
    corpus = load_text(write("a b  a\nb\tc c c\r\n" * 10), level="words", fractions=(1, 0, 0))
    assert corpus.vocabulary.symbols == ("c", "<eos>", "a", "b")
    assert corpus.vocabulary.decode(corpus.ids[:9]) == "a b a \n b c c c \n"
    assert load_text(write("a b a"), level="words", fractions=(1, 0, 0)).sizes == (3, 0, 0)


def test_rare_words_are_unknown(write: Callable[..., Path]) -> None:
    path = write("a a a b b c d a a b " * 2)
    rare = load_text(path, level="words", min_count=3)
    assert rare.vocabulary.symbols == ("<unk>", "a", "b")
    assert rare.outside[0] == np.count_nonzero(rare.train == 0) == 3
    few = load_text(path, level="words", max_size=2)
    assert few.vocabulary.symbols == ("<unk>", "a")
    with pytest.raises(
        DataError, match=r"2 words are not in the vocabulary .* the first is 'c'; try unknown=True"
    ):
        load_text(path, level="words", min_count=3, unknown=False)
    assert load_text(path, level="words", unknown=True).vocabulary.unknown == 0
    assert load_text(path, level="words").vocabulary.unknown is None


def test_a_word_called_unk_is_the_unknown_one(write: Callable[..., Path]) -> None:
    corpus = load_text(write("x <unk> x y <unk> z"), level="words", fractions=(0.9, 0, 0.1))
    assert corpus.vocabulary.symbols == ("<unk>", "x", "y")
    assert corpus.ids.tolist() == [1, 0, 1, 2, 0, 0]
    assert corpus.outside == (0, 0, 1)


def test_wrong_encoding_says_where(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(b"x" * 100 + b"\xe9t\xe9" + b"x" * 100)
    for block in (1, 2, 7, 10**6):
        monkeypatch.setattr(text_files, "BLOCK", block)
        with pytest.raises(
            DataError, match=r"story.txt, byte 100: wanted text in utf-8, .*try encoding='latin-1'"
        ):
            load_text(path)
    assert decoded(load_text(path, encoding="latin-1", unknown=True))[:103] == "x" * 100 + "été"
    with pytest.raises(DataError, match=r"byte 0: .*try encoding='utf-16'"):
        load_text(write("hello".encode("utf-16")))
    with pytest.raises(DataError, match=r"byte 4: .*unexpected end of data"):
        load_text(write(b"abcd\xc3"), fractions=(1, 0, 0))


@pytest.mark.parametrize("level", ["bytes", "characters", "words"])
def test_empty_and_short_files(write: Callable[..., Path], level: Any) -> None:
    with pytest.raises(DataError, match="the training part is empty"):
        load_text(write(b""), level=level)
    with pytest.raises(DataError, match="valid: wanted at least one symbol"):
        load_text(write(b"abcd efg ab"), level=level, fractions=(0.97, 0.01, 0.02))


def test_one_long_line_and_one_long_word(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_codes, "WORD_LIMIT", 1000)
    monkeypatch.setattr(text_files, "BLOCK", 512)
    assert load_text(write(b"one line " * 5000), level="words").sizes[0] == 8000
    with pytest.raises(
        DataError, match=r"byte 4: wanted words between blanks, came 1,\d\d\d bytes without one"
    ):
        load_text(write(b"one " + bytes(5000)), level="words")
    monkeypatch.setattr(text_codes, "TYPE_LIMIT", 10)
    with pytest.raises(DataError, match="wanted at most 10 different words"):
        load_text(write(" ".join(map(str, range(50)))), level="words")


def test_folders_and_archives(write: Callable[..., Path], tmp_path: Path) -> None:
    for n in range(10):
        write(f"text number {n}\n" * 5, f"many/part{n}.txt")
    write("not text", "many/notes.md")
    corpus = load_text(tmp_path / "many", level="words", fractions=(0.6, 0.2, 0.2))
    assert corpus.sizes == (120, 40, 40)
    assert corpus.outside == (0, 10, 10)
    with zipfile.ZipFile(tmp_path / "many.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for n in range(10):
            packed.write(tmp_path / "many" / f"part{n}.txt", f"part{n}.txt")
    zipped = load_text(tmp_path / "many.zip", level="words", fractions=(0.6, 0.2, 0.2))
    assert np.array_equal(zipped.ids, corpus.ids)
    assert zipped.digest == corpus.digest


def test_few_files_give_every_part_one(write: Callable[..., Path], tmp_path: Path) -> None:
    for n, size in enumerate((1, 1, 90)):
        write("abc" * size, f"few/{n}.txt")
    assert load_text(tmp_path / "few").sizes == (3, 3, 270)
    (tmp_path / "few" / "0.txt").unlink()
    with pytest.raises(DataError, match="wanted at least 3 files to share out, came 2"):
        load_text(tmp_path / "few")
    (tmp_path / "few" / "1.txt").unlink()
    assert load_text(tmp_path / "few").sizes == (216, 27, 27)  # one file is cut


@pytest.mark.parametrize(
    "names", [("train", "valid", "test"), ("my.train", "my.val", "my.test"), ("a-train", "a-dev", "a-test")]
)
def test_files_named_for_their_parts(
    write: Callable[..., Path], tmp_path: Path, names: tuple[str, ...]
) -> None:
    paths = [write(text, f"set/{name}.txt") for name, text in zip(names, ("aaa", "bb", "c"), strict=True)]
    for corpus in (load_text(tmp_path / "set"), load_text(paths)):
        assert corpus.sizes == (3, 2, 1)
        assert corpus.outside == (0, 2, 1)
    assert load_text(paths).digest == load_text(tmp_path / "set").digest


def test_large_texts_are_mapped(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(STORY)
    for level in ("bytes", "characters", "words"):
        small = load_text(path, level=level)  # type: ignore[arg-type]
        monkeypatch.setattr(module, "LARGE", 0)
        monkeypatch.setattr(text_codes, "KEPT_IN_MEMORY", 10)
        first, again = (load_text(path, level=level) for _ in range(2))  # type: ignore[arg-type]
        monkeypatch.undo()
        monkeypatch.setenv("GATELAB_CACHE", str(path.parent / "cache"))
        for large in (first, again):
            assert isinstance(large.ids, np.memmap)
            assert np.array_equal(small.ids, large.ids)
            assert (small.vocabulary, small.sizes, small.outside) == (
                large.vocabulary,
                large.sizes,
                large.outside,
            )
    kept = list((settings.cache_folder() / "texts").iterdir())
    assert len(kept) == 3
    assert not any(folder.name.startswith(".") for folder in kept)


def test_a_damaged_cache_is_found_out(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(STORY)
    monkeypatch.setattr(module, "LARGE", 0)
    load_text(path)
    (folder,) = (settings.cache_folder() / "texts").iterdir()
    ids, text = (folder / "ids.bin").read_bytes(), (folder / "text.json").read_text()
    damages = [
        ("ids.bin", ids[:-1]),
        ("ids.bin", b"\xff" + ids[1:]),
        ("text.json", text[:-3]),
        ("text.json", "[]"),
        ("text.json", text.replace('"a"', '"e"')),
        ("text.json", json.dumps({**json.loads(text), "sizes": [1, 2]})),
        ("text.json", json.dumps({**json.loads(text), "sizes": [-1, 2, 3]})),
        ("text.json", json.dumps({**json.loads(text), "outside": None})),
        ("text.json", json.dumps({**json.loads(text), "format": 0})),
        ("text.json", "[" * 100_000),
    ]
    for name, content in damages:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(DataError, match=r"is damaged .*try to delete it"):
            load_text(path)
        (folder / name).write_bytes(whole)
    assert load_text(path).sizes


def test_a_cache_that_cannot_be_written(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(STORY)
    monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setenv("GATELAB_CACHE", str(path))  # a file
    with pytest.raises(DataError, match=r"cannot be written or read .*GATELAB_CACHE"):
        load_text(path)


def test_what_is_begun_is_never_found(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies while it writes leaves no folder of that name, and its rest is swept away."""
    path = write(STORY.encode() + b"\xff")
    monkeypatch.setattr(module, "LARGE", 0)
    with pytest.raises(DataError, match="wanted text in utf-8"):
        load_text(path)
    texts = settings.cache_folder() / "texts"
    assert list(texts.iterdir()) == []
    (texts / ".dead.tmp").mkdir()
    os.utime(texts / ".dead.tmp", (1, 1))
    load_text(path, encoding="latin-1")
    assert not (texts / ".dead.tmp").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "letters"}, "no level of text is called 'letters'"),
        ({"level": "words", "min_count": 0}, "min_count: wanted a whole number from 1, came 0"),
        ({"level": "words", "max_size": 2.5}, "max_size: wanted a whole number"),
        ({"level": "bytes", "min_count": 2}, "every byte has an id"),
        ({"level": "bytes", "unknown": True}, "every byte has an id"),
        ({"encoding": "utf8000"}, "encoding: 'utf8000' is not known"),
        ({"encoding": "hex"}, "is not known"),
        ({"encoding": "unicode_escape"}, "is not known"),
        ({"encoding": "a\0"}, "is not known"),
        ({"fractions": (0.8, 0.2)}, "wanted three that add up to 1"),
        ({"fractions": (0.8, 0.2, 0.2)}, "add up to 1"),
        ({"fractions": (0, 0.5, 0.5)}, "add up to 1"),
        ({"fractions": (1.5, -0.5, 0)}, "add up to 1"),
        ({"fractions": (float("nan"), 0.5, 0.5)}, "add up to 1"),
    ],
)
def test_refuses_options(write: Callable[..., Path], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_text(write(STORY), **options)


def test_refuses_paths_and_names(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no text is called 'warpiece'; did you mean warpeace, "):
        load_text("warpiece")
    with pytest.raises(DataError, match=r"nowhere.txt: cannot be read \(No such file"):
        load_text(tmp_path / "nowhere.txt")
    with pytest.raises(DataError, match="wanted files called"):
        load_text(tmp_path)
    with pytest.raises(ConfigError, match="wanted one path, or three"):
        load_text([write("a"), write("b")])
    with pytest.raises(DataError, match="came neither"):
        load_text(write(STORY, "story.zip"))
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DataError, match="no plain file"):
        load_text(tmp_path / "pipe.txt")


def test_a_text_of_another_content_is_refused(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(STORY, "warpeace/warpeace_input.txt")
    monkeypatch.setenv("GATELAB_DATA", str(path.parents[1]))
    with pytest.raises(DataError, match="is not War and Peace: wanted the SHA-256 fb66ba999daf…, came"):
        load_text("warpeace")
    assert load_text(path).name == "warpeace_input.txt"


def test_stdlib() -> None:
    text = load_text("stdlib")
    assert 5_990_000 < sum(text.text_bytes) <= 6_000_000
    assert text.source.startswith("built in: the standard library of Python 3.")
    assert "def " in str(text.vocabulary.decode(text.train[:20_000]))
    assert text.digest == load_text("stdlib", level="bytes").digest


# Known texts


def test_war_and_peace() -> None:
    text = known("warpeace")
    assert (sum(text.sizes), len(text.vocabulary), text.ids.dtype) == (3_258_246, 87, np.uint8)
    assert text.sizes == (2_606_596, 325_825, 325_825)
    characters = known("warpeace", level="characters")
    assert sum(characters.sizes) == 3_258_227
    assert decoded(characters).count("\ufffd") == sum(characters.outside[1:])


def test_linux() -> None:
    text = known("linux")
    assert (sum(text.sizes), len(text.vocabulary)) == (6_206_996, 104)
    assert sum(known("linux", level="characters").sizes) == 6_206_984


def test_tiny_shakespeare() -> None:
    text = known("tinyshakespeare")
    assert (sum(text.sizes), len(text.vocabulary), text.outside) == (1_115_394, 65, (0, 0, 0))
    assert decoded(text).startswith("First Citizen:\nBefore we proceed")


def test_penn_treebank() -> None:
    words = known("ptb")
    assert (words.sizes, len(words.vocabulary)) == ((929_589, 73_760, 82_430), 10_000)
    assert words.ids.dtype == np.uint16
    assert words.outside == (0, 0, 0)
    assert words.vocabulary.symbols[:3] == ("the", "<unk>", "<eos>")
    assert np.count_nonzero(words.train == words.vocabulary.ids["<eos>"]) == 42_068
    characters = known("ptb-characters")
    assert characters.sizes == characters.text_bytes == (5_101_618, 399_782, 449_945)
    assert len(characters.vocabulary) == 50


# Fuzz: whatever happens to a real text, it is a corpus or a GatelabError.


def seed() -> bytes:
    folder = settings.data_folder()
    real = folder / "warpeace" / "warpeace_input.txt" if folder else None
    return real.read_bytes()[:3000] if real and real.is_file() else STORY.encode()[:3000]


CHANGES = mutations(3000)
OPTIONS = st.fixed_dictionaries(
    {
        "level": st.sampled_from(["bytes", "characters", "words"]),
        "encoding": st.sampled_from(
            ["utf-8", "utf-16", "utf-8-sig", "gb18030", "shift_jis", "utf-32", "iso2022_jp"]
        ),
        "unknown": st.sampled_from([None, False]),
    }
).map(lambda asked: asked | {"encoding": "utf-8"} if asked["level"] == "bytes" else asked)


def check(path: Path, changes: Any, options: Any, block: int) -> None:
    path.write_bytes(mutated(seed(), changes))
    before, text_files.BLOCK = text_files.BLOCK, block
    try:
        corpus = load_text(path, **options)
        assert len(corpus.ids) == sum(corpus.sizes)
        assert int(corpus.ids.max()) < len(corpus.vocabulary)
    except DataError as error:
        assert_one_line(error)
    except GatelabError:
        pytest.fail("a damaged text is a DataError")
    finally:
        text_files.BLOCK = before


@hypothesis_settings(max_examples=400, deadline=None)
@given(CHANGES, OPTIONS, st.sampled_from([5, 1000, 10**6]))
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, changes: Any, options: Any, block: int) -> None:
    check(tmp_path_factory.getbasetemp() / "mutant.txt", changes, options, block)


@pytest.mark.exhaustive
@hypothesis_settings(max_examples=20_000, deadline=None)
@given(CHANGES, OPTIONS, st.sampled_from([5, 1000, 10**6]))
def test_fuzz_long(tmp_path_factory: pytest.TempPathFactory, changes: Any, options: Any, block: int) -> None:
    check(tmp_path_factory.getbasetemp() / "mutant.txt", changes, options, block)
