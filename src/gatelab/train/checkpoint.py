"""Everything that a training needs to go on, in one file that is replaced whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from gatelab.errors import RunError
from gatelab.runs import write_atomic
from gatelab.runs.config import FORMAT
from gatelab.train.flat import Flat
from gatelab.train.optim import Optimizer


@dataclass
class Progress:
    """How far a training is; ``best_valid`` is the objective on validation.

    ``stale`` counts the epochs since the best one; ``seconds`` those spent on updates; ``best`` holds the
    weights of the best epoch, [P].
    """

    epoch: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_valid: float = float("inf")
    stale: int = 0
    best: Tensor | None = None


def save_checkpoint(path: Path, flat: Flat, optimizer: Optimizer, progress: Progress) -> None:
    """Write weights, best weights, the optimiser's memory, torch's random state and the progress.

    Weights and memory are vectors over all parameters, in their order: few tensors are quickly written.
    """
    tensors = {"weights": flat.vector.detach(), "random": torch.get_rng_state()}
    if progress.best is not None:
        tensors["best"] = progress.best
    tensors |= {f"optimizer/{name}": value for name, value in optimizer.memory.items()}
    said = {k: v for k, v in vars(progress).items() if k != "best"}
    metadata = {"format": str(FORMAT), "progress": json.dumps(said)}
    write_atomic(path, save(tensors, metadata))


def load_checkpoint(path: Path, flat: Flat, optimizer: Optimizer) -> Progress:
    """Put a training back to where the checkpoint was written; return its progress.

    Raises
    ------
    RunError
        Where the file is damaged, foreign or of another version.
    """
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != str(FORMAT) or "progress" not in metadata:
        raise RunError(f"{path} is no checkpoint of format {FORMAT}; remove it to begin this trial anew")
    try:
        flat.load(tensors["weights"])
        optimizer.load(_below("optimizer", tensors))
        torch.set_rng_state(tensors["random"])
        return Progress(**json.loads(metadata["progress"]), best=tensors.get("best"))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunError(
            f"{path} does not fit its trial ({error}); remove it to begin this trial anew"
        ) from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file."""
    try:
        content = path.read_bytes()
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}); remove it to begin this trial anew") from None
    return tensors, metadata


def _below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix + "/"): v for k, v in tensors.items() if k.startswith(prefix + "/")}
