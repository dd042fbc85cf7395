"""Small data of every kind of task, as files, which tests of several rooms train tiny networks on."""

import json

import numpy as np

from gatelab.data import load_music
from gatelab.data.midi.write import write_midi
from gatelab.data.speech.audio import write_wav
from gatelab.data.text.stdlib import stdlib_text

KINDS = {
    "music": ("few.json", {}),
    "tune": ("tunes", {}),
    "waveform": ("sounds", {"length": 60}),
    "language": ("some.txt", {"unroll": 20}),
    "words": ("some.txt", {"unroll": 20, "level": "words", "min_count": 4, "embedding": 6}),
    "bytes": ("some.txt", {"unroll": 20, "level": "bytes"}),
    "classify": ("classes.npz", {}),
    "texts": ("texts.csv", {"embedding": 5, "min_count": 1}),
    "frames": ("frames.npz", {}),
    "transcribe": ("pens", {}),
    "translate": ("pairs", {"embedding": 6, "min_count": 1}),
    "forecast": ("series.csv", {"horizon": 3, "context": 9}),
    "quantiles": ("series.csv", {"horizon": 3, "context": 9, "head": "quantiles", "target": "Load,Heat"}),
    "synthetic": ("copy", {"epoch": 40, "held_out": 12}),
}
"""Data and options by a name, which is that of the kind or of a variant."""
KIND_OF = {"words": "language", "bytes": "language", "texts": "classify", "quantiles": "forecast"}


def make_data(folder):
    """Write data of every kind into a folder."""
    _music(folder)
    _arrays(folder)
    _texts(folder)
    _series(folder)
    random = np.random.default_rng(1)
    (folder / "sounds").mkdir()
    for k in range(10):
        wave = 0.4 * np.sin(np.arange(900) * (0.05 + 0.02 * k)) + 0.05 * random.normal(size=900)
        write_wav(folder / "sounds" / f"{k}.wav", np.clip(wave, -1, 1).astype(np.float32), 8000)
    for page in range(5):
        (folder / "pens" / f"p{page}").mkdir(parents=True)
        for k, word in enumerate(("it", "tie", "tea", "eat")):
            points = np.cumsum(random.integers(-3, 9, (14, 2)), 0)
            lines = [f"{x} {y} {int(n % 7 == 6)}" for n, (x, y) in enumerate(points)]
            text = "\n".join([word, *lines, ""])
            (folder / "pens" / f"p{page}" / f"{k}_{word}.txt").write_text(text)


def _music(folder):
    data = load_music("chorales")
    notes = {
        split: [[(step.nonzero()[0] + 21).tolist() for step in s[:12]] for s in getattr(data, split)[:5]]
        for split in ("train", "valid", "test")
    }
    (folder / "few.json").write_text(json.dumps(notes))
    (folder / "tunes").mkdir()
    for k in range(50):
        roll = [[60 + (k * j) % 7, 64] for j in range(1, 9 + k % 3)]
        tune = write_midi(roll, metre=(6, 8) if k % 2 else (4, 4))
        (folder / "tunes" / f"tune{k}.mid").write_bytes(tune)


def _arrays(folder):
    random = np.random.default_rng(0)
    lengths = random.integers(6, 12, 40)
    x = {f"x_{k}": 3 + 2 * random.normal(size=(n, 3)) for k, n in enumerate(lengths)}
    np.savez(folder / "classes.npz", **x, y=np.array(["clap", "wave"] * 20))
    y = {f"y_{k}": random.integers(0, 4, n) for k, n in enumerate(lengths)}
    split = np.array(["train"] * 30 + ["valid"] * 5 + ["test"] * 5)
    np.savez(folder / "frames.npz", **x, **y, split=split)
    np.savez(folder / "unlabelled.npz", **x, y=np.zeros(40, np.int64))


def _texts(folder):
    (folder / "some.txt").write_bytes(stdlib_text()[:9000].replace(b"\r", b""))
    rows = [
        f"the {a} film was {b},{b}" for a in ("old", "new", "long", "short", "red") for b in ("good", "bad")
    ]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows * 3, ""]))
    (folder / "pairs").mkdir()
    for part in ("train", "valid", "test"):
        numbers = range(12)
        (folder / "pairs" / f"{part}.de").write_text("".join(f"{n} Hunde laufen.\n" for n in numbers))
        (folder / "pairs" / f"{part}.en").write_text("".join(f"{n} dogs run.\n" for n in numbers))


def _series(folder):
    random = np.random.default_rng(2)
    months = [f"{1950 + k // 12}-{k % 12 + 1:02}" for k in range(120)]
    heat = 5 * np.sin(np.arange(120) * np.pi / 6) + random.normal(size=120)
    load = 40 + 0.2 * np.arange(120) - 2 * heat + random.normal(size=120)
    rows = [f"{m},{h:.4f},{v:.4f}" for m, h, v in zip(months, heat, load, strict=True)]
    (folder / "series.csv").write_text("\n".join(["Month,Heat,Load", *rows, ""]))
