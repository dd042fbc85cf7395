"""Values with a location and a scale, and scales that never reach zero."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.nn.border import check_float, check_positive, check_sizes

FLOOR = 1e-4


def log_scale(free: Tensor, floor: float = FLOOR) -> Tensor:
    """Return log-scales above log(floor): log σ = log(floor) + softplus(free − log(floor)).

    Far above the floor log σ is ``free`` itself, far below it is log(floor); in between it bends smoothly, so
    that a scale which sank to the floor can rise again.

    Examples
    --------
    >>> import torch
    >>> log_scale(torch.tensor([-50.0, 2.0])).exp().round(decimals=4).tolist()
    [9.9999...e-05, 7.389...]
    """
    low = math.log(floor)
    return low + functional.softplus(free - low)


class LocationScale(nn.Module):
    """D independent values, each with a location, a scale and what else a family of distributions has.

    An affine map gives ``rows`` numbers for each value, and :meth:`shaped` makes the answers [..., rows, D]
    of them: locations, log-scales, the rest.
    """

    rows: ClassVar[int]

    def __init__(self, input_size: int, output_size: int, floor: float = FLOOR) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        check_positive(floor=floor)
        self.output_size, self.floor = output_size, float(floor)
        self.affine = nn.Linear(input_size, self.rows * output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return answers [..., rows, D] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        return self.shaped(self.affine(hidden))

    def shaped(self, linear: Tensor) -> Tensor:
        """Return answers for what the affine map gave, [..., rows · D]."""
        place, free, *others = torch.unflatten(linear, -1, (self.rows, self.output_size)).unbind(-2)
        return torch.stack((place, log_scale(free, self.floor), *map(self.other, others)), -2)

    def other(self, free: Tensor) -> Tensor:
        """Return a parameter beside location and scale for what the affine map gave."""
        raise AssertionError("a family with more than two rows says what they are")

    @classmethod
    def parts(cls, answers: Tensor) -> tuple[Tensor, ...]:
        """Return locations, log-scales and what else there is, [..., D] each."""
        check_float("answers", answers, cls.rows, "D")
        return answers.unbind(-2)

    @classmethod
    def mean(cls, answers: Tensor) -> Tensor:
        """Return the locations [..., D], which are means, medians and modes."""
        return cls.parts(answers)[0]

    mode = mean
