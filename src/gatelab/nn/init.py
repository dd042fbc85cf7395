"""Initialisation by a weight's role: input, recurrent, peephole, bias, gain."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gatelab.errors import ConfigError, near_misses
from gatelab.graph.node import Weight

Scheme = str | float
DEFAULT: Mapping[str, Scheme] = {
    "input": "uniform",
    "recurrent": "uniform",
    "peephole": "uniform",
    "bias": "uniform",
    "gain": 1.0,
}
"""torch's manner: U(−1/√H, 1/√H) for all but gains."""

SCHEMES = ("uniform", "normal", "glorot", "orthogonal", "identity")


def scheme_of(weight: Weight, chosen: Mapping[str, Scheme]) -> Scheme:
    """Return how ``weight`` is initialised.

    The first of: what is chosen for its name; the start that its cell demands (identity, forget bias);
    what is chosen for its role; the default of its role.
    """
    if weight.name in chosen:
        return chosen[weight.name]
    if weight.start is not None:
        return weight.start
    return chosen.get(weight.role, DEFAULT[weight.role])


def check_schemes(chosen: Mapping[str, Scheme], names: set[str]) -> None:
    """Refuse an ``init`` that names no role or weight, or a scheme that does not exist.

    Raises
    ------
    ConfigError
        Naming near misses.
    """
    known = [*DEFAULT, *sorted(names)]
    for key, scheme in chosen.items():
        if key not in known:
            raise ConfigError(
                f"init names {key!r}{near_misses(key, known)}; roles and weights are {', '.join(known)}"
            )
        _parse(key, scheme)


@torch.no_grad()
def initialise(tensor: Tensor, weight: Weight, hidden_size: int, chosen: Mapping[str, Scheme]) -> None:
    """Fill ``tensor`` in place.

    Schemes: a number; ``uniform`` = U(−1/√H, 1/√H), ``uniform=A`` = U(−A, A); ``normal=S`` = N(0, S²)
    with S = 0.1 by default; ``glorot`` = U(±√(6/(rows + columns))); ``orthogonal``, ``identity``,
    both times a factor where one is given (``orthogonal=1.1``).
    """
    name, value = _parse(weight.name, scheme_of(weight, chosen))
    if name == "constant":
        tensor.fill_(value if value is not None else 0.0)
    elif name == "uniform":
        bound = 1 / math.sqrt(hidden_size) if value is None else value
        tensor.uniform_(-bound, bound)
    elif name == "normal":
        tensor.normal_(0, 0.1 if value is None else value)
    elif tensor.dim() != 2:
        raise ConfigError(
            f"init of {weight.name}: {name} is for matrices, {weight.name} is a vector; try uniform"
        )
    elif name == "glorot":
        torch.nn.init.xavier_uniform_(tensor)
    elif name == "orthogonal":
        torch.nn.init.orthogonal_(tensor, gain=1.0 if value is None else value)
    else:
        torch.nn.init.eye_(tensor).mul_(1.0 if value is None else value)


def _parse(key: str, scheme: Scheme) -> tuple[str, float | None]:
    if isinstance(scheme, int | float) and not isinstance(scheme, bool):
        return "constant", float(scheme)
    name, _, number = str(scheme).partition("=")
    if name not in SCHEMES:
        raise ConfigError(
            f"init of {key}: unknown scheme {scheme!r}{near_misses(name, SCHEMES)}; "
            f"known are a number, {', '.join(SCHEMES)}"
        )
    try:
        return name, float(number) if number else None
    except ValueError:
        raise ConfigError(f"init of {key}: {name} wants a number after =, got {number!r}") from None
