from __future__ import annotations

import numpy as np
import pytest

from gatelab.data.midi.tonality import MAJOR, MINOR, find_tonic
from gatelab.errors import ShapeError


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("mode", "profile"), [("major", MAJOR), ("minor", MINOR)])
def test_a_profile_is_its_own_key(tonic: int, mode: str, profile: tuple[float, ...]) -> None:
    assert find_tonic(3 + 7 * np.roll(profile, tonic)) == (tonic, mode)


def test_without_a_key_it_is_c() -> None:
    assert find_tonic([2] * 12) == (0, "major")


@pytest.mark.parametrize(
    "durations", [[1, 2, 3], [[1] * 12], [float("nan")] * 12, [float("inf"), *range(11)]]
)
def test_refuses_what_are_no_durations(durations: object) -> None:
    with pytest.raises(ShapeError, match="wanted 12 finite durations"):
        find_tonic(durations)  # type: ignore[arg-type]
