"""gatelab evaluate, predict, transcribe, translate, forecast, export: what a trained network is for."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gatelab.errors import ConfigError, GatelabError

ModelFolder = Annotated[Path, typer.Argument(help="A model's folder, as gatelab train makes it.")]
Out = Annotated[
    Path | None, typer.Option(help="Where to write; its ending says how.", show_default=False, dir_okay=False)
]
Files = Annotated[list[Path], typer.Argument(help="Files like those that the model was trained on.")]
Beam = Annotated[int, typer.Option(help="Answers that the search keeps; 1 is the quickest.", min=1)]


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
    files: Files,
    out: Out = None,
) -> None:
    """Say what files are, as CSV or JSON: a class, a class a frame, the labels in order, or the next keys.

    Each stretch of equal classes of frames is a row, with its first and last frame, and seconds of sound. Of
    music (MIDI) each step is a row: the keys played, those expected, and the step's NLL; to a file that ends
    in .mid the expected keys are written as music.
    """
    from gatelab.models import load

    found = load(model)
    if found.kind in ("music", "tune"):
        _expect(found, files, out)
        return
    if (verb := VERBS.get(found.kind)) is not None:
        raise ConfigError(f"a model of kind {found.kind} labels nothing; try gatelab {verb}")
    _label(found, files, 1, out)


VERBS = {
    "language": "generate or evaluate",
    "waveform": "generate or evaluate",
    "translate": "translate",
    "forecast": "forecast",
    "synthetic": "evaluate",
}
"""What models are for that say nothing of a file."""


def transcribe(model: ModelFolder, files: Files, beam: Beam = 8, out: Out = None) -> None:
    """Write what is said in recordings, or written by a pen, a row a file, as CSV or JSON.

    By prefix beam search; a beam of 1 takes the best path, as predict does.
    """
    from gatelab.models import load

    found = load(model)
    if found.kind != "transcribe":
        raise ConfigError(f"a model of kind {found.kind} transcribes nothing; wanted one of kind transcribe")
    _label(found, files, beam, out)


def _label(model: Any, files: list[Path], beam: int, out: Path | None) -> None:
    from gatelab.models.labels import label

    _write_rows((row for said in label(model, files, beam) for row in said.rows()), out)


def _expect(model: Any, files: list[Path], out: Path | None) -> None:
    from gatelab.data.midi.write import write_midi
    from gatelab.models.heard import expected
    from gatelab.runs import write_atomic

    if out is None or out.suffix.lower() not in (".mid", ".midi"):
        _write_rows((row for found in expected(model, files) for row in found.rows()), out)
        return
    if len(files) != 1:
        raise ConfigError(
            f"--out {out.name}: wanted one file to hear, got {len(files)}; try .csv for several"
        )
    (found,) = expected(model, files)
    write_atomic(out, write_midi(found.likely))
    typer.echo(f"wrote {out}", err=True)


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
    write_text("".join(f"{line}\n" for line in translate_lines(found, lines, beam)), out)


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
    """Write rows as JSON where the file's name ends so, else as CSV; what came before a mistake, too."""
    found: list[Mapping[str, Any]] = []
    try:
        found.extend(rows)  # keeps what came before an error
    except GatelabError:
        if found:
            _write_found(found, out)
        raise
    _write_found(found, out)


def _write_found(found: list[Mapping[str, Any]], out: Path | None) -> None:
    if out is not None and out.suffix.lower() == ".json":
        write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", out)
        return
    if out is None:
        _to_csv(found, sys.stdout)
        return
    from io import StringIO

    buffer = StringIO()
    _to_csv(found, buffer)
    write_text(buffer.getvalue(), out)


def _to_csv(rows: list[Mapping[str, Any]], file: Any) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def write_text(text: str, out: Path | None) -> None:
    """Write to the terminal, or to a file."""
    from gatelab.runs import write_atomic

    if out is None:
        sys.stdout.write(text)
    else:
        write_atomic(out, text.encode("utf-8", "surrogateescape"))
        typer.echo(f"wrote {out}", err=True)
