"""What a model keeps of its training data, checked when it is read: types, sizes, and fit with the network.

A model's folder can be changed by hand. What stands in ``kept`` is read here and nowhere else, so what comes
behind may believe it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from gatelab.data.pens.trajectories import FEATURES
from gatelab.data.speech.header import RATES
from gatelab.data.speech.mfcc import INPUTS as CEPSTRA
from gatelab.data.speech.waveform import INPUTS, TARGETS
from gatelab.data.text.vocabulary import START, STOP, Vocabulary
from gatelab.errors import DataError, RunError
from gatelab.runs.config import Frozen, Level, Positive, Scaling, Size
from gatelab.runs.folder import parse_part
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.language import SOFTMAX
from gatelab.tasks.music import KEYS

MOST_STACKED = 1000
"""The most frames of sound that become one step."""
LONGEST = 1_000_000
"""The most steps of context and horizon of a forecast."""


class Kept(Frozen):
    """What a kind of task keeps; of music and synthetic data, nothing."""

    def wanted(self) -> dict[str, Any]:
        """Return what the blueprint has to say, so that the network fits."""
        return {}

    def fault(self) -> str:
        """Return what is wrong beside types and the network, or nothing."""
        return ""


class MusicKept(Kept):
    """Of music: nothing."""

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        return {"inputs": KEYS, "symbols": 0, "head": "bernoulli", "outputs": KEYS, "reads": "steps"}


class TuneKept(Kept):
    """Of tunes: the labels that begin them."""

    labels: tuple[str, ...]

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        inputs = KEYS + len(self.labels)
        return {"inputs": inputs, "symbols": 0, "head": "bernoulli", "outputs": KEYS, "reads": "steps"}


class SampleScale(Frozen):
    """Mean and deviation of samples."""

    mean: Level
    deviation: Scaling


class WaveformKept(Kept):
    """Of recordings: their rate [Hz], and the scale of their samples."""

    rate: int
    scale: SampleScale

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        return {"inputs": INPUTS, "symbols": 0, "head": "mixture", "outputs": TARGETS, "reads": "steps"}

    def fault(self) -> str:  # noqa: D102
        if self.rate not in RATES:
            return f"rate: wanted {RATES[0]} to {RATES[-1]} Hz, came {self.rate:.6g}"
        sound = abs(self.scale.mean) <= 1 and 1e-9 <= self.scale.deviation <= 1
        return "" if sound else "scale: wanted that of samples from −1 to 1, came another one"


class LanguageKept(Kept):
    """Of a text: its symbols."""

    vocabulary: dict[str, Any]

    @cached_property
    def symbols(self) -> Vocabulary:
        """The vocabulary."""
        return Vocabulary.from_data(self.vocabulary)

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        size = len(self.symbols)
        return {"inputs": 0, "symbols": size, "outputs": size, "reads": "steps"}


class Scales(Frozen):
    """Mean and deviation of each number of a step."""

    mean: tuple[Level, ...]
    deviation: tuple[Scaling, ...]


class PenScales(Frozen):
    """What movements and times of a pen are divided by, as of a PenScale."""

    movement: Scaling
    time: Scaling


class LabelKept(Kept):
    """Of labelled sequences: what labels are called, and how ``inputs`` are read of files.

    Attributes
    ----------
    names
        Of classes or labels.
    inputs
        ``"mfcc"`` of sound, ``"values"`` of arrays, ``"words"`` of texts, ``"pen"`` of trajectories.
    rate
        Of sound [Hz]; None: as the file has it.
    stack
        Of mfcc and values: the frames that become one step.
    scale
        Of mfcc and values; None: numbers are read as they are.
    vocabulary, lower, parted
        Of words; whether they are put into lower case, and whether they are parted at blanks alone.
    every, pen
        Of pens: each which point is read, and the scale.
    classes
        Of an estimator: the classes as they were given, in the order of the names.
    """

    names: tuple[str, ...]
    inputs: Literal["mfcc", "values", "words", "pen"]
    rate: Size | None = None
    stack: Positive = 1
    scale: Scales | PenScales | None = None
    vocabulary: dict[str, Any] | None = None
    lower: bool = False
    parted: bool = False
    every: Positive = 1
    classes: tuple[str | int | float | bool, ...] | None = None

    @cached_property
    def symbols(self) -> Vocabulary:
        """The vocabulary of words."""
        return Vocabulary.from_data(self.vocabulary)

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        if self.inputs == "words":
            return {"inputs": 0, "symbols": len(self.symbols), "outputs": len(self.names)}
        found = {"symbols": 0, "outputs": len(self.names)}
        if self.inputs == "pen":
            return found | {"inputs": len(FEATURES)}
        if self.inputs == "mfcc":
            return found | {"inputs": CEPSTRA * self.stack}
        width = {"inputs": len(self.scale.mean) * self.stack} if isinstance(self.scale, Scales) else {}
        return found | width

    def fault(self) -> str:  # noqa: D102
        if self.stack > MOST_STACKED:
            return f"stack: wanted at most {MOST_STACKED} frames, came {self.stack}"
        if self.classes is not None and len(self.classes) != len(self.names):
            return f"classes: wanted {len(self.names)}, one a name, came {len(self.classes)}"
        scaled = {
            "mfcc": (Scales,),
            "values": (Scales, type(None)),
            "words": (type(None),),
            "pen": (PenScales,),
        }
        if not isinstance(self.scale, scaled[self.inputs]):
            return f"scale: came one that does not belong to {self.inputs}"
        if not isinstance(self.scale, Scales):
            return ""
        mean, deviation = len(self.scale.mean), len(self.scale.deviation)
        wanted = CEPSTRA if self.inputs == "mfcc" else mean
        if mean != wanted or deviation != wanted:
            return f"scale: wanted {wanted} means and deviations, came {mean} and {deviation}"
        return ""


class ClassKept(LabelKept):
    """A class a sequence."""

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        return super().wanted() | {"head": "categorical", "reads": "end"}


class FrameKept(LabelKept):
    """A class a frame."""

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        return super().wanted() | {"head": "categorical", "reads": "steps"}


class StringKept(LabelKept):
    """Labels without places."""

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        return super().wanted() | {"head": "ctc", "reads": "steps"}


class TranslateKept(Kept):
    """Of sentence pairs: both vocabularies, and how sentences are read."""

    source: dict[str, Any]
    target: dict[str, Any]
    reverse: bool
    lower: bool
    languages: tuple[str, ...] = ()

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Of the source and of the target."""
        return Vocabulary.from_data(self.source, "source"), Vocabulary.from_data(self.target, "target")

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        source, target = map(len, self.vocabularies)
        sizes = {"symbols": target, "outputs": target, "source_symbols": source}
        return sizes | {"inputs": 0, "head": "categorical", "reads": "steps"}

    def fault(self) -> str:  # noqa: D102
        source, target = self.vocabularies
        if source.kind != "words" or target.kind != "words":
            return "source and target: wanted vocabularies of words"
        missing = [symbol for symbol in (START, STOP) if symbol not in target.ids]
        return f"target: wanted the symbol {missing[0]}, came none" if missing else ""


class SeriesScale(Frozen):
    """Name of a table, and mean and deviation of its columns in training."""

    name: str
    mean: tuple[Level, ...]
    std: tuple[Scaling, ...]
    known: tuple[str, ...] = ()


class ForecastKept(Kept):
    """Of tables: columns, lengths of windows, and the scale of each table."""

    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    known: tuple[str, ...]
    horizon: Positive
    context: Positive
    season: Positive
    series: tuple[SeriesScale, ...]

    def wanted(self) -> dict[str, Any]:  # noqa: D102
        width = len(self.targets) + len(self.inputs) + len(self.known) + 1
        return {"inputs": width, "symbols": 0, "outputs": len(self.targets), "reads": "steps"}

    def fault(self) -> str:  # noqa: D102
        if self.context + self.horizon > LONGEST:
            return f"context and horizon: wanted at most {LONGEST:,} steps together"
        count = len(self.targets) + len(self.inputs)
        if not self.targets or not self.series:
            return "targets and series: wanted at least one of each"
        odd = next((s for s in self.series if not len(s.mean) == len(s.std) == count), None)
        return f"series {odd.name[:40]!r}: wanted {count} means and deviations" if odd else ""


KEPT: Mapping[str, type[Kept]] = MappingProxyType(
    {
        "music": MusicKept,
        "tune": TuneKept,
        "waveform": WaveformKept,
        "language": LanguageKept,
        "classify": ClassKept,
        "frames": FrameKept,
        "transcribe": StringKept,
        "translate": TranslateKept,
        "forecast": ForecastKept,
        "synthetic": Kept,
    }
)
"""What is kept, by the kind of the task."""

HEADS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"forecast": ("student", "gaussian", "quantiles"), "language": tuple(SOFTMAX.values())}
)
"""Heads, where a kind has several."""


def read_kept(kind: str, kept: Mapping[str, Any], blueprint: Blueprint, place: Path) -> Kept:
    """Return what a model of a kind keeps.

    Parameters
    ----------
    kept
        As JSON holds it.
    blueprint
        Of the network, which it has to fit.
    place
        What messages call the file.

    Raises
    ------
    RunError
        The kind is unknown, something is missing or of another type, or does not fit the network.
    """
    if kind not in KEPT:
        raise RunError(f"{place}: task.kind: wanted one of {', '.join(KEPT)}, came {kind[:40]!r}")
    found = parse_part(place, dict(kept), KEPT[kind], "kept")
    try:
        fault = found.fault() or _misfit(kind, found.wanted(), blueprint)
    except DataError as error:  # of a vocabulary
        fault = str(error)
    if fault:
        raise RunError(f"{place}: kept: {fault}; was it changed by hand? take it from a copy")
    return found


def _misfit(kind: str, wanted: Mapping[str, Any], blueprint: Blueprint) -> str:
    """Return where the network is none of this kind."""
    if bool(blueprint.source_symbols) != (kind == "translate"):
        return f"source_symbols: came {blueprint.source_symbols} for a model of kind {kind}"
    if kind == "translate" and not blueprint.embedding:
        return "embedding: wanted at least 1, came 0"
    if blueprint.head not in HEADS.get(kind, (blueprint.head,)):
        return f"head: wanted one of {', '.join(HEADS[kind])}, came {blueprint.head!r}"
    for name, value in wanted.items():
        came = getattr(blueprint, name)
        if came != value:
            return f"does not fit the network: {name}: wanted {value}, came {came}"
    return ""
