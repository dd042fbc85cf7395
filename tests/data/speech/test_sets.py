"""The known sets of speech as they are, and what is said where they are not."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from damage import damaged_copies
from gatelab.data.speech.audio import Recording, write_wav
from gatelab.data.speech.mfcc import mfcc
from gatelab.data.speech.sets import SPEECH, Files, load_speech
from gatelab.data.speech.utterances import Segment, SpeechData, Utterance, frame_labels
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError

TONE = (0.5 * np.sin(np.arange(8000) / 5)).astype(np.float32)

SOUND = Recording("u", TONE, 8000)


def known(name: str) -> SpeechData:
    root = Path(os.environ.get("GATELAB_DATA", ""), name)
    if not any((root / file).exists() for file in SPEECH[name].files):
        pytest.skip(f"no {SPEECH[name].files[0]} in {root}: {SPEECH[name].title} is not on this machine")
    return load_speech(name)


def utterances(data: SpeechData) -> list[Utterance]:
    return [*data.train, *data.valid, *data.test]


def test_fsdd() -> None:
    data = known("fsdd")
    assert (len(data.train), len(data.valid), len(data.test)) == (2400, 300, 300)
    assert data.speakers == ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    for part, times in ((data.train, 40), (data.valid, 5), (data.test, 5)):
        assert set(Counter((u.labels, u.speaker) for u in part).values()) == {times}
    assert {int(u.id.rpartition("_")[2]) for u in data.test} == set(range(5))
    assert sum(u.seconds for u in utterances(data)) / 60 == pytest.approx(21.87, abs=0.01)
    spoken = next(u for u in data.valid if u.id == "7_jackson_8")
    assert (spoken.labels, spoken.speaker, spoken.rate, data.symbols[7]) == ((7,), "jackson", 8000, "7")


def test_yesno() -> None:
    data = known("yesno")
    assert (len(data.train), len(data.valid), len(data.test)) == (25, 6, 29)
    assert data.symbols == ("no", "yes")
    for utterance in utterances(data):
        assert utterance.id == "_".join(map(str, utterance.labels))
        assert utterance.text.split() == [data.symbols[label] for label in utterance.labels]
    assert {u.labels[0] for u in (*data.train, *data.valid)} == {0}
    assert [u.id for u in data.valid][:2] == sorted(u.id for u in (*data.train, *data.valid))[4:10:5]


def test_festvox_ru() -> None:
    data = known("festvox_ru")
    assert (len(data.train), len(data.valid), len(data.test), len(data.symbols)) == (120, 20, 20, 51)
    everything = utterances(data)
    assert sum(len(u.segments) for u in everything) == 8958
    assert all(tuple(s.label for s in u.segments) == u.labels for u in everything)
    assert sum(u.seconds for u in everything) / 60 == pytest.approx(16.73, abs=0.01)
    first = data.train[0]
    assert (first.id, first.text[:21]) == ("ru_0003", "Со спокойным мужество")
    assert [data.symbols[label] for label in first.labels[:4]] == ["pau", "s", "ay", "s"]
    quiet, loud = [], []
    for utterance in data.test:
        features, labels = mfcc(utterance.samples, utterance.rate), frame_labels(utterance)
        assert len(features) == len(labels)
        quiet += features[labels == data.symbols.index("pau"), 0].tolist()
        loud += features[labels == data.symbols.index("a"), 0].tolist()
    assert np.mean(loud) - np.mean(quiet) > 8  # nats: the labels stand where the sounds are


@pytest.mark.parametrize("name", ["yesno", "festvox_ru"])
def test_unpacked_is_the_same(name: str, tmp_path: Path) -> None:
    packed = known(name)
    with zipfile.ZipFile(packed.source) as archive:
        archive.extractall(tmp_path)
    folder = load_speech(name, tmp_path)
    assert folder.digest == packed.digest
    assert np.array_equal(folder.test[3].samples, packed.test[3].samples)


def test_frames_have_the_label_of_their_middle() -> None:
    segments = (Segment(2, 0.0, 0.1), Segment(7, 0.1, 0.1125), Segment(4, 0.1125, 0.6))
    labels = frame_labels(Utterance("u", SOUND, (2, 7, 4), segments=segments))
    assert labels.tolist() == [2] * 9 + [7] + [4] * 88  # middles at 92.5 and 102.5 ms; the end is at 1 s
    with pytest.raises(DataError, match="u: wanted segments with times, came none"):
        frame_labels(Utterance("u", SOUND, (2,)))


@pytest.mark.parametrize("name", list(SPEECH))
def test_says_where_a_set_is_to_be_had(name: str, no_data: Path) -> None:
    with pytest.raises(DataError, match=f"came no such file; try to fetch it from .* a folder called {name}"):
        load_speech(name)


def test_names() -> None:
    with pytest.raises(ConfigError, match="no speech is called 'yes-no'; did you mean yesno"):
        load_speech("yes-no")


@pytest.fixture
def sentence(tmp_path: Path) -> Path:
    """Return a small set like festvox_ru."""
    for folder in ("wav", "lab"):
        (tmp_path / folder).mkdir()
    write_wav(tmp_path / "wav" / "ru_1.wav", TONE, 16_000)
    (tmp_path / "lab" / "ru_1.lab").write_text("#\n0.10 125 pau\n0.35 125 aa\n0.45 125 pau\n")
    (tmp_path / "transcripts.tsv").write_text("utt\tseconds\ttext\tsplit\nru_1\t0.5\tА!\tvalid\n", "utf-8")
    return tmp_path


def read_sentence(folder: Path) -> Utterance:
    splits, _ = SPEECH["festvox_ru"].read(Files(Tree(folder), 16_000))
    return splits["valid"][0]


def test_a_sentence(sentence: Path) -> None:
    assert read_sentence(sentence).segments == (
        Segment(1, 0.0, 0.1),
        Segment(0, 0.1, 0.35),
        Segment(1, 0.35, 0.45),
    )
    with pytest.raises(DataError, match=r"is not festvox-ru, 160 sentences: wanted .* came \(0, 1, 0\)"):
        load_speech("festvox_ru", sentence)


LAB, TSV = "lab/ru_1.lab", "transcripts.tsv"
HEAD = "utt\tseconds\ttext\tsplit\n"
BAD = {
    "line 3: wanted an end after 0.1 s": (LAB, "#\n0.1 125 pau\n0.1 125 a"),
    "line 2: wanted an end after 0.0 s, a number and a phone, came 'nan 125 a'": (LAB, "#\nnan 125 a"),
    "line 2: wanted an end .* came '0.2 125'": (LAB, "#\n0.2 125"),
    "ru_1.lab: holds no phones": (LAB, "#\n"),
    "phones end at 0.6 s, the recording at 0.5 s": (LAB, "#\n0.6 125 a"),
    "transcripts.tsv, line 2: wanted utterance, seconds, text and split": (TSV, HEAD + "ru_1\t0.5\tA"),
    "line 2: .* came 'ru_1.*later'": (TSV, HEAD + "ru_1\t0.5\tA\tlater"),
    "line 2: .* came '../x": (TSV, HEAD + "../x\t0.5\tA\ttest"),
    "ru_2.lab: is not there": (TSV, HEAD + "ru_2\t0.5\tA\ttest"),
    "is there twice": ("wav/ru_1.lab", "#"),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, sentence: Path) -> None:
    file, text = BAD[message]
    (sentence / file).write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        read_sentence(sentence)


def test_refuses_foreign_names_and_rates(tmp_path: Path) -> None:
    write_wav(tmp_path / "7_jackson_12.wav", TONE, 8000)
    read = SPEECH["fsdd"].read
    assert read(Files(Tree(tmp_path), 8000))[0]["train"][0].labels == (7,)
    with pytest.raises(DataError, match=r"wanted 16000 Hz .* came 8000 Hz"):
        read(Files(Tree(tmp_path), 16_000))
    write_wav(tmp_path / "seven.wav", TONE, 8000)
    for name in ("fsdd", "yesno"):
        with pytest.raises(DataError, match="wanted a name like"):
            SPEECH[name].read(Files(Tree(tmp_path), 8000))


def test_damaged_labels_are_labels_or_a_data_error(sentence: Path) -> None:
    for file in (LAB, TSV):
        whole = (sentence / file).read_bytes()
        for data in damaged_copies([whole], 200):
            (sentence / file).write_bytes(data)
            try:
                for label in (
                    s for s in SPEECH["festvox_ru"].read(Files(Tree(sentence), 16_000))[0].values()
                ):
                    assert all(u.segments[-1].stop <= u.seconds for u in label)
            except DataError:
                continue
        (sentence / file).write_bytes(whole)
