"""The .ts format, and everything that must not pass the border."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from damage import assert_one_line, damaged
from gatelab.data.arrays.ts import read_timeseries
from gatelab.errors import DataError

HEAD = "@problemName p\n@dimensions 2\n@equalLength false\n@classLabel true a b\n@data\n"


@pytest.fixture(scope="module")
def vowels() -> bytes:
    """Return the training file of Japanese Vowels, or skip where the machine has none."""
    path = Path(os.environ.get("GATELAB_DATA", "nowhere")) / "japanese_vowels" / "JapaneseVowels_TRAIN.ts"
    if not path.is_file():
        pytest.skip("no japanese_vowels/JapaneseVowels_TRAIN.ts in GATELAB_DATA")
    return path.read_bytes()


def test_japanese_vowels(vowels: bytes) -> None:
    found = read_timeseries(vowels, "f")
    assert (found.name, found.classes, len(found.cases)) == ("JapaneseVowels", tuple("123456789"), 270)
    assert {x.shape[1] for x in found.cases.x} == {12}
    assert (min(map(len, found.cases.x)), max(map(len, found.cases.x))) == (7, 26)
    assert found.cases.x[0][:2, :2].tolist() == [[1.860936, -0.207383], [1.891651, -0.193249]]
    assert np.bincount(found.cases.y).tolist() == [30] * 9


def test_numbers_as_targets_and_crlf() -> None:
    text = "\ufeff#x\r\n@Univariate TRUE\r\n@targetlabel true\r\n\r\n@DATA\r\n#y\r\n1,2.5e1:-3.5\r\n+.5:4\r\n"
    found = read_timeseries(text.encode(), "f")
    assert [x.tolist() for x in found.cases.x] == [[[1.0], [25.0]], [[0.5]]]
    assert (found.cases.y.tolist(), found.classes) == ([-3.5, 4.0], ())


def test_fills_when_asked() -> None:
    found = read_timeseries((HEAD + "?,1,?,3:NaN,5,5,6:b\n").encode(), "f", fill=True)
    assert found.cases.x[0].T.tolist() == [[1, 1, 2, 3], [5, 5, 5, 6]]
    assert found.filled == 3


BAD = {
    "wanted a line @data": "@problemName p\n",
    "wanted cases below @data": HEAD,
    "line 1: wanted a header line as @dimensions 12, came '1,2:3,4:a'": "1,2:3,4:a\n",
    "did you mean dimensions": HEAD.replace("dimensions", "dimesnions"),
    "line 6: wanted 2 dimensions and a label": HEAD + "@data\n",
    "line 3: @dimensions is said twice": "@a\n".replace("@a", "#") + "@dimensions 1\n@dimensions 1\n",
    "@timeStamps is true": HEAD.replace("@equal", "@timeStamps true\n@equal"),
    "wanted @equallength true or false, came 'yes'": HEAD.replace("false", "yes") + "1:1:a",
    "wanted @dimensions with a number from 1, came '-2'": HEAD.replace("s 2", "s -2") + "1:1:a",
    "both @dimension and @dimensions": "@dimension 2\n" + HEAD + "1:1:a",
    "@univariate is true but @dimensions is 2": "@univariate true\n" + HEAD + "1:1:a",
    "wanted @classLabel true with the labels": HEAD.replace("a b", "a a") + "1:1:a",
    "or @targetLabel true, came 'true'": HEAD.replace("a b", "") + "1:1:a",
    "came 'neither'": "@data\n1:a",
    "line 6: wanted 2 dimensions and a label, .* came 3": HEAD + "1:1:1:a\n",
    "line 7: wanted 2 dimensions and a label, .* came 0": HEAD + "1:1:a\nx\n",
    "line 6, dimension 1, value 1: wanted a number or '\\?', came 'x'": HEAD + "1,2:1,x:a\n",
    "line 6, dimension 0, value 0: wanted a number or '\\?', came ''": HEAD + ":1:a\n",
    "value 1: wanted a number or '\\?', came '1_0'": HEAD + "1,1_0:1,1:a\n",
    "value 1: wanted a finite number, came '1e999'": HEAD + "1,1e999:1,1:a\n",
    "line 6: wanted as many values .* came 2 in dimension 0 and 1 in dimension 1": HEAD + "1,2:1:a\n",
    "line 6: wanted a label of the header, a b, came 'c'": HEAD + "1:1:c\n",
    "line 6, dimension 1: wanted every value, came 1 of 2 missing, the first at value 1; try fill": HEAD
    + "1,2:1,?:a\n",
    "line 7: wanted 1 values, as the header and the first case say, came 2": HEAD.replace("false", "true")
    + "1:1:a\n1,2:1,2:a\n",
    "line 7: wanted 3 values": "@seriesLength 3\n" + HEAD + "1:1:a\n",
    "line 7: wanted all cases alike, came 1 dimensions, before 2": HEAD.replace("@dimensions 2", "#")
    + "1:1:a\n1:a\n",
    "line 3: wanted a number as target, came 'x'": "@targetLabel true\n@data\n1:x\n",
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_timeseries(BAD[message].encode(), "f")
    assert_one_line(caught.value)


def test_refuses_what_no_filling_can_mend_and_foreign_bytes() -> None:
    with pytest.raises(
        DataError, match=r"line 6, dimension 1: .* 2 of 2 missing, .*try to leave out the case"
    ):
        read_timeseries((HEAD + "1,2:?,?:a\n").encode(), "f", fill=True)
    with pytest.raises(DataError, match="line 2: wanted text in UTF-8"):
        read_timeseries(b"@problemName p\n\xff", "f")


WORDS = tuple(
    b"? NaN inf 1e999 , : ::: \n @data\n @classLabel\x20true\x20x\n @dimensions\x202\n # \xff \0".split(b" ")
)


def fuzz(data: bytes, count: int, seed: int) -> int:
    draw = random.Random(seed)
    seeds = [b"\n".join(data.split(b"\n")[start:19]) for start in (0, 6)]
    good = 0
    for _ in range(count):
        try:
            found = read_timeseries(damaged(draw.choice(seeds), draw, WORDS), "f", fill=draw.random() < 0.5)
        except DataError as error:
            assert_one_line(error)
        else:
            good += 1
            assert all(np.isfinite(x).all() and len(x) for x in found.cases.x)
            assert len(found.cases.y) == len(found.cases.x)
    return good


def test_a_damaged_file_is_read_or_a_data_error(vowels: bytes) -> None:
    assert 20 < fuzz(vowels, 500, 1) < 480


@pytest.mark.exhaustive
def test_many_damaged_files(vowels: bytes) -> None:
    fuzz(vowels, 20_000, 2)
