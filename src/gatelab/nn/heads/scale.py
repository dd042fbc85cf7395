"""Scales that never reach zero."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

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
