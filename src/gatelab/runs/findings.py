"""What a paper found, as sentences that further trials can be held against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gatelab.runs.config import Frozen, UnitName

Relation = Literal[
    "worse", "alike", "not worse", "not better",
    "largest share", "next share", "share at least", "share at most", "rising", "interaction at most",
]  # fmt: skip


class Finding(Frozen):
    """One finding of a paper's study.

    ``sentence`` is what the paper found, and ``tasks`` where; ``about`` names one cell, or one or two
    hyper-parameters. Of a cell, ``relation`` to the ``reference`` cell is

    - ``worse``: its best trials are;
    - ``alike``: its best trials are neither better nor worse by what a test can tell;
    - ``not worse`` or ``not better``: its best trials are not worse, or not better, by what a test can tell.

    Of a hyper-parameter, ``relation`` says of its share in the variance of the objective that it is

    - ``largest share`` of all hyper-parameters, or ``next share``, the second largest;
    - ``share at least`` or ``share at most`` the ``bound``, from 0 to 1;

    or ``rising``: the larger it is, the worse the objective becomes, its mean over the others taken. Of two,
    ``interaction at most``: the share that only both together explain is at most the ``bound``.

    ``checked`` is whether the sentence was read in a source, rather than remembered.

    Examples
    --------
    >>> from gatelab.runs.findings import Finding
    >>> said = "Without a forget gate, the LSTM is worse on all tasks."
    >>> Finding(sentence=said, tasks=("jsb",), about=("nfg",), relation="worse", reference="lstm").about
    ('nfg',)
    """

    sentence: str
    tasks: Annotated[tuple[UnitName, ...], Field(min_length=1)]
    about: Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]
    relation: Relation
    reference: str | None = None
    bound: Annotated[float, Field(ge=0, le=1)] | None = None
    checked: bool = True
