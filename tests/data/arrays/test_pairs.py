"""Pairs of labelled time series, and how a part of the first is held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gatelab.data.arrays.labelled import Labelled, hold_out
from gatelab.data.arrays.pairs import LABELLED, load_labelled
from gatelab.data.places import places
from gatelab.errors import ConfigError, DataError

HEAD = "@univariate true\n@classLabel true a b\n@data\n"


def pair(folder: Path, train: str, test: str, names: tuple[str, str] = ("X_TRAIN.ts", "X_TEST.ts")) -> Path:
    for name, text in zip(names, (train, test), strict=True):
        (folder / name).write_text(text)
    return folder / names[1]


def test_japanese_vowels_from_name_and_either_path() -> None:
    source = LABELLED["japanese-vowels"]
    found = [path for path in places(source.folder, [source.file]) if path.is_file()]
    if not found:
        pytest.skip("no japanese_vowels/JapaneseVowels_TRAIN.ts in GATELAB_DATA")
    data = load_labelled("japanese-vowels")
    assert (len(data.train), len(data.valid), len(data.test), data.inputs) == (216, 54, 370, 12)
    assert np.bincount(data.valid.y).tolist() == [6] * 9
    assert (min(map(len, data.test.x)), max(map(len, data.test.x))) == (7, 29)
    assert data.title == "Japanese Vowels"
    for name in ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts"):
        again = load_labelled(found[0].with_name(name))
        assert (again.digest, again.name) == (data.digest, "JapaneseVowels")
        assert np.array_equal(again.valid.x[0], data.valid.x[0])


def test_numbers_as_targets_are_held_out_over_their_range(tmp_path: Path) -> None:
    head = "@univariate true\n@targetLabel true\n@data\n"
    cases = "".join(f"{k}.5,?:{k * 37 % 100}\n" for k in range(100))
    data = load_labelled(pair(tmp_path, head + cases, head + "1:2\n", ("x_train.ts", "x_test.ts")), fill=True)
    assert data.valid.y.dtype == np.float64
    assert sorted(np.bincount((data.valid.y // 10).astype(int))) == [2] * 10
    assert data.notes[1] == "100 missing values were filled by linear interpolation"


def test_refusals(tmp_path: Path, no_data: Path) -> None:
    cases = HEAD + "1:a\n2:a\n"
    with pytest.raises(DataError, match=r"X_TEST.ts: the class 'b' is in no case of X_TRAIN.ts"):
        load_labelled(pair(tmp_path, cases, HEAD + "1:a\n2:b\n"))
    with pytest.raises(DataError, match=r"wanted the header of X_TRAIN.ts, came 1 and 2 dimensions"):
        load_labelled(pair(tmp_path, cases, "@classLabel true a b\n@data\n1:2:a\n"))
    with pytest.raises(DataError, match="no class has two cases"):
        load_labelled(pair(tmp_path, HEAD + "1:a\n1:b\n", cases))
    pair(tmp_path, cases, cases).unlink()
    with pytest.raises(DataError, match=r"X_TEST.ts: cannot be read \(No such file"):
        load_labelled(tmp_path / "X_TRAIN.ts")
    with pytest.raises(DataError, match=r"wanted a file whose name ends in _TRAIN.ts or _TEST.ts"):
        load_labelled(tmp_path / "X.ts")
    with pytest.raises(DataError, match=r"Japanese Vowels: wanted JapaneseVowels_TRAIN.ts in"):
        load_labelled("japanese-vowels")
    with pytest.raises(ConfigError, match="held_out: wanted a share"):
        load_labelled(pair(tmp_path, cases, cases), held_out=1)


def test_a_file_that_is_not_the_known_set(no_data: Path) -> None:
    folder = no_data / "data" / "japanese_vowels"
    folder.mkdir(parents=True)
    cases = HEAD + "1:a\n2:a\n"
    pair(folder, cases, cases, ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts"))
    with pytest.raises(DataError, match=r"is not Japanese Vowels: wanted \(270, 370\) cases, came \(2, 2\)"):
        load_labelled("japanese-vowels")


def test_hold_out_is_deterministic_and_fair() -> None:
    strata = np.random.default_rng(5).integers(0, 7, 300)
    stay, out = hold_out(strata, 0.2, seed=3)
    assert np.array_equal(out, hold_out(strata, 0.2, seed=3)[1])
    assert not np.array_equal(out, hold_out(strata, 0.2, seed=4)[1])
    assert sorted([*stay, *out]) == list(range(300))
    share = np.bincount(strata[out]) / np.bincount(strata)
    assert abs(share - 0.2).max() < 0.02


def test_takes_labels_of_frames() -> None:
    x = tuple(np.full((n, 2), n + 0.5) for n in (2, 3))
    y = tuple(np.arange(1, n + 1) for n in (2, 3))
    taken = Labelled(x, y).take([1])
    assert (len(taken), taken.y[0].tolist()) == (1, [1, 2, 3])
