"""The known sets of speech that may be had freely: spoken digits, yes and no, and read Russian with phones.

They are looked for in the folders of ``gatelab.settings``, as zip archives or unpacked.

- **fsdd**, Free Spoken Digit Dataset, github.com/Jakobovski/free-spoken-digit-dataset: 3,000 digits by six
  speakers. Of each digit of a speaker, recordings 0-4 test (the official split); 5-9 validate (ours).
- **yesno**, openslr.org/1: 60 recordings of eight words. Names that begin with 1 test, as in the tutorial;
  of the others every fifth validates (ours).
- **festvox_ru**: 160 Russian sentences by one speaker with the times of all phones, out of the Debian package
  festvox-ru; ``transcripts.tsv`` has the split.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from gatelab.data.places import find
from gatelab.data.speech.audio import read_audio
from gatelab.data.speech.utterances import Segment, SpeechData, Utterance
from gatelab.data.splits import SPLITS
from gatelab.data.tree import Tree, entry
from gatelab.errors import ConfigError, DataError, near_misses

TOTAL = 2**28
"""The most samples of a set: four hours at 16 kHz, 1 GiB."""

Splits = dict[str, list[Utterance]]


@dataclass
class Files:
    """The files of one set by their own names, wherever they lie; what is read goes into the digest."""

    tree: Tree
    rate: int
    read_so_far: int = 0
    hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self.names: dict[str, str] = {}
        for name in self.tree.names():
            short = PurePosixPath(name).name
            if short in self.names:
                raise DataError(f"{self.tree.place(name)}: {short} is there twice; try to take one away")
            self.names[short] = name

    def place(self, name: str) -> str:
        """Return what messages call a file."""
        return self.tree.place(self.names.get(name, name))

    def bytes(self, name: str) -> bytes:
        """Return what a file holds."""
        data = self.tree.read(self.names.get(name, name))
        self.hash.update(entry(name, data))
        return data

    def text(self, name: str) -> str:
        """Return a file's text."""
        try:
            return self.bytes(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{self.place(name)}, byte {error.start}: no UTF-8; try to fetch it again"
            ) from None

    def utterance(self, name: str, labels: tuple[int, ...], speaker: str = "", text: str = "") -> Utterance:
        """Return a recording with what is known of it."""
        recording = read_audio(self.bytes(name), self.place(name))
        self.read_so_far += recording.frames
        if recording.rate != self.rate or self.read_so_far > TOTAL:
            raise DataError(
                f"{self.place(name)}: wanted {self.rate} Hz and at most {TOTAL:,} samples in all, came "
                f"{recording.rate} Hz and {self.read_so_far:,}; try to fetch the set again"
            )
        id_ = PurePosixPath(name).stem
        return Utterance(id_, replace(recording, name=id_), labels, speaker, text)


@dataclass(frozen=True)
class SpeechSource:
    """What is known of a set before it is read.

    Attributes
    ----------
    name, title
        Its short name, also of its folder, and its name in tables.
    files
        Names under which it may lie in a data folder.
    rate
        Hz.
    counts
        Utterances of train, valid and test: data with other counts is not this set.
    home
        Where it is to be had.
    read
        From its files to its splits and symbols.
    """

    name: str
    title: str
    files: tuple[str, ...]
    rate: int
    counts: tuple[int, int, int]
    home: str
    read: Callable[[Files], tuple[Splits, tuple[str, ...]]]


def load_speech(name: str, path: Path | None = None) -> SpeechData:
    """Return a known set of speech.

    Parameters
    ----------
    name
        ``"fsdd"``, ``"yesno"`` or ``"festvox_ru"``.
    path
        Its zip archive or folder; None: it is looked for in ``$GATELAB_DATA``, then in the cache folder.

    Raises
    ------
    ConfigError
        No set has this name.
    DataError
        It is not to be had (the message says where it is), damaged, or not the set that its name says.

    Examples
    --------
    >>> load_speech("timid")
    Traceback (most recent call last):
    gatelab.errors.ConfigError: no speech is called 'timid'; known are fsdd, yesno, festvox_ru
    """
    if name not in SPEECH:
        hint = near_misses(name, SPEECH) or ";"
        raise ConfigError(f"no speech is called {name!r}{hint} known are {', '.join(SPEECH)}")
    source = SPEECH[name]
    path = path or find(source.title, source.name, source.files, source.home)
    files = Files(Tree(path), source.rate)
    splits, symbols = source.read(files)
    came = tuple(len(splits[split]) for split in SPLITS)
    if came != source.counts:
        raise DataError(
            f"{path}: is not {source.title}: wanted (train, valid, test) {source.counts} utterances, came "
            f"{came}; try to fetch it again from {source.home}"
        )
    speakers = sorted({u.speaker for split in SPLITS for u in splits[split]} - {""})
    return SpeechData(
        name,
        source.title,
        source.rate,
        symbols,
        tuple(speakers),
        train=tuple(splits["train"]),
        valid=tuple(splits["valid"]),
        test=tuple(splits["test"]),
        source=str(path),
        digest=files.hash.hexdigest(),
    )


def _fsdd(files: Files) -> tuple[Splits, tuple[str, ...]]:
    """Names are DIGIT_SPEAKER_INDEX.wav."""
    splits: Splits = {split: [] for split in SPLITS}
    for name in sorted(n for n in files.names if n.lower().endswith(".wav")):
        found = re.fullmatch(r"([0-9])_([a-z]+)_([0-9]{1,3})\.wav", name)
        if found is None:
            raise DataError(f"{files.place(name)}: wanted a name like 7_jackson_12.wav; try to take it away")
        index = int(found[3])
        split = "test" if index < 5 else "valid" if index < 10 else "train"
        splits[split].append(files.utterance(name, (int(found[1]),), found[2], found[1]))
    return splits, tuple("0123456789")


def _yesno(files: Files) -> tuple[Splits, tuple[str, ...]]:
    """Names are the words: 1 for yes and 0 for no."""
    splits: Splits = {split: [] for split in SPLITS}
    symbols = ("no", "yes")
    seen = 0
    for name in sorted(n for n in files.names if n.lower().endswith(".wav")):
        if not re.fullmatch(r"[01](_[01]){7}\.wav", name):
            raise DataError(
                f"{files.place(name)}: wanted a name like 0_1_1_0_0_1_0_1.wav; try to take it away"
            )
        words = tuple(int(word) for word in name[:-4].split("_"))
        seen += words[0] == 0
        split = "test" if words[0] else "train" if seen % 5 else "valid"
        splits[split].append(files.utterance(name, words, text=" ".join(symbols[word] for word in words)))
    return splits, symbols


def _festvox_ru(files: Files) -> tuple[Splits, tuple[str, ...]]:
    """Sentences in transcripts.tsv, times of phones in NAME.lab."""
    splits: Splits = {split: [] for split in SPLITS}
    phones: dict[str, list[tuple[str, float, float]]] = {}
    rows = list(enumerate(files.text("transcripts.tsv").splitlines(), 1))[1:]
    for number, row in rows:
        cells = row.split("\t")
        if len(cells) != 4 or cells[3] not in SPLITS or not re.fullmatch(r"\w{1,40}", cells[0], re.ASCII):
            raise DataError(
                f"{files.place('transcripts.tsv')}, line {number}: wanted utterance, seconds, text and split "
                f"(train, valid or test) between tabs, came {row[:60]!r}; try to fetch it again"
            )
        phones[cells[0]] = _phones(files, f"{cells[0]}.lab")
    symbols = tuple(sorted({phone for spoken in phones.values() for phone, _, _ in spoken}))
    labels = {symbol: label for label, symbol in enumerate(symbols)}
    for _, row in rows:
        name, _, text, split = row.split("\t")
        segments = tuple(Segment(labels[phone], start, stop) for phone, start, stop in phones[name])
        plain = files.utterance(f"{name}.wav", tuple(s.label for s in segments), "nsh", text)
        if segments[-1].stop > plain.seconds:
            raise DataError(
                f"{files.place(f'{name}.lab')}: phones end at {segments[-1].stop} s, the recording at "
                f"{plain.seconds} s; try to fetch it again"
            )
        splits[split].append(replace(plain, segments=segments))
    return splits, symbols


def _phones(files: Files, name: str) -> list[tuple[str, float, float]]:
    """Read ``#`` and lines of END 125 PHONE, which rise; a phone begins where the one before ended."""
    spoken: list[tuple[str, float, float]] = []
    start = 0.0
    for number, line in enumerate(files.text(name).splitlines(), 1):
        if number == 1 and line.strip() == "#":
            continue
        found = re.fullmatch(r"\s*([0-9]{1,6}(?:\.[0-9]{1,9})?)\s+[0-9]{1,4}\s+(\S{1,16})\s*", line)
        stop = float(found[1]) if found else math.nan
        if found is None or not stop > start:
            raise DataError(
                f"{files.place(name)}, line {number}: wanted an end after {start} s, a number and a phone, "
                f"came {line[:60]!r}; try to fetch it again"
            )
        spoken.append((found[2], start, stop))
        start = stop
    if not spoken:
        raise DataError(f"{files.place(name)}: holds no phones; try to fetch it again")
    return spoken


SPEECH: Mapping[str, SpeechSource] = MappingProxyType(
    {
        source.name: source
        for source in (
            SpeechSource(
                "fsdd",
                "Free Spoken Digit Dataset",
                ("recordings.zip", "recordings"),
                8_000,
                (2400, 300, 300),
                "github.com/Jakobovski/free-spoken-digit-dataset (its folder recordings)",
                _fsdd,
            ),
            SpeechSource(
                "yesno",
                "yesno",
                ("waves_yesno.zip", "waves_yesno"),
                8_000,
                (25, 6, 29),
                "openslr.org/1 (unpacked)",
                _yesno,
            ),
            SpeechSource(
                "festvox_ru",
                "festvox-ru, 160 sentences",
                ("festvox_ru_160.zip", "festvox_ru_160"),
                16_000,
                (120, 20, 20),
                "the Debian package festvox-ru (wav/ and lab/ of 160 sentences, with transcripts.tsv)",
                _festvox_ru,
            ),
        )
    }
)
"""The known sets by their short names."""
