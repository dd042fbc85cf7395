"""TIMIT, as the Linguistic Data Consortium ships it: read English with phones, under its licence.

The folder holds ``TRAIN`` and ``TEST``, in them regions ``DR1`` … ``DR8``, speakers, and of each utterance
its sound (``SX217.WAV``, SPHERE or RIFF), its phones (``SX217.PHN``: first sample, end, phone) and its text
(``SX217.TXT``); upper or lower case. The usual split is taken: without the two sentences (SA) that all speak,
462 speakers train (3,696 utterances), 50 validate (400), 24 test (192, the core test set). The lists of
speakers are those of Kaldi's recipe (egs/timit/s5).

Source: J. S. Garofolo et al., "TIMIT Acoustic-Phonetic Continuous Speech Corpus", LDC93S1, 1993.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType

from gatelab.data.speech.audio import open_audio
from gatelab.data.speech.utterances import Segment, SpeechData, Utterance
from gatelab.data.tree import Tree
from gatelab.errors import DataError

COUNTS = (3696, 400, 192)
_VALID = """faks0 fdac1 fjem0 mgwt0 mjar0 mmdb1 mmdm2 mpdf0 fcmh0 fkms0 mbdg0 mbwm0 mcsh0 fadg0 fdms0
    fedw0 mgjf0 mglb0 mrtk0 mtaa0 mtdt0 mthc0 mwjg0 fnmr0 frew0 fsem0 mbns0 mmjr0 mdls0 mdlf0 mdvc0 mers0
    fmah0 fdrw0 mrcs0 mrjm4 fcal1 mmwh0 fjsj0 majc0 mjsw0 mreb0 fgjd0 fjmg0 mroa0 mteb0 mjfc0 mrjr0 fmml0
    mrws1"""
_TEST = """mdab0 mwbt0 felc0 mtas1 mwew0 fpas0 mjmp0 mlnt0 fpkt0 mlll0 mtls0 fjlm0 mbpm0 mklt0 fnlp0 mcmj0
    mjdh0 fmgd0 mgrt0 mnjm0 fdhc0 mjln0 mpam0 fmld0"""
_PHONES = """aa ae ah ao aw ax ax-h axr ay b bcl ch d dcl dh dx eh el em en eng epi er ey f g gcl h# hh hv ih
    ix iy jh k kcl l m n ng nx ow oy p pau pcl q r s sh t tcl th uh uw ux v w y z zh"""
VALID_SPEAKERS, TEST_SPEAKERS = frozenset(_VALID.split()), frozenset(_TEST.split())
PHONES = tuple(_PHONES.split())
"""The 61 phones of the transcriptions, which are the symbols of the set."""
FOLDED = MappingProxyType(
    {"ao": "aa", "ax": "ah", "ax-h": "ah", "axr": "er", "el": "l", "em": "m", "en": "n", "eng": "ng",
     "hv": "hh", "ix": "ih", "nx": "n", "ux": "uw", "zh": "sh", "bcl": "sil", "dcl": "sil", "gcl": "sil",
     "pcl": "sil", "tcl": "sil", "kcl": "sil", "epi": "sil", "h#": "sil", "pau": "sil", "q": ""}
)  # fmt: skip
"""Which of the 61 become another of the 39; q, the glottal stop, becomes nothing."""
OVERSHOOT = 0.1
"""Seconds by which the last phone may end after the sound."""


def fold_phones(phones: Iterable[str]) -> tuple[str, ...]:
    """Return phones of the 61 as those of the 39 in which error rates are reported; q is left out.

    Neighbours that become the same stay two.

    Examples
    --------
    >>> fold_phones(["h#", "q", "ao", "tcl", "t", "ix"])
    ('sil', 'aa', 'sil', 't', 'ih')

    Notes
    -----
    K.-F. Lee and H.-W. Hon, "Speaker-Independent Phone Recognition Using Hidden Markov Models", 1989.
    """
    return tuple(folded for phone in phones if (folded := FOLDED.get(phone, phone)))


def load_timit(folder: Path, whole: bool = True) -> SpeechData:
    """Return TIMIT with the usual split; samples are read when they are asked for.

    Parameters
    ----------
    folder
        The folder that holds TRAIN and TEST, or one around it.
    whole
        Refuse a folder with other counts than 3,696, 400 and 192 utterances.

    Returns
    -------
    SpeechData
        Symbols are the 61 phones, with their times; ``left_out`` counts what is in no split: SA sentences
        and the 94 test speakers that are in neither list.

    Raises
    ------
    DataError
        It is no such folder, a file is missing or damaged, or not all utterances are there.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: wanted TIMIT's folder, came none; it is to be had from the LDC (LDC93S1)")
    tree, hashed = Tree(folder), hashlib.sha256()
    splits: dict[str, list[Utterance]] = {"train": [], "valid": [], "test": []}
    left_out: Counter[str] = Counter()
    names = {name.lower(): name for name in tree.names(".wav", ".phn", ".txt")}
    for name in sorted(names):
        found = re.search(r"(?:^|/)(train|test)/dr[1-8]/([fm][a-z]{3}[0-9])/(s[aix][0-9]{1,4})\.wav$", name)
        if found is None:
            left_out["other recordings"] += name.endswith(".wav")
            continue
        split = _split(*found.groups())
        if split in splits:
            splits[split].append(_utterance(tree, names, name, found[2], f"{found[2]}_{found[3]}", hashed))
        else:
            left_out[split] += 1
    came = (len(splits["train"]), len(splits["valid"]), len(splits["test"]))
    if whole and came != COUNTS:
        raise DataError(
            f"{folder}: is not TIMIT as a whole: wanted (train, valid, test) {COUNTS} utterances, came "
            f"{came}; try to copy it again, or whole=False"
        )
    speakers = sorted({u.speaker for part in splits.values() for u in part})
    return SpeechData(
        "timit",
        "TIMIT",
        16_000,
        PHONES,
        tuple(speakers),
        train=tuple(splits["train"]),
        valid=tuple(splits["valid"]),
        test=tuple(splits["test"]),
        source=str(folder),
        digest=hashed.hexdigest(),
        left_out=MappingProxyType({reason: count for reason, count in left_out.items() if count}),
    )


def _split(part: str, speaker: str, sentence: str) -> str:
    """Return the split of an utterance, or why it is in none."""
    if sentence.startswith("sa"):
        return "SA sentences, which all speak"
    if part == "train":
        return "train"
    other = "test speakers outside of the core test set and of validation"
    return "valid" if speaker in VALID_SPEAKERS else "test" if speaker in TEST_SPEAKERS else other


def _utterance(
    tree: Tree, names: dict[str, str], name: str, speaker: str, id_: str, hashed: hashlib._Hash
) -> Utterance:
    sound = open_audio(tree.path / names[name])
    if sound.rate != 16_000:
        raise DataError(f"{sound.name}: wanted 16000 Hz, came {sound.rate}; try TIMIT's own files")
    stem = name.removesuffix(".wav")
    phones = _text(tree, names, f"{stem}.phn")
    hashed.update(f"{id_}\0{sound.frames}\0{phones}\0".encode())
    segments = _segments(phones, tree.place(names[f"{stem}.phn"]), sound.frames, sound.rate)
    said = _text(tree, names, f"{stem}.txt") if f"{stem}.txt" in names else ""
    text = re.sub(r"^\s*\d+\s+\d+\s+", "", said).strip()
    return Utterance(id_, sound, tuple(s.label for s in segments), speaker, text, segments)


def _text(tree: Tree, names: dict[str, str], name: str) -> str:
    place = names.get(name, name)
    try:
        return tree.read(place, 2**20).decode("ascii")
    except UnicodeDecodeError as error:
        raise DataError(f"{tree.place(place)}, byte {error.start}: no ASCII; try to copy it again") from None


def _segments(text: str, place: str, frames: int, rate: int) -> tuple[Segment, ...]:
    """Read lines of FIRST END PHONE in samples; times rise and end with the sound."""
    labels = {phone: label for label, phone in enumerate(PHONES)}
    last, segments = 0, list[Segment]()
    latest = frames + round(OVERSHOOT * rate)
    for number, line in enumerate(text.splitlines(), 1):
        found = re.fullmatch(r"\s*([0-9]{1,9})\s+([0-9]{1,9})\s+(\S+)\s*", line)
        if found is None or found[3] not in labels or not last <= int(found[1]) < int(found[2]) <= latest:
            raise DataError(
                f"{place}, line {number}: wanted two samples that rise from {last} to {latest} at most, and "
                f"one of 61 phones, came {line[:60]!r}; try to copy it again"
            )
        last = int(found[2])
        segments.append(Segment(labels[found[3]], int(found[1]) / rate, last / rate))
    if not segments:
        raise DataError(f"{place}: holds no phones; try to copy it again")
    return tuple(segments)
