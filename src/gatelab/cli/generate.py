"""gatelab generate: text, music and sound that a trained network makes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gatelab.cli import options
from gatelab.cli.use import ModelFolder, Out, write_text
from gatelab.errors import ConfigError

MUSIC = ("music", "tune")
WRITERS = ("language", "waveform", *MUSIC)
"""The kinds of models that generate."""


def generate(
    model: ModelFolder,
    length: Annotated[
        int | None,
        typer.Option(
            help="Symbols, steps of music, or seconds of sound; 500, 64 or 2 as a rule.", show_default=False
        ),
    ] = None,
    prompt: Annotated[str, typer.Option(help="Text to go on with; or of music a MIDI file.")] = "",
    label: Annotated[str, typer.Option(help="The label that begins a tune, such as 3/4.")] = "",
    temperature: Annotated[float, typer.Option(help="Below 1 plays safe, above 1 dares more.")] = 1.0,
    top: Annotated[
        int | None,
        typer.Option(
            help="Of text: draw among so many likeliest symbols; all as a rule.", min=1, show_default=False
        ),
    ] = None,
    seed: options.Seed = 0,
    tempo: Annotated[float, typer.Option(help="Of music, beats a minute.", min=20, max=400)] = 110.0,
    out: Out = None,
) -> None:
    """Write text, music (MIDI, and WAV to hear it) or sound.

    Text goes to the terminal, or to the file of --out; music to OUT.mid and OUT.wav; sound to OUT.wav.
    """
    from gatelab.models import load

    found = load(model)
    for name, value, kinds in (
        ("prompt", prompt, ("language", *MUSIC)), ("label", label, MUSIC), ("top", top, ("language",)),
    ):  # fmt: skip
        if value and found.kind not in kinds:
            raise ConfigError(f"--{name}: means nothing to a model of kind {found.kind}; try it without")
    if found.kind not in WRITERS:
        raise ConfigError(
            f"a model of kind {found.kind} generates nothing; wanted one of kind {', '.join(WRITERS)}"
        )
    if found.kind == "language":
        from gatelab.models.write import write_text as written

        text = written(found, 500 if length is None else length, prompt, temperature, top, seed)
        write_text(text + "\n", out)
    elif found.kind == "waveform":
        from gatelab.data.speech.audio import write_wav
        from gatelab.models.compose import speak

        samples, rate = speak(found, 2.0 if length is None else float(length), temperature, seed)
        target = _ending(out, ".wav")
        write_wav(target, samples, rate)
        typer.echo(f"wrote {target}: {len(samples) / rate:.1f} s at {rate:,} Hz")
    else:
        _make_music(found, 64 if length is None else length, temperature, seed, label, prompt, tempo, out)


def _make_music(
    model: Any,
    steps: int,
    temperature: float,
    seed: int,
    label: str,
    prompt: str,
    tempo: float,
    out: Path | None,
) -> None:
    import numpy as np

    from gatelab.data.midi.synth import synthesise
    from gatelab.data.midi.write import write_midi
    from gatelab.data.speech.audio import write_wav
    from gatelab.models.compose import compose, label_of
    from gatelab.models.heard import in_key, read_roll
    from gatelab.runs import write_atomic

    rate = 22_050
    midi, wav = _ending(out, ".mid"), _ending(out, ".wav")
    given = read_roll(Path(prompt)) if prompt else None
    roll = compose(model, steps, temperature, seed, label, given.roll if given else None)
    if given is not None:
        roll = in_key(np.concatenate([given.roll, roll]), -given.transposed)
    write_atomic(midi, write_midi(roll, beats_per_minute=tempo))
    write_wav(wav, synthesise(roll, seconds_per_step=30 / tempo, rate=rate), rate)
    begun = label_of(model, label)
    said = f", begun with the label {begun}" if begun else ""
    said += f", after {len(given.roll)} of {prompt}" if given else ""
    typer.echo(f"wrote {midi} and {wav}: {steps} steps, {int(roll.sum()):,} keys struck or held{said}")


def _ending(out: Path | None, ending: str) -> Path:
    """Return where to write, with this ending in place of one of sound or music."""
    if out is None:
        return Path("generated" + ending)
    known = out.suffix.lower() in (".wav", ".mid", ".midi")
    return out.with_suffix(ending) if known else out.with_name(out.name + ending)
