"""Reduce the four-part Bach chorales of the music21 corpus to one small file of notes.

The result, ``src/gatelab/data/builtin/bach_chorales.json.gz``, is shipped with gatelab, so that
``load_music("chorales")`` works on a fresh machine without network. music21 is needed only here; to make
the file again (about two minutes, the same bytes each time with the same zlib)::

    python -m venv chorales
    chorales/bin/pip install music21==10.5.1
    chorales/bin/python tools/reduce_chorales.py

Procedure:

1. Read every score of ``music21/corpus/bach`` except Humdrum files (``.krn``: three encodings whose rights
   are reserved, and whose chorales are there as MusicXML too).
2. Keep the scores with exactly one soprano, alto, tenor and bass; of scores with instruments keep these
   four voices.
3. Sample the four voices at every quarter note from the start of the score (a pickup included): a step is
   the sorted set of MIDI numbers sounding at that instant. Repeats are not expanded. Silence at both ends
   is cut off.
4. Leave out movements in which the voices are silent for more than four quarters in a row: chorales
   embedded in instrumental music, not four-part settings.
5. Drop exact duplicates; the first name in the natural order stays.
6. Put chorales into one group (a tune) where one of these agrees, transposition apart: the first seven
   intervals, or any fourteen intervals in a row, of the soprano or of the highest notes (repeated notes
   count once); any eight steps in a row; all steps; the title in music21's list of chorales.
7. Order the groups by SHA-256 of the name of their first chorale and cut the row at 60 % and 80 % of all
   chorales.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import re
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import music21
from music21.corpus.chorales import ChoraleList, ChoraleListRKBWV

TARGET = Path(__file__).parents[1] / "src" / "gatelab" / "data" / "builtin" / "bach_chorales.json.gz"
VERSION = "10.5.1"
VOICES = ["soprano", "alto", "tenor", "bass"]
LONGEST_SILENCE = 4  # quarter notes
OPENING = 7  # intervals
PASSAGE = 14  # intervals
HARMONY = 8  # steps
CUTS = {"train": 0.6, "valid": 0.8, "test": 1.0}
RIGHTS = (
    "The music is in the public domain (its composer died in 1750). music21 is distributed under the BSD "
    "licence; its corpus/license.txt says that the encodings are distributed with the permission of the "
    "encoders and that, to the best of its authors' knowledge, each piece is either out of copyright in the "
    "United States or licensed for use, though there may be restrictions on commercial use; its creators "
    "assume no copyright in the corpus. None of the files read here states a copyright."
)

Steps = list[list[int]]


@dataclass(frozen=True)
class Chorale:
    """One score, reduced: its name ("bwv1.6"), title (may be empty), soprano's notes and steps."""

    name: str
    title: str
    soprano: tuple[int, ...]
    steps: Steps


def natural(name: str) -> list[tuple[int, str]]:
    """Sort ``bwv9.7`` before ``bwv10.7``."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def titles() -> dict[str, str]:
    """Return the titles that music21 knows, by BWV number."""
    older = {str(bwv): entry["title"] for bwv, entry in ChoraleList().byBWV.items()}
    newer = {str(bwv): entry["title"] for bwv, entry in ChoraleListRKBWV().byBWV.items()}
    return older | newer


def voices(score: Any) -> list[Any]:
    """Return the parts named soprano, alto, tenor, bass, or nothing where they are not exactly these four."""
    named = [(re.split(r"\s", part.partName or "")[0].lower(), part) for part in score.parts]
    names = [name for name, _ in named if name in VOICES]
    return [part for name, part in named if name in VOICES] if names == VOICES else []


def sounding(part: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield onset and end (quarter notes) and the note, for all notes of a part but grace notes."""
    for note in part.recurse().notes:
        onset = note.getOffsetInHierarchy(part)
        if note.quarterLength > 0:
            yield onset, onset + note.quarterLength, note


def sample(parts: list[Any]) -> Steps:
    """Return the sorted MIDI numbers sounding at quarter note 0, 1, 2 …, without silent ends."""
    sets: dict[int, set[int]] = defaultdict(set)
    for part in parts:
        for onset, end, note in sounding(part):
            for step in range(math.ceil(onset), math.ceil(end)):
                sets[step].update(pitch.midi for pitch in note.pitches)
    return [sorted(sets.get(step, ())) for step in range(min(sets), max(sets) + 1)]


def melody(part: Any) -> tuple[int, ...]:
    """Return the MIDI numbers of a voice, note by note."""
    return tuple(max(pitch.midi for pitch in note.pitches) for _, _, note in sounding(part))


def longest_silence(steps: Steps) -> int:
    """Return the length of the longest run of empty steps."""
    runs = "".join("x" if step else "." for step in steps).split("x")
    return max(len(run) for run in runs)


def read_corpus(folder: Path, left_out: Counter[str]) -> Iterator[Chorale]:
    """Yield the chorales of a folder in natural order; count in ``left_out`` what is not one."""
    known, seen = titles(), set()
    for path in sorted(folder.glob("bwv*.*"), key=lambda path: natural(path.name)):
        name = path.name.rsplit(".", 1)[0]
        if path.suffix == ".krn":
            left_out["Humdrum file, rights reserved"] += 1
            continue
        parts = voices(music21.converter.parse(path, forceSource=True, storePickle=False))
        steps = sample(parts) if parts else []
        content = json.dumps(steps)
        if not parts:
            left_out["not exactly one soprano, alto, tenor and bass"] += 1
        elif longest_silence(steps) > LONGEST_SILENCE:
            left_out[f"voices silent for more than {LONGEST_SILENCE} quarters"] += 1
        elif content in seen:
            left_out["exact duplicate"] += 1
        else:
            seen.add(content)
            yield Chorale(name, known.get(name.removeprefix("bwv"), ""), melody(parts[0]), steps)


def intervals(notes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the steps in semitones from note to note, repeated notes counted once."""
    return tuple(b - a for a, b in pairwise(notes) if a != b)


def passages(notes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield every run of PASSAGE intervals; all intervals where there are fewer."""
    moves = intervals(notes)
    for start in range(max(1, len(moves) - PASSAGE + 1)):
        yield moves[start : start + PASSAGE]


def marks(chorale: Chorale) -> Iterator[tuple[str, Hashable]]:
    """Yield everything by which two chorales are known to share a tune."""
    yield "steps", relative(chorale.steps)
    highest = tuple(step[-1] for step in chorale.steps if step)
    for voice in (chorale.soprano, highest):
        yield "opening", intervals(voice)[:OPENING]
        yield from (("passage", passage) for passage in passages(voice))
    yield from (("harmony", harmony) for harmony in harmonies(chorale.steps))
    if letters := re.sub(r"\W", "", chorale.title.casefold()):
        yield "title", letters


def relative(steps: Steps) -> tuple[tuple[int, ...], ...]:
    """Return steps in semitones above the first step's lowest note: the same for every transposition."""
    return tuple(tuple(note - steps[0][0] for note in step) for step in steps)


def harmonies(steps: Steps) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield every run of HARMONY steps without silence, transposition removed."""
    for start in range(len(steps) - HARMONY + 1):
        if all(run := steps[start : start + HARMONY]):
            yield relative(run)


def group_tunes(chorales: list[Chorale]) -> list[list[Chorale]]:
    """Return the classes of chorales that share a mark, directly or through others (union-find)."""
    parent = list(range(len(chorales)))

    def find(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    first: dict[tuple[str, Hashable], int] = {}
    for index, chorale in enumerate(chorales):
        for mark in marks(chorale):
            a, b = sorted((find(index), find(first.setdefault(mark, index))))
            parent[b] = a
    groups: dict[int, list[Chorale]] = defaultdict(list)
    for index, chorale in enumerate(chorales):
        groups[find(index)].append(chorale)
    return list(groups.values())


def split(groups: list[list[Chorale]]) -> dict[str, list[tuple[str, Chorale]]]:
    """Return (tune, chorale) for each split; a tune is named by its first chorale."""
    total = sum(map(len, groups))
    result: dict[str, list[tuple[str, Chorale]]] = {name: [] for name in CUTS}
    placed = 0
    for group in sorted(groups, key=lambda group: hashlib.sha256(group[0].name.encode()).hexdigest()):
        name = next(name for name, cut in CUTS.items() if placed < cut * total)
        result[name] += [(group[0].name, chorale) for chorale in group]
        placed += len(group)
    return {name: sorted(pairs, key=lambda pair: natural(pair[1].name)) for name, pairs in result.items()}


def document(splits: dict[str, list[tuple[str, Chorale]]], left_out: Counter[str]) -> dict[str, Any]:
    """Return the content of the file: provenance first, then names, then notes."""
    every = [pair for pairs in splits.values() for pair in pairs]
    return {
        "title": "Bach chorales (music21 corpus)",
        "provenance": {
            "composer": "Johann Sebastian Bach (1685-1750)",
            "source": f"PyPI package music21 {VERSION}, folder music21/corpus/bach, MusicXML files only",
            "made_by": "tools/reduce_chorales.py",
            "what_was_done": " ".join((__doc__ or "").split("Procedure:")[1].split()),
            "rights": RIGHTS,
            "grid": "one step a quarter note; a step lists the MIDI numbers sounding, sorted",
            "counts": {
                "chorales": {name: len(pairs) for name, pairs in splits.items()},
                "steps": {name: sum(len(c.steps) for _, c in pairs) for name, pairs in splits.items()},
                "notes": {
                    name: sum(len(s) for _, c in pairs for s in c.steps) for name, pairs in splits.items()
                },
                "tunes": len({tune for tune, _ in every}),
                "left_out": dict(sorted(left_out.items())),
            },
        },
        "chorales": {
            name: [{"name": c.name, "title": c.title, "tune": tune} for tune, c in pairs]
            for name, pairs in splits.items()
        },
        **{name: [c.steps for _, c in pairs] for name, pairs in splits.items()},
    }


def write(content: dict[str, Any], path: Path) -> bytes:
    """Write JSON, compressed without name or time; return the bytes."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return buffer.getvalue()


def main() -> None:
    """Reduce the installed corpus; refuse another version of it."""
    if music21.__version__ != VERSION:
        sys.exit(f"wanted music21 {VERSION}, came {music21.__version__}; try: pip install music21=={VERSION}")
    warnings.simplefilter("ignore")
    left_out: Counter[str] = Counter()
    chorales = list(read_corpus(Path(music21.__file__).parent / "corpus" / "bach", left_out))
    content = document(split(group_tunes(chorales)), left_out)
    data = write(content, Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
    print(json.dumps(content["provenance"]["counts"], indent=1))
    print(len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
