"""A recurrent stack with what stands below and above it: the whole model of a task."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.nn.stack import Stack, State

Sequences = Tensor | PackedSequence
"""A dense batch ``[T, B, …]``, or rows ``[N, …]`` of a ragged one."""


class Network(nn.Module):
    """``encoder`` reads the inputs of each step, ``recurrent`` the sequences, ``head`` what they become.

    Parameters
    ----------
    recurrent
        The recurrent layers.
    head
        From hidden values [N, H · directions] to answers.
    encoder
        From the inputs of a step to the recurrent layers' input, such as an embedding; None where inputs are
        vectors already.
    reads
        ``"steps"``: the head answers at every step, N rows in the order of the batch. ``"end"``: once a
        sequence, from the top layer's output at the last step that it has met in each direction, [B].
    dropout
        Share of the encoder's outputs, and of the head's inputs, that are left out in training; what is
        dropped between layers is the recurrent stack's own.

    Attributes
    ----------
    input_noise
        Standard deviation of the Gaussian noise on inputs that are vectors, in training; 0 at first.
        Source: Graves, Mohamed and Hinton 2013, Speech recognition with deep recurrent neural networks.
    """

    def __init__(
        self, recurrent: Stack, head: nn.Module, encoder: nn.Module | None = None,
        reads: Literal["steps", "end"] = "steps", dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.encoder = encoder
        self.recurrent = recurrent
        self.head = head
        self.reads = reads
        self.input_noise = 0.0

    def forward(self, inputs: Sequences, state: State | None = None) -> Tensor:
        """Return the head's answers, [N, …] for all steps or [B, …] for all sequences."""
        answers: Tensor = self.carried(inputs, state)[0]
        return answers

    def carried(self, inputs: Sequences, state: State | None = None) -> tuple[Any, State]:
        """Return the answers and the states after the last step, to go on from."""
        output, state = self.recurrent(self._encoded(inputs), state)
        hidden = self._end(state) if self.reads == "end" else _rows(output)
        return self.head(self.dropout(hidden) if self.dropout.p else hidden), state

    def _encoded(self, inputs: Sequences) -> Sequences:
        if self.encoder is None:
            return self._blurred(inputs)
        if isinstance(inputs, PackedSequence):
            return inputs._replace(data=self.dropout(self.encoder(inputs.data)))
        encoded: Tensor = self.dropout(self.encoder(inputs))
        return encoded

    def _blurred(self, inputs: Sequences) -> Sequences:
        """Return the inputs with noise, in training."""
        if not (self.training and self.input_noise):
            return inputs
        if isinstance(inputs, PackedSequence):
            return inputs._replace(data=self._noisy(inputs.data))
        return self._noisy(inputs)

    def _noisy(self, inputs: Tensor) -> Tensor:
        return torch.randn_like(inputs).mul_(self.input_noise).add_(inputs)

    def _end(self, state: State) -> Tensor:
        """Return the top layer's last outputs, [B, H · directions]."""
        outputs = state[0] if isinstance(state, tuple) else state  # [L · directions, B, H]
        return torch.cat(list(outputs[-self.recurrent.num_directions :]), -1)


def _rows(output: Sequences) -> Tensor:
    return output.data if isinstance(output, PackedSequence) else output.flatten(0, 1)


class EncoderDecoder(Network):
    """``recurrent`` writes what ``reader`` has read: two stacks of one cell and size.

    Parameters
    ----------
    reader, read
        The recurrent layers that read, and the embedding of what they read.
    recurrent, head, encoder, dropout
        As of :class:`Network`, of what is written.
    """

    def __init__(
        self, reader: Stack, read: nn.Module, recurrent: Stack, head: nn.Module, encoder: nn.Module | None,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__(recurrent, head, encoder, dropout=dropout)
        self.reader, self.read = reader, read

    def carried(self, inputs: Any, state: State | None = None) -> tuple[Any, State]:
        """Return the answers to (source, words so far), two packed batches of the same sentences."""
        source, written = inputs
        return super().carried(written, self.encode(source))

    def encode(self, source: PackedSequence) -> State:
        """Return the states after reading sentences: what the writing begins with."""
        state: State = self.reader(source._replace(data=self.dropout(self.read(source.data))))[1]
        return state

    def write(self, words: Tensor, state: State) -> tuple[Tensor, State]:
        """Return answers [B, V] and states after one more word [B] of each sentence."""
        return super().carried(words[None], state)
