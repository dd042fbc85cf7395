"""Tables from CSV and Parquet, and what must not pass the border."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from damage import assert_one_line, damaged
from gatelab.data.tables.table import read_table, read_tables
from gatelab.errors import DataError

COUNTS = {
    "ETTh1.csv": (17420, 7, "hour", 0),
    "airline-passengers.csv": (144, 1, "month", 0),
    "daily-min-temperatures.csv": (3650, 1, "day", 1),
    "monthly-sunspots.csv": (2820, 1, "month", 0),
}


@pytest.fixture(scope="module")
def folder() -> Path:
    """Return the folder of the known time series, or skip where the machine has none."""
    found = Path(os.environ.get("GATELAB_DATA", "")) / "time_series"
    if not os.environ.get("GATELAB_DATA") or not (found / "ETTh1.csv").is_file():
        pytest.skip("no time_series/ETTh1.csv in GATELAB_DATA: the known time series are not on this machine")
    return found


def write(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("name", COUNTS)
def test_known_files(folder: Path, name: str) -> None:
    table = read_table(folder / name)
    assert (len(table), len(table.columns), str(table.step), len(table.notes)) == COUNTS[name]
    assert table.time is not None
    assert table.time.dtype == np.dtype("datetime64[us]")
    assert np.isfinite(table.values).all()


def test_values_are_those_of_the_file(folder: Path) -> None:
    table = read_table(folder / "ETTh1.csv")
    assert table.columns == ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    assert table.values[0].tolist()[::6] == [5.827000141143799, 30.5310001373291]
    assert table.values[-1].tolist()[::6] == [10.11400032043457, 9.56700038909912]
    assert str(table.time[-1]) == "2018-06-26T19:00:00.000000"
    plain = np.loadtxt(folder / "ETTh1.csv", delimiter=",", skiprows=1, usecols=range(1, 8))
    assert np.array_equal(table.values, plain)
    temperatures = read_table(folder / "daily-min-temperatures.csv")
    assert temperatures.notes == ("2 of 3,649 steps are no day, the first before line 1462",)


@pytest.mark.parametrize(
    ("text", "names", "values", "step"),
    [
        ("a,b\n1,2\n3,4\n", ("a", "b"), [[1, 2], [3, 4]], "None"),
        ("a;b\r\n1,5;-2\r\n3,25;1e2", ("a", "b"), [[1.5, -2], [3.25, 100]], "None"),
        ("a\tb\n1.5\t2\n3\t.5\n\n\n", ("a", "b"), [[1.5, 2], [3, 0.5]], "None"),
        ('"a","b, c"\n"1","2"\n3,4\n', ("a", "b, c"), [[1, 2], [3, 4]], "None"),
        ("a, b\n 1 , 2\n3,  4\n", ("a", "b"), [[1, 2], [3, 4]], "None"),
        ("\ufeffyear,b\n1949,2\n1950,4\n", ("b",), [[2], [4]], "number"),
        ("t,b\n0,2\n5,4\n10,4\n", ("b",), [[2], [4], [4]], "5 numbers"),
        ("d,b\n31.1.2001,2\n28.2.2001,4\n", ("b",), [[2], [4]], "month"),
        ("d,b\n1/13/2001,2\n1/14/2001,4\n", ("b",), [[2], [4]], "day"),
        ("d,b\n13/1/2001 10:00,2\n13/1/2001 10:15,4\n", ("b",), [[2], [4]], "15 minutes"),
        ("d,b\n2001-01-01T00:00:00Z,2\n2001-01-08T01:00:00+01:00,4\n", ("b",), [[2], [4]], "week"),
        ("date,b\n20010101,2\n20010102,4\n", ("b",), [[2], [4]], "day"),
        ("b,d\n2,2001/1/1\n4,2002/1/1\n", ("b",), [[2], [4]], "year"),
        ("d,b\n2001-01-01 00:00:00.5,2\n2001-01-01 00:00:01.5,4\n", ("b",), [[2], [4]], "second"),
        ("^a$,*\n1,2\n3,4\n", ("^a$", "*"), [[1, 2], [3, 4]], "None"),
        ("c1,c0\n1,2\n3,4\n", ("c1", "c0"), [[1, 2], [3, 4]], "None"),
        ("a\n1\n2\n", ("a",), [[1], [2]], "None"),
    ],
)
def test_forms(tmp_path: Path, text: str, names: tuple[str, ...], values: list[object], step: str) -> None:
    table = read_table(write(tmp_path, text))
    assert (table.columns, table.values.tolist(), str(table.step)) == (names, values, step)


def test_digits_of_other_scripts_are_no_numbers_and_no_gaps(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,2\n2,\u0663\n3,4\n4,5\n")
    with pytest.raises(DataError, match=r"line 3, column 'b': wanted a number, came '\u0663'"):
        read_table(path, fill=True)


def test_text_is_set_apart_and_time_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, ",made,site,load,due\n0,2001-01-05,A,1,2002-01\n1,2001-01-03,,2,2002-02\n")
    table = read_table(path, time="due")
    assert (table.columns, table.time_name, str(table.step)) == (("column_1", "load"), "due", "month")
    assert table.text == {"made": ("2001-01-05", "2001-01-03"), "site": ("A", "")}
    assert table.notes == ("column 1 has no name and is called column_1",)
    with pytest.raises(DataError, match=r"t.csv, line 3: wanted ascending times, .*try sort"):
        read_table(path)


def test_fills_and_sorts_when_asked(tmp_path: Path) -> None:
    text = "d,a,b\n2001-01-03,,3\n2001-01-01,1,1\n2001-01-02,NA,2\n2001-01-05,4,NaN\n"
    table = read_table(write(tmp_path, text), fill=True, sort=True)
    assert table.values.T.tolist() == [[1, 2, 3, 4], [1, 2, 3, 3]]
    assert table.notes == (
        "rows were sorted by time: 3 of 4 stood elsewhere",
        "1 of 3 steps are no day, the first before line 5",
        "column 'a': 2 gaps filled by linear interpolation, the first at line 4",
        "column 'b': 1 gap filled by linear interpolation, the first at line 5",
    )


BAD: dict[str, str | bytes] = {
    "the file is empty": "",
    "line 1: wanted names of columns, came '1,2'": "1,2\n3,4\n",
    "line 1: two columns are called 'a'": "a,a\n1,2\n",
    "wanted rows below the header line, came none": "a,b\n\n",
    "line 3: wanted 2 cells, .* came 3;": "a,b\n1,2\n1,2,3\n4,5\n",
    "line 4: wanted 2 cells, .* came 1;": "a,b\n1,2\n4,5\n3\n",
    "line 3: wanted 2 cells, .* came a blank line": "a,b\n1,2\n\n4,5\n",
    "line 3, column 'b': wanted a number, came 'lots'": "a,b\n1,2\n1,lots\n1,3\n",
    "line 3, column 'a': wanted a number, came '1_0'": "a,b\n1,2\n1_0,2\n1,3\n",
    "line 3, column 'a': wanted a number, came '1.000,5'": "a;b\n1,5;2\n1.000,5;2\n1;3\n",
    "line 3, column 'a': wanted a number, came '1.000'": "a;b\n1,5;2\n1.000;2\n1,5;3\n",
    "line 3, column 'a': wanted a number, came '1,000'": 'a,b\n1,2\n"1,000",2\n1.5,3\n',
    "line 2, column 'a': wanted a finite number, came '-inf'": "a,b\n-inf,2\n1,2\n1,3\n",
    "line 3, column 'a': wanted a finite number, came '1e999'": "a,b\n1,2\n1e999,2\n1,3\n",
    "line 3, column 'b': wanted a number, came the first of 2 gaps; try fill": "a,b\n1,2\n1,\n1,3\n1,nan\n",
    "b: the column's first 2 cells are empty": "a,b\n1,\n2,\n",
    "line 4: wanted each time once": "d,a\n2001-01-01,1\n2001-01-02,2\n2001-01-02,3\n",
    "line 3: wanted ascending times, .* after": "d,a\n2001-01-02,1\n2001-01-01,2\n2001-01-03,3\n",
    "line 3, column 'd': wanted a time in the form .*'2001-13-02'": "d,a\n2001-01-02,1\n2001-13-02,2",
    "line 4, column 'd': wanted a time .* came ''": "d,a\n2001-01-02,1\n2001-01-03,2\n,2\n",
    "cannot be told apart": "d,a\n1/2/2001,1\n2/2/2001,2\n",
    "wanted a column of numbers, came 'a', 'b'": "a,b\nx,y\nu,v\n",
    "line 2: wanted text in UTF-8, came the byte 0xe9": b"a,b\n\xe9,1\n",
    "came text in UTF-16": "a,b\n1,2\n".encode("utf-16"),
    "line 2: wanted text, came a null byte": b"a,b\n1\0,2\n",
    "line 1: a carriage return inside a line": b"a,b\r1,2\r3,4\r",
    "line 2: quotation marks do not fit": 'a,b\n"x\ny",2\nz,4\n',
    "line 3: quotation marks do not fit": 'a,b\n1,2\n"3"x,4\n',
    "came a gzip file": b"\x1f\x8b\x08" + bytes(40),
    "came a zip archive": b"PK\x03\x04" + bytes(40),
    "came a web page": "<!DOCTYPE html>",
    "damaged Parquet": b"PAR1" + bytes(100),
}  # fmt: skip


@pytest.mark.parametrize("message", BAD)
def test_refuses(tmp_path: Path, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(write(tmp_path, BAD[message]))
    assert "\n" not in str(caught.value)
    assert "try" in str(caught.value)


def test_what_stands_far_below_the_first_rows_is_found(tmp_path: Path) -> None:
    rows = [f"2001-01-01 {k // 3600:02}:{k // 60 % 60:02}:{k % 60:02},{k}.5,x" for k in range(60_000)]
    good = "d,a,b\n" + "\n".join(rows)
    assert read_table(write(tmp_path, good)).column("a")[-1] == 59999.5
    for bad, message in [
        ("2001-01-01 15:00:00,no,x", "line 50001, column 'a': wanted a number, came 'no'"),
        ("2001-01-01 15:00:00,1", "line 50001: wanted 3 cells, .* came 2"),
        ("2001-01-01 15:00:00,1,x,y", "line 50001: wanted 3 cells, .* came 4"),
        ('2001-01-01 15:00:00,1,"x', "line 50001: quotation marks do not fit"),
        ("2001-01-01,1,x", "line 50001, column 'd': wanted a time"),
    ]:
        text = "d,a,b\n" + "\n".join([*rows[:49_999], bad, *rows[50_000:]])
        with pytest.raises(DataError, match=message):
            read_table(write(tmp_path, text))


def test_lines_are_counted_across_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatelab.data.tables.csv_lines.PIECE", 16)
    assert len(read_table(write(tmp_path, "a,ä\r\n" + "1,22\r\n" * 50))) == 50
    with pytest.raises(DataError, match="line 41: wanted text in UTF-8"):
        read_table(write(tmp_path, b"a,b\n" + b"1,22\n" * 39 + b"\xff,2\n"))
    with pytest.raises(DataError, match="line 1: wanted lines of at most 16 bytes"):
        read_table(write(tmp_path, "a" * 20 + "\n1\n"))


def frame() -> pl.DataFrame:
    days = pl.datetime_range(pl.datetime(2001, 1, 1), pl.datetime(2001, 3, 1), "1d", eager=True)
    n = len(days)
    return pl.DataFrame({
        "when": days.dt.replace_time_zone("Europe/Berlin"),
        "count": pl.int_range(n, eager=True),
        "load": np.linspace(0.5, 9, n),
        "free": [k % 7 == 6 for k in range(n)],
        "site": ["A", None] * (n // 2),
    })  # fmt: skip


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "*.parquet"  # the name is no pattern
    frame().write_parquet(path)
    table = read_table(path)
    assert (table.columns, table.time_name, str(table.step)) == (("count", "load", "free"), "when", "day")
    assert str(table.time[0]) == "2000-12-31T23:00:00.000000"
    assert table.column("load")[-1] == 9
    assert table.column("free").sum() == 8
    assert table.text["site"][:2] == ("A", "")


def test_parquet_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    for column, message in [
        (pl.Series("x", [[1.5]] * 60), r"came the column 'x' of the type List\(Float64\)"),
        (pl.Series("x", [{"a": 1}] * 60), "came the column 'x' of the type Struct"),
        (pl.Series("x", [b"1"] * 60), "came the column 'x' of the type Binary"),
        (
            pl.Series("load", [None, *[1.0] * 59]),
            "t.parquet, row 0, column 'load': wanted a number, .*1 gap;",
        ),
        (pl.Series("load", [float("inf")] * 60), "row 0, column 'load': wanted a finite number"),
        (pl.Series("load", ["1"] * 60), "the column 'load' holds numbers as text"),
    ]:
        frame().with_columns(column).write_parquet(path)
        with pytest.raises(DataError, match=message):
            read_table(path)
    frame().head(0).write_parquet(path)
    with pytest.raises(DataError, match="wanted rows, came none"):
        read_table(path)
    frame().write_parquet(path)
    monkeypatch.setattr("gatelab.data.tables.parquet_table.MOST_VALUES", 20)
    with pytest.raises(DataError, match="wanted at most 20 values and 10,000 columns, came 60 rows of 5"):
        read_table(path)


def test_a_folder_and_an_archive_of_tables(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path, "a,b\n1,2\n", "in/one.csv")
    frame().write_parquet(tmp_path / "in" / "two.parquet")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("one.csv", "two.parquet"):
            archive.write(tmp_path / "in" / name, name)
    for found in (read_tables(tmp_path / "in"), read_tables(tmp_path / "in.zip")):
        assert [(table.name, len(table)) for table in found] == [("one.csv", 1), ("two.parquet", 60)]
    with pytest.raises(DataError, match="is a folder; try"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="is not there; try"):
        read_table(tmp_path / "none.csv")


WORDS = tuple(
    b', ; "\n \r\n \t NaN inf 1e999 -1,5 2001-02-30 1/1/2001 \xff \0 ,,, ""x"" 1949 \xc2\xa0'.split(b" ")
)


def fuzz(folder: Path, path: Path, count: int, seed: int) -> int:
    """Read damaged heads of the known files; return how many were tables all the same."""
    draw = random.Random(seed)
    seeds = [b"".join((folder / name).read_bytes().splitlines(True)[:30]) for name in COUNTS]
    seeds.append(seeds[0].replace(b",", b";").replace(b".", b","))
    good = 0
    for _ in range(count):
        path.write_bytes(damaged(draw.choice(seeds), draw, WORDS))
        try:
            table = read_table(path, fill=draw.random() < 0.5, sort=draw.random() < 0.5)
        except DataError as error:
            assert_one_line(error)
        else:
            good += 1
            assert np.isfinite(table.values).all()
            assert table.values.shape == (len(table), len(table.columns))
            assert all(len(cells) == len(table) for cells in table.text.values())
    return good


def test_a_damaged_csv_is_a_table_or_a_data_error(folder: Path, tmp_path: Path) -> None:
    assert 40 < fuzz(folder, tmp_path / "f.csv", 800, 1) < 760


@pytest.mark.exhaustive
def test_many_damaged_csv(folder: Path, tmp_path: Path) -> None:
    fuzz(folder, tmp_path / "f.csv", 20_000, 2)


def fuzz_parquet(path: Path, count: int, seed: int) -> None:
    draw = random.Random(seed)
    for compression in ("zstd", "snappy", "uncompressed"):
        frame().write_parquet(path, compression=compression)
        data = path.read_bytes()
        for _ in range(count):
            path.write_bytes(b"PAR1" + damaged(data[4:], draw))
            try:
                assert np.isfinite(read_table(path, fill=True, sort=True).values).all()
            except DataError as error:
                assert_one_line(error)


def test_a_damaged_parquet_is_a_table_or_a_data_error(tmp_path: Path) -> None:
    fuzz_parquet(tmp_path / "f.parquet", 4, 1)


@pytest.mark.exhaustive
def test_many_damaged_parquet(tmp_path: Path) -> None:
    fuzz_parquet(tmp_path / "f.parquet", 400, 2)
