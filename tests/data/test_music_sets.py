"""Names of the known sets."""

from __future__ import annotations

import pytest

from gatelab.data import MUSIC
from gatelab.data.music_sets import find_source
from gatelab.errors import ConfigError


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("chorales", "chorales"),
        ("Bach chorales", "chorales"),
        ("JSB-Chorales", "jsb"),
        ("jsb_chorales", "jsb"),
        ("Nottingham", "nottingham"),
        ("MuseData", "muse"),
        ("Piano-midi.de", "piano"),
        ("piano_midi", "piano"),
    ],
)
def test_names_and_aliases(asked: str, name: str) -> None:
    assert find_source(asked) is MUSIC[name]


def test_unknown_name_lists_near_misses_and_all_names() -> None:
    with pytest.raises(ConfigError) as caught:
        find_source("notingham")
    assert str(caught.value) == (
        "no music is called 'notingham'; did you mean nottingham? "
        "known are chorales, jsb, nottingham, muse, piano, or the path of a file"
    )
    with pytest.raises(ConfigError, match="no music is called ''; known are chorales"):
        find_source("")


def test_names_are_unique_and_the_table_is_frozen() -> None:
    names = [name for source in MUSIC.values() for name in (source.name, *source.aliases)]
    assert len(names) == len(set(names))
    assert all(name == source.name for name, source in MUSIC.items())
    with pytest.raises(TypeError):
        MUSIC["new"] = MUSIC["jsb"]  # type: ignore[index]


def test_downloads_are_pinned_to_a_commit_and_a_checksum() -> None:
    for source in MUSIC.values():
        assert len(source.sha256) == 64
        assert not source.url or source.url.endswith(f"/{source.files[0]}")
    assert [name for name, source in MUSIC.items() if not source.url] == ["chorales"]
