"""Labelled texts: known sets, tables, folders, and what must not pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from damage import Change, assert_one_line, mutated, mutations
from gatelab import settings as folders
from gatelab.data.text.labelled import LabelledText, load_labelled
from gatelab.errors import ConfigError, DataError

ROWS = [f"text number {n},{'odd' if n % 2 else 'even'}" for n in range(40)]
TABLE = "text,label\n" + "\n".join(ROWS) + "\n"


def known(name: str, **options: Any) -> LabelledText:
    try:
        return load_labelled(name, **options)
    except DataError as error:
        if "came no such file" in str(error):
            pytest.skip(f"the set {name} is not in GATELAB_DATA")
        raise


def sentences(data: LabelledText) -> list[list[str]]:
    return [
        [data.vocabulary.symbols[i] for i in ids]
        for part in (data.train, data.valid, data.test)
        for ids in part.sentences
    ]


def test_sst2() -> None:
    data = known("sst2")
    parts = (data.train, data.valid, data.test)
    assert (
        [len(part.labels) for part in parts] == [len(part.sentences) for part in parts] == [6920, 872, 1821]
    )
    assert [int(part.labels.sum()) for part in parts] == [3610, 444, 909]
    assert data.classes == ("negative", "positive")
    assert data.vocabulary.symbols[0] == "<unk>"
    assert data.outside[0] == 0 < data.outside[1]
    assert " ".join(sentences(data)[0]).startswith("a stirring , funny and finally transporting")
    rarer = known("sst2", min_count=5)
    assert len(rarer.vocabulary) < len(data.vocabulary)
    assert rarer.outside[0] > 0


def test_rt_polarity() -> None:
    data = known("rt_polarity")
    parts = (data.train, data.valid, data.test)
    assert [len(part.labels) for part in parts] == [8530, 1066, 1066]
    assert sum(int(part.labels.sum()) for part in parts) == 5331
    assert known("rt-polarity").digest == data.digest


def test_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(TABLE)
    data = load_labelled(path)
    assert data.classes == ("even", "odd")
    assert [len(p.labels) for p in (data.train, data.valid, data.test)] == [32, 4, 4]
    assert all(s[:2] == ["text", "number"] for s in sentences(data))
    for separator, name in (("\t", "mine.tsv"), (";", "mine.csv"), ("|", "mine.csv")):
        (tmp_path / name).write_text(TABLE.replace(",", separator).replace("text|", "text|", 1))
        assert load_labelled(tmp_path / name).digest == data.digest


def test_quoted_fields_and_named_columns(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = "".join(f'{n},"Say ""{n}"",\nthen go.",{"ab"[n % 2]}\n' for n in range(20))
    path.write_text("\ufeffid,Review,Stars\n" + rows)
    data = load_labelled(path, text="Review", label="Stars", lower=True)
    assert sentences(data)[0][0] == "say"
    with pytest.raises(
        DataError, match=r"line 1: wanted the columns Revew and Stars, .*did you mean Review\?"
    ):
        load_labelled(path, text="Revew", label="Stars")


def test_folders(tmp_path: Path) -> None:
    for part in ("train", "dev", "test"):
        for label in ("ham", "spam"):
            for n in range(3):
                path = tmp_path / "mails" / part / label / f"{n}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{label}\nnumber {n}")
    data = load_labelled(tmp_path / "mails")
    assert data.classes == ("ham", "spam")
    assert data.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    (tmp_path / "mails" / "loose.txt").write_text("x")
    with pytest.raises(DataError, match=r"loose.txt: wanted CLASS/NAME.txt"):
        load_labelled(tmp_path / "mails")


def with_rows(*rows: str) -> str:
    return "text,label,split\n" + "".join(f"{row}\n" for row in ("a b,x,train", "c d,y,train", *rows))


BAD = [
    (with_rows("a,x,valid", "b,z,test"), r"line 5: the label 'z' does not occur in training"),
    (with_rows("a,x,valid", "b,x"), "line 5: wanted 3 fields, came 2"),
    (with_rows("a,x,valid", "b,x,tset"), "line 5: split: wanted train, valid or test, came 'tset'"),
    (with_rows("a,x,valid", ",x,test"), "line 5: wanted a text, came nothing"),
    (with_rows("a,x,valid", "b, ,test"), "line 5: wanted a label, came nothing"),
    (with_rows("a,x,valid"), "wanted examples in each part, came none for test"),
    (with_rows('"a"b,x,valid'), "line 4: no table"),
    (with_rows('"a,x,valid'), "line 4: no table"),
    ("", "line 1: wanted the columns text and label, came ''"),
    ("text,lable\na,b\n", r"did you mean lable\?"),
    ("text,label\n", "wanted at least 3 groups"),
    (
        "text,label\n" + "".join(f"a{n},x\n" for n in range(20)),
        "wanted two classes or more in training, came 1",
    ),
    ("text,label\n" + "x" * 200_000 + ",a\n", "line 2: no table"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_refuses(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        load_labelled(path)
    assert_one_line(caught.value)


def test_refuses_names_and_options(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no labelled text is called 'sst3'; did you mean sst2\?"):
        load_labelled("sst3")
    with pytest.raises(ConfigError, match="min_count"):
        load_labelled("sst2", min_count=0)
    with pytest.raises(DataError, match=r"wanted a folder of .txt files for each class"):
        load_labelled(tmp_path)


def test_label_lines_need_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("train", "dev", "test"):
        (tmp_path / f"stsa.binary.{part}").write_text("1 good\n0\n" if part == "dev" else "1 good\n0 bad\n")
    monkeypatch.setenv("GATELAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"binary.dev, line 2: wanted LABEL sentence, came '0'"):
        load_labelled("sst2")


# Fuzz: a damaged file is a set or a DataError.


def seed() -> bytes:
    data = folders.data_folder()
    real = data / "sentiment_sst2" / "stsa.binary.dev" if data else None
    if real is None or not real.is_file():
        return TABLE.encode()
    rows = [line.split(" ", 1) for line in real.read_text(encoding="utf-8").splitlines()[:25]]
    quoted = (f'"{text}",{label}' for label, text in rows)
    return ("text,label\n" + "\n".join(quoted) + "\n").encode()


CHANGES = mutations(3000)


def check(path: Path, changes: list[Change]) -> None:
    path.write_bytes(mutated(seed(), changes))
    try:
        made = load_labelled(path)
        assert all(len(ids) for ids in made.train.sentences)
    except DataError as error:
        assert_one_line(error)


@settings(max_examples=250, deadline=None)
@given(CHANGES)
def test_fuzz(tmp_path_factory: pytest.TempPathFactory, changes: list[Change]) -> None:
    check(tmp_path_factory.getbasetemp() / "mutant.csv", changes)


@pytest.mark.exhaustive
@settings(max_examples=20_000, deadline=None)
@given(CHANGES)
def test_fuzz_long(tmp_path_factory: pytest.TempPathFactory, changes: list[Change]) -> None:
    check(tmp_path_factory.getbasetemp() / "mutant.csv", changes)
