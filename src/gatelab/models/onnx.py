"""A trained network as ONNX: all of it, with what is needed to use it where gatelab is not.

Files
    A model becomes one file; one that reads a sentence first and then writes another becomes two:
    ``NAME-encoder.onnx`` and ``NAME-decoder.onnx``. The final states of the encoder are the initial states of
    the decoder, by name.

Inputs
    ``input``: float32 [T, B, I] of vectors, or int64 [T, B] of symbols. ``lengths``: int64 [B], the steps of
    each sequence; what stands after them may be anything (of symbols, any symbol). ``initial_STATE``: float32
    [L · directions, B, width], such as ``initial_h``; zeros begin a sequence.

Outputs
    ``answers``: float32 [T, B, …], or [B, …] of a network that answers once a sequence; after a sequence's
    length they mean nothing. ``final_STATE``: the states after the last step, to go on from.

Time T and batch B are dynamic. Metadata are texts: ``gatelab.task`` is the kind of the task,
``gatelab.input`` and ``gatelab.answers`` say what the numbers are, ``gatelab.kept`` has what the model keeps
of its data (vocabulary, names of classes, scales), ``gatelab.blueprint``, ``gatelab.body`` and
``gatelab.measures`` what it is made of and what it reached, all four as JSON; ``gatelab.part`` is
``network``, ``encoder`` or ``decoder``; ``gatelab.cell`` and the others are those of
:func:`gatelab.export.onnx_model`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import nn

from gatelab.errors import ConfigError
from gatelab.export.onnx_model import write_onnx
from gatelab.export.whole import Parts, onnx_network
from gatelab.models.folder import Model
from gatelab.nn import GaussianMixture, Quantiles
from gatelab.tasks.network import EncoderDecoder

VALUES = "vectors of a step, scaled: (x - mean) / deviation, as kept.scale has them"
INPUTS: Mapping[str, str] = MappingProxyType(
    {
        "music": "88 keys of the step before, 0 or 1; zeros at the first step",
        "tune": "88 keys of the step before, 0 or 1, then the label, 1 at its place at the first step alone",
        "language": "symbols, places in kept.vocabulary; the symbol before the one that is answered",
        "waveform": "20 samples, scaled: (x - mean) / deviation, as kept.scale has them; 10 more each step",
        "translate": "words, places in kept.target; the start symbol, then the words so far",
        "forecast": (
            "context + horizon steps of: targets, other inputs, both scaled by kept.series and targets by "
            "mean and deviation (at least 0.1) of the context, too; what is known ahead; 1 in the future. "
            "Targets and other inputs are 0 in the future; the last horizon answers are the forecast"
        ),
        "values": VALUES,
        "mfcc": "MFCC of sound at kept.rate Hz: " + VALUES,
        "pen": "features of a pen trajectory, scaled by kept.scale",
        "words": "words, places in kept.vocabulary",
    }
)
"""What a step of the input is, by the kind of a task, or of the inputs that a model keeps."""

HEADS: Mapping[str, str] = MappingProxyType(
    {
        "adaptive": "logarithms of the probabilities of the classes",
        "bernoulli": "log-odds of each output",
        "categorical": "logits of the classes",
        "ctc": "logits, of the blank, then of the labels",
        "gaussian": "[2, D]: means, logarithms of the deviations",
        "mixture": "{components} logits, means [{components}, {outputs}], logarithms of deviations likewise",
        "quantiles": "[Q, D]: quantiles at the levels {levels}",
        "sampled": "logits of the classes",
        "student": "[3, D]: locations, logarithms of the scales, degrees of freedom",
        "value": "values",
    }
)
"""What the last axes of answers are, by the name of the head."""


def export_model(
    model: Model, path: str | os.PathLike[str], *, states: bool = False, lengths: bool | None = None
) -> tuple[Path, ...]:
    """Write a trained network as ONNX; inputs, outputs and metadata are those of this module's first lines.

    Parameters
    ----------
    path
        The file; of an encoder and decoder, their names come from it.
    states
        Whether states go in and come out, so that a sequence can be heard piece by piece. A decoder always
        has them.
    lengths
        Whether ``lengths`` is an input; None: where answers depend on it, in a network that answers once a
        sequence or reads from its end, too. An encoder always has it.

    Returns
    -------
    tuple of Path
        The files that were written: one, or encoder and decoder.

    Raises
    ------
    ConfigError
        States are wanted of a network that reads from the end, too; a file cannot be written; or the library
        onnx is missing.
    """
    network, target = model.network, Path(path)
    both = network.recurrent.bidirectional
    if states and both:
        raise ConfigError(
            "states: a network that reads sequences from their end, too, cannot hear them piece by piece; "
            "try without, or a model with bidirectional=False"
        )
    counted = (network.reads == "end" or both) if lengths is None else lengths
    if isinstance(network, EncoderDecoder):
        return _two(model, network, target, bool(lengths))
    said = _said(model, "network")
    return (
        write_onnx(
            onnx_network(_parts(model), begins=states, ends=states, lengths=counted, said=said), target
        ),
    )


def _two(model: Model, network: EncoderDecoder, target: Path, lengths: bool) -> tuple[Path, ...]:
    """Write the part that reads and the part that writes."""
    read, symbols = network.read, model.card.blueprint.source_symbols
    assert isinstance(read, nn.Embedding)
    backwards = bool(model.card.kept.get("reverse"))
    said = _said(model, "encoder") | {
        "input": "words, places in kept.source" + ", from the sentence's last to its first" * backwards,
        "answers": "none: the final states are the decoder's initial ones",
    }
    reader = Parts(network.reader, symbols=symbols, embedding=read)
    made = {
        "encoder": onnx_network(reader, ends=True, lengths=True, said=said),
        "decoder": onnx_network(
            _parts(model), begins=True, ends=True, lengths=lengths, said=_said(model, "decoder")
        ),
    }
    ending = target.suffix or ".onnx"
    return tuple(
        write_onnx(part, target.with_name(f"{target.stem}-{name}{ending}")) for name, part in made.items()
    )


def _parts(model: Model) -> Parts:
    network, symbols = model.network, model.card.blueprint.symbols
    embedding = network.encoder if isinstance(network.encoder, nn.Embedding) else None
    return Parts(network.recurrent, network.head, symbols, embedding, network.reads)


def _said(model: Model, part: str) -> dict[str, str]:
    """Return what the metadata holds of the model."""
    card = model.card
    kept = {"kept": card.kept, "measures": card.measures}
    made = {"blueprint": card.blueprint.model_dump(), "body": card.body.model_dump()}
    texts = {k: json.dumps(v, ensure_ascii=False, allow_nan=False) for k, v in (kept | made).items()}
    kind = str(card.kept.get("inputs")) if model.kind in ("classify", "frames", "transcribe") else model.kind
    plain = "symbols" if card.blueprint.symbols else "vectors"
    return texts | {
        "task": model.kind, "part": part, "input": INPUTS.get(kind, plain), "answers": _answers(model),
    }  # fmt: skip


def _answers(model: Model) -> str:
    head: Any = model.network.head
    told: dict[str, Any] = {"outputs": model.card.blueprint.outputs}
    if isinstance(head, Quantiles):
        told["levels"] = ", ".join(f"{float(level):g}" for level in head.levels)
    if isinstance(head, GaussianMixture):
        told["components"] = head.components
    return HEADS[model.card.blueprint.head].format(**told)
