"""Everything that a training needs to go on, in one file that is replaced whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from gatelab.errors import RunError
from gatelab.runs import write_atomic
from gatelab.runs.config import FORMAT


@dataclass
class Progress:
    """How far a training is; NLL per step [nats].

    ``stale`` counts the epochs since the best one; ``seconds`` those spent on updates.
    """

    epoch: int = 0
    updates: int = 0
    seconds: float = 0.0
    best_epoch: int = 0
    best_valid: float = float("inf")
    stale: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)


def save_checkpoint(
    path: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write weights, best weights, the optimiser's memory, torch's random state and the progress."""
    tensors = {f"weights/{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"best/{k}": v for k, v in progress.best.items()}
    for place, memory in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{place}/{k}": torch.as_tensor(v) for k, v in memory.items() if v is not None}
    tensors["random"] = torch.get_rng_state()
    said = {k: v for k, v in asdict(progress).items() if k != "best"}
    write_atomic(path, save(tensors, {"format": str(FORMAT), "progress": json.dumps(said)}))


def load_checkpoint(path: Path, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
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
        network.load_state_dict(_below("weights", tensors))
        _load_memory(optimizer, _below("optimizer", tensors))
        torch.set_rng_state(tensors["random"])
        return Progress(**json.loads(metadata["progress"]), best=_below("best", tensors))
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


def _load_memory(optimizer: torch.optim.Optimizer, memory: Mapping[str, Tensor]) -> None:
    state = optimizer.state_dict()
    for key, value in memory.items():
        place, _, name = key.partition("/")
        state["state"].setdefault(int(place), {})[name] = value
    optimizer.load_state_dict(state)
