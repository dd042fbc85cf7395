"""From named sets and the user's own files to sequences with targets, for the tasks on ragged sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.arrays.labelled import LabelledData
from gatelab.data.arrays.npz import load_arrays
from gatelab.data.arrays.pairs import LABELLED as SERIES
from gatelab.data.arrays.pairs import load_labelled as load_series
from gatelab.data.pens.strokes import load_strokes
from gatelab.data.scale import Scale
from gatelab.data.speech.kaldi import KaldiData, KaldiUtterance, read_alignment, read_kaldi
from gatelab.data.speech.mfcc import mfcc, stacked
from gatelab.data.speech.sets import SPEECH, load_speech
from gatelab.data.speech.timit import load_timit
from gatelab.data.speech.utterances import SpeechData, Utterance, frame_labels
from gatelab.data.splits import SPLITS, split_by_group
from gatelab.data.text.labelled import load_labelled as load_texts
from gatelab.errors import ConfigError, DataError
from gatelab.tasks.options import Options
from gatelab.tasks.ragged import Part, Posed
from gatelab.tasks.task import About

EMBEDDING = 128
"""Numbers that a word of a labelled text is embedded in."""
STACK = MappingProxyType({"word": 8, "phone": 3, "character": 3})
"""Frames of speech, 10 ms each, that become one step, by the labels, which should have a few steps each."""


def frame_parts(load: str, told: Options) -> Posed:
    """Return sequences with a class a step: speech as MFCC with its phones, or a .npz file.

    Raises
    ------
    DataError
        The data has no labels along time.
    """
    if load.lower().endswith(".npz"):
        data = load_arrays(load)
        if not isinstance(data.train.y, tuple):
            raise DataError(f"{load}: has a label a sequence, wanted one a frame; try --task classify")
        return _values(data)
    if _is_kaldi(Path(load)):
        return _aligned(read_kaldi(Path(load)), Path(told.text("alignment", str(Path(load) / "ali"))))
    speech = _speech(load)
    parts = {s: _spoken(speech, s, frame_labels) for s in SPLITS}
    return _scaled(_said(speech, "frames"), parts, speech.symbols, _heard_as(speech.rate))


def labelled_parts(load: str, told: Options) -> Posed:
    """Return sequences with a class each."""
    speakers = load.removesuffix("-speakers")
    if speakers in SPEECH:
        return _recordings(load_speech(speakers), load != speakers)
    if load in SERIES or load.lower().endswith((".ts", ".npz")):
        if load.lower().endswith(".npz"):
            data = load_arrays(load)
        else:
            data = load_series(load, fill=told.flag("fill"))
        if isinstance(data.train.y, tuple) or not data.classes:
            hint = (
                "--task frames for labels along time" if data.classes else "whole numbers or texts as labels"
            )
            raise DataError(f"{load}: wanted a class a sequence; try {hint}")
        return _values(data)
    lower = told.flag("lower")
    columns = {}
    if Path(load).is_file() and not load.lower().endswith(".zip"):  # a table; nothing else has columns
        columns = {"text": told.text("text", "text"), "label": told.text("target", "label")}
    text = load_texts(load, min_count=told.whole("min_count", 2, least=1), lower=lower, **columns)
    split = "the set's own" if text.name == "sst2" else "as given, or 80/10/10 with equal texts in one part"
    about = About(text.name, text.title, text.source, text.digest, (f"split: {split}",))
    parts = {s: Part(getattr(text, s).sentences, getattr(text, s).labels) for s in SPLITS}
    kept = {"inputs": "words", "vocabulary": text.vocabulary.to_data(), "lower": lower, "parted": text.parted}
    embedding = told.whole("embedding", EMBEDDING, least=0)
    return Posed(about, parts, text.classes, kept, len(text.vocabulary), embedding)


def transcript_parts(load: str, told: Options) -> tuple[Posed, str]:
    """Return sequences with a string of labels each, and what a label is."""
    if _is_kaldi(Path(load)):
        posed, what = _spelt(read_kaldi(Path(load)))
        return _stacked(posed, told, what), what
    if load in SPEECH or _is_timit(Path(load)):
        speech = _speech(load)
        parts = {s: _spoken(speech, s, lambda u: np.array(u.labels)) for s in SPLITS}
        what = {"yesno": "word", "fsdd": "word"}.get(speech.name, "phone")
        posed = _scaled(_said(speech, "strings"), parts, speech.symbols, _heard_as(speech.rate))
        return _stacked(posed, told, what), what
    every = told.whole("every", 2, least=1)
    pens = load_strokes(load, every=every)
    about = About(pens.name, pens.title, pens.source, pens.digest, (f"split: {pens.split}", *pens.remarks))
    parts = {
        s: Part([w.features for w in getattr(pens, s)], [pens.encode(w.text) for w in getattr(pens, s)])
        for s in SPLITS
    }
    scale = {"movement": pens.scale.movement, "time": pens.scale.time}
    kept = {"inputs": "pen", "every": every, "scale": scale}
    return Posed(about, parts, pens.characters, kept), "character"


def _stacked(posed: Posed, told: Options, what: str) -> Posed:
    """Return speech with so many frames joined to one as was asked for."""
    count = told.whole("stack", STACK[what], least=1)
    longest = max(len(x) for p in posed.parts.values() for x in p.inputs)
    if count > longest:
        raise ConfigError(f"option stack of task transcribe: wanted at most {longest} frames, got {count}")
    parts = {s: Part([stacked(x, count) for x in p.inputs], p.targets) for s, p in posed.parts.items()}
    return replace(posed, parts=parts, kept={**posed.kept, "stack": count})


def _is_kaldi(path: Path) -> bool:
    return (path / "wav.scp").exists() or (path / "feats.scp").exists()


def _is_timit(path: Path) -> bool:
    return any((path / name).is_dir() for name in ("TRAIN", "train")) and next(
        (True for _ in path.glob("*/*/*/*.[pP][hH][nN]")), False
    )


def _speech(load: str) -> SpeechData:
    """Return a named set of speech, or a TIMIT folder."""
    path = Path(load).expanduser()
    if load in SPEECH or not path.exists():
        return load_speech(load)
    if not _is_timit(path):
        raise DataError(
            f"{path}: wanted a TIMIT or Kaldi folder, or a .npz file, came neither; try another path"
        )
    return load_timit(path)


def _heard(utterance: KaldiUtterance) -> NDArray[np.float32]:
    """Return the features of a Kaldi folder, or MFCC where it has sound only."""
    if utterance.features is not None:
        return utterance.read_features()
    sound = utterance.read_sound()
    return mfcc(sound.samples, sound.rate, utterance.id)


def _by_speaker(data: KaldiData, utterances: Sequence[KaldiUtterance]) -> dict[str, list[KaldiUtterance]]:
    """Return the utterances of each part; no speaker is in two."""
    found = split_by_group([u.speaker or u.id for u in utterances], place=data.source)
    return {s: [utterances[k] for k in getattr(found, s)] for s in SPLITS}


def _of_kaldi(data: KaldiData) -> About:
    name = Path(data.source).name
    split = "split: 80/10/10 by speaker" if data.speakers else "split: 80/10/10 by utterance"
    return About(name, name, data.source, data.digest, (split,))


def _aligned(data: KaldiData, alignment: Path) -> Posed:
    """Return a Kaldi folder with an alignment: features, and a class a frame."""
    if not alignment.is_file():
        raise DataError(f"{alignment}: wanted an alignment archive, came no file; try -o alignment=PATH")
    targets = read_alignment(alignment)
    kept = [u for u in data.utterances if u.id in targets]
    if not kept:
        raise DataError(f"{alignment}: holds no utterance of {data.source}; try the alignment of this folder")
    classes = sorted({int(k) for u in kept for k in targets[u.id]})
    places = {k: n for n, k in enumerate(classes)}

    def part(utterances: Sequence[KaldiUtterance]) -> Part:
        inputs = [_heard(u) for u in utterances]
        labels = [np.array([places[int(k)] for k in targets[u.id]]) for u in utterances]
        for u, x, y in zip(utterances, inputs, labels, strict=True):
            if len(x) != len(y):
                raise DataError(f"{alignment}: {u.id}: wanted {len(x)} frames, came {len(y)}; try its own")
        return Part(inputs, labels)

    parts = {s: part(utterances) for s, utterances in _by_speaker(data, kept).items()}
    about = _of_kaldi(data)
    return _scaled(about, parts, tuple(map(str, classes)), _read_as(kept))


def _spelt(data: KaldiData) -> tuple[Posed, str]:
    """Return a Kaldi folder with its texts: features, and the characters of each text."""
    kept = [u for u in data.utterances if u.text]
    if not kept:
        raise DataError(f"{data.source}: wanted a file called text with words, came none; try to add them")
    split = _by_speaker(data, kept)
    characters = sorted({c for u in split["train"] for c in u.text})
    strange = sorted({c for u in kept for c in u.text} - set(characters))
    if strange:
        raise DataError(
            f"{data.source}: training has no {strange[0]!r}, validation or test do; try more data"
        )
    parts = {
        s: Part([_heard(u) for u in part], [np.array([characters.index(c) for c in u.text]) for u in part])
        for s, part in split.items()
    }
    about = _of_kaldi(data)
    return _scaled(about, parts, tuple(characters), _read_as(kept)), "character"


def _recordings(speech: SpeechData, of_speakers: bool) -> Posed:
    """Return recordings with one label each: what is said, or who says it."""
    names = speech.speakers if of_speakers else speech.symbols

    def label(utterance: Utterance) -> int:
        return names.index(utterance.speaker) if of_speakers else utterance.labels[0]

    parts = {s: _spoken(speech, s, label) for s in SPLITS}
    about = _said(speech, "speakers" if of_speakers else "")
    return _scaled(about, parts, names, _heard_as(speech.rate))


def _heard_as(rate: int | None) -> dict[str, Any]:
    """Return how sound is read: MFCC at a rate, or of a Kaldi folder at that of its files."""
    return {"inputs": "mfcc", "rate": rate}


def _read_as(utterances: Sequence[KaldiUtterance]) -> dict[str, Any]:
    """Return how a Kaldi folder is read: features as numbers, as nobody knows what they are made of."""
    featured = any(u.features is not None for u in utterances)
    return {"inputs": "values"} if featured else _heard_as(None)


def _spoken(speech: SpeechData, split: str, target: Callable[[Utterance], Any]) -> Part:
    utterances = getattr(speech, split)
    features = [mfcc(u.samples, u.rate, u.id) for u in utterances]
    return Part(features, [target(u) for u in utterances])


def _said(speech: SpeechData, what: str) -> About:
    name = f"{speech.name}-{what}" if what else speech.name
    left = tuple(f"{count:,} utterances left out: {why}" for why, count in speech.left_out.items())
    return About(name, speech.title, speech.source, speech.digest, ("split: the set's own", *left))


def _values(data: LabelledData) -> Posed:
    about = About(data.name, data.title, data.source, data.digest, data.notes)
    parts = {s: Part(getattr(data, s).x, getattr(data, s).y) for s in SPLITS}
    return _scaled(about, parts, data.classes, {"inputs": "values"})


def _scaled(
    about: About, parts: Mapping[str, Part], names: tuple[str, ...], kept: Mapping[str, Any]
) -> Posed:
    """Return the data with inputs of mean 0 and deviation 1 over the training steps."""
    try:
        scale = Scale.of(parts["train"].inputs)
    except DataError as error:
        raise DataError(f"{about.source}: {error}") from None
    scaled = {s: Part([scale.apply(x) for x in p.inputs], p.targets) for s, p in parts.items()}
    return Posed(about, scaled, names, {**kept, "scale": scale.to_data()})
