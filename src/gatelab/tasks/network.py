"""A recurrent stack with a head: the whole model of a task."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.nn.stack import Stack


class Network(nn.Module):
    """``recurrent`` reads the sequences, ``head`` reads each step's output."""

    def __init__(self, recurrent: Stack, head: nn.Module) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = head

    def forward(self, inputs: PackedSequence) -> Tensor:
        """Return the head's answers [N, outputs] for the rows of a packed batch."""
        output, _ = self.recurrent(inputs)
        answers: Tensor = self.head(output.data)
        return answers
