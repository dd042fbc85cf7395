"""One training: from a trial of a run to its outcome, resumable at any moment."""

from gatelab.train.evaluate import evaluate
from gatelab.train.loop import train

__all__ = ["evaluate", "train"]
