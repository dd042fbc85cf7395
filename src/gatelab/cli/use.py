"""gatelab evaluate, predict, generate, translate, forecast, export: what a trained network is for."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gatelab.cli import options
from gatelab.errors import ConfigError

ModelFolder = Annotated[Path, typer.Argument(help="A model's folder, as gatelab train makes it.")]
Out = Annotated[
    Path | None, typer.Option(help="Where to write; its ending says how.", show_default=False, dir_okay=False)
]
Temperature = Annotated[float, typer.Option(help="Below 1 plays safe, above 1 dares more.")]
Beam = Annotated[int, typer.Option(help="Answers that the search keeps; 1 is the quickest.", min=1)]
WRITERS = ("language", "waveform", "music", "tune")
"""The kinds of models that generate."""


def evaluate(
    model: ModelFolder,
    data: Annotated[
        str | None,
        typer.Argument(
            help="Other data of the same kind; the data it was trained on as a rule.", show_default=False
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
) -> None:
    """Measure a model on held-out data."""
    from gatelab.models import load
    from gatelab.models.measured import measured

    if split not in ("train", "valid", "test"):
        raise ConfigError(f"--split: wanted train, valid or test, got {split!r}")
    found = load(model)
    values = measured(found, data, split)
    _print_values(Console(highlight=False, emoji=False), found.card.task, {split: values})


def predict(
    model: ModelFolder,
    files: Annotated[list[Path], typer.Argument(help="Files like those that the model was trained on.")],
    beam: Beam = 1,
    out: Out = None,
) -> None:
    """Say what files are: a class, a class a frame, or the labels in order, as CSV or JSON.

    Each stretch of equal classes of frames is a row, with its first and last frame, and seconds of sound.
    """
    from gatelab.models import load
    from gatelab.models.labels import label

    rows = [row for said in label(load(model), files, beam) for row in said.rows()]
    _write_rows(rows, out)


def generate(
    model: ModelFolder,
    length: Annotated[
        int | None,
        typer.Option(
            help="Symbols, steps of music, or seconds of sound; 500, 64 or 2 as a rule.", show_default=False
        ),
    ] = None,
    prompt: Annotated[str, typer.Option(help="Text to go on with.")] = "",
    label: Annotated[str, typer.Option(help="The label that begins a tune, such as 3/4.")] = "",
    temperature: Temperature = 1.0,
    seed: options.Seed = 0,
    tempo: Annotated[float, typer.Option(help="Of music, beats a minute.", min=20, max=400)] = 110.0,
    out: Out = None,
) -> None:
    """Write text, music (MIDI, and WAV to hear it) or sound.

    Text goes to the terminal, or to the file of --out; music to OUT.mid and OUT.wav; sound to OUT.wav.
    """
    from gatelab.models import load

    found = load(model)
    for name, value, kinds in (("prompt", prompt, ("language",)), ("label", label, ("music", "tune"))):
        if value and found.kind not in kinds:
            raise ConfigError(f"--{name}: means nothing to a model of kind {found.kind}; try it without")
    if found.kind not in WRITERS:
        raise ConfigError(
            f"a model of kind {found.kind} generates nothing; wanted one of kind {', '.join(WRITERS)}"
        )
    if found.kind == "language":
        from gatelab.models.write import write_text

        text = write_text(found, 500 if length is None else length, prompt, temperature, seed=seed)
        _write_text(text + "\n", out)
    elif found.kind == "waveform":
        from gatelab.data.speech.audio import write_wav
        from gatelab.models.compose import speak

        samples, rate = speak(found, 2.0 if length is None else float(length), temperature, seed)
        target = _ending(out, ".wav")
        write_wav(target, samples, rate)
        typer.echo(f"wrote {target}: {len(samples) / rate:.1f} s at {rate:,} Hz")
    else:
        _make_music(found, 64 if length is None else length, temperature, seed, label, tempo, out)


def _make_music(
    model: Any, steps: int, temperature: float, seed: int, label: str, tempo: float, out: Path | None
) -> None:
    from gatelab.data.midi.synth import synthesise
    from gatelab.data.midi.write import write_midi
    from gatelab.data.speech.audio import write_wav
    from gatelab.models.compose import compose, label_of
    from gatelab.runs import write_atomic

    rate = 22_050
    roll = compose(model, steps, temperature, seed, label)
    midi, wav = _ending(out, ".mid"), _ending(out, ".wav")
    notes = write_midi(roll, beats_per_minute=tempo)
    sound = synthesise(roll, seconds_per_step=30 / tempo, rate=rate)
    write_atomic(midi, notes)
    write_wav(wav, sound, rate)
    begun = label_of(model, label)
    said = f", begun with the label {begun}" if begun else ""
    typer.echo(f"wrote {midi} and {wav}: {steps} steps, {int(roll.sum()):,} keys struck or held{said}")


def _ending(out: Path | None, ending: str) -> Path:
    """Return where to write, with this ending in place of one of sound or music."""
    if out is None:
        return Path("generated" + ending)
    known = out.suffix.lower() in (".wav", ".mid", ".midi")
    return out.with_suffix(ending) if known else out.with_name(out.name + ending)


def translate(
    model: ModelFolder,
    file: Annotated[Path, typer.Argument(help="Sentences, one a line; - reads them from the terminal.")],
    beam: Beam = 4,
    out: Out = None,
) -> None:
    """Translate sentences, a line each."""
    from gatelab.data.text.lines import read_lines, text_lines
    from gatelab.models import load
    from gatelab.models.write import translate_lines

    found = load(model)
    if found.kind != "translate":
        raise ConfigError(f"a model of kind {found.kind} does not translate; wanted one of kind translate")
    lines = text_lines(sys.stdin.buffer.read(), "standard input") if str(file) == "-" else read_lines(file)
    _write_text("".join(f"{line}\n" for line in translate_lines(found, lines, beam)), out)


def forecast(
    model: ModelFolder,
    table: Annotated[Path, typer.Argument(help="CSV or Parquet with the columns of the training's table.")],
    fill: Annotated[bool, typer.Option("--fill", help="Fill gaps by interpolation.")] = False,
    plot: Annotated[
        Path | None,
        typer.Option(help="Also draw it: a .svg or .png file.", show_default=False, dir_okay=False),
    ] = None,
    out: Out = None,
) -> None:
    """Forecast the steps after a table's last row, with quantiles, as CSV or JSON."""
    from gatelab.models import load
    from gatelab.models.ahead import forecast as ahead

    if plot is not None and plot.suffix.lower() not in (".svg", ".png"):
        raise ConfigError(f"--plot: wanted a file that ends in .svg or .png, got {plot.name}")
    found = ahead(load(model), table, fill=fill)
    _write_rows(found.rows(), out)
    if plot is not None:
        from gatelab.draw.export import save
        from gatelab.draw.forecast import forecast_chart

        chart = forecast_chart(
            found.targets, found.past, found.past_time, found.quantiles, found.levels, found.time
        )
        save(chart, plot)
        typer.echo(f"drew {plot}", err=True)


def export(
    model: ModelFolder,
    out: Annotated[Path, typer.Argument(help="The file to write, such as model.onnx.", dir_okay=False)],
    states: Annotated[
        bool, typer.Option("--states", help="States go in and come out: hear a sequence piece by piece.")
    ] = False,
    lengths: Annotated[
        bool, typer.Option("--lengths", help="The length of each sequence is an input in any case.")
    ] = False,
) -> None:
    """Write a model as ONNX, whole: from symbols or vectors to answers, with dynamic time and batch.

    A model that translates becomes two files, OUT-encoder.onnx and OUT-decoder.onnx.
    """
    from gatelab.models import load
    from gatelab.models.onnx import export_model

    for path in export_model(load(model), out, states=states, lengths=lengths or None):
        typer.echo(f"wrote {path}")


def show_measures(console: Console, folder: Path) -> None:
    """Print the measures that a model's folder keeps."""
    from gatelab.models import load

    card = load(folder).card
    _print_values(console, card.task, card.measures)


def _print_values(console: Console, task: Any, values: Mapping[str, Mapping[str, float | None]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("measure", *values)
    for measure in task.measures:
        shown = (found.get(measure.name) for found in values.values())
        table.add_row(escape(measure.title), *("–" if v is None else f"{v:.4g}" for v in shown))
    console.print(table)


def _write_rows(rows: Iterable[Mapping[str, Any]], out: Path | None) -> None:
    """Write rows as JSON where the file's name ends so, else as CSV."""
    found = list(rows)
    if out is not None and out.suffix.lower() == ".json":
        _write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", out)
        return
    if out is None:
        _to_csv(found, sys.stdout)
        return
    from io import StringIO

    buffer = StringIO()
    _to_csv(found, buffer)
    _write_text(buffer.getvalue(), out)


def _to_csv(rows: list[Mapping[str, Any]], file: Any) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _write_text(text: str, out: Path | None) -> None:
    from gatelab.runs import write_atomic

    if out is None:
        sys.stdout.write(text)
    else:
        write_atomic(out, text.encode("utf-8", "surrogateescape"))
        typer.echo(f"wrote {out}", err=True)
