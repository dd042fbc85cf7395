"""gatelab paper: a paper's study, its table beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gatelab.cli import options
from gatelab.cli.study_crew import Hands, Ray, Share
from gatelab.cli.study_storage import Storage
from gatelab.errors import ConfigError, near_misses


def paper(
    name: Annotated[str, typer.Argument(help="chung2014, or greff2015, which is a study.")],
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="chung2014: jsb, nottingham, muse, piano; speech-500 or speech-8000, on a free data set or "
            "=PATH. greff2015: jsb, phones, handwriting, or =PATH; may be repeated.",
            show_default="jsb",
        ),
    ] = None,
    sizes: Annotated[
        Literal["budget", "table"] | None,
        typer.Option(
            help="Hidden sizes of chung2014: solved for the paper's parameter count, or as its table 1 "
            "prints them.",
            show_default="budget",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            help="chung2014: learning rates to try; greff2015: trials of each cell.",
            min=1,
            max=10_000,
            show_default="10; 200",
        ),
    ] = None,
    repeats: Annotated[
        int | None,
        typer.Option(help="How often each unit's best trial is trained again.", show_default="4"),
    ] = None,
    seed: options.Seed = 0,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    cells: Annotated[
        str | None, typer.Option(help="Units of greff2015, with commas.", show_default="all ten")
    ] = None,
    pruner: Annotated[
        Literal["none", "median"] | None,
        typer.Option(help="Whether greff2015 stops trials worse than most.", show_default="none"),
    ] = None,
    workers: options.Workers = None,
    runs: options.Runs = None,
    profile: options.Profile = False,
    study: Annotated[
        str | None,
        typer.Option("--name", help="The study's name; as a rule the paper's.", show_default=False),
    ] = None,
    ray: Ray = None,
    share: Share = None,
    storage: Storage = None,
) -> None:
    """Repeat a paper's study by its protocol, and put its table beside ours.

    A comparison has a run folder; a study, such as greff2015, goes on in its storage, as gatelab study does.
    """
    from gatelab.papers import PAPERS, STUDIES

    changed = options.given(max_epochs=epochs, patience=patience, batch_size=batch_size)
    told = {"trials": trials, "seed": seed, "training": changed}
    of_comparisons = {"--sizes": sizes, "--repeats": repeats, "--runs": runs, "--profile": profile or None}
    of_studies = {
        "--cells": cells,
        "--pruner": pruner,
        "--name": study,
        "--ray": ray,
        "--share": share,
        "--storage": storage,
    }
    if name in PAPERS:
        _refuse(name, "a comparison", of_studies)
        if len(dataset or ()) > 1:
            raise ConfigError(f"--dataset: wanted one for {name}, got {', '.join(dataset or ())}")
        _compare(
            PAPERS[name], (dataset or ["jsb"])[0], options.given(sizes=sizes, repeats=repeats, **told),
            runs, workers, profile,
        )  # fmt: skip
    elif name in STUDIES:
        _refuse(name, "a study", of_comparisons)
        named = None if cells is None else [c for c in cells.split(",") if c.strip()]
        _study(
            STUDIES[name], dataset or ["jsb"], options.given(cells=named, pruner=pruner, name=study, **told),
            storage, Hands(workers, ray, share),
        )  # fmt: skip
    else:
        known = [*PAPERS, *STUDIES]
        raise ConfigError(f"unknown paper {name!r}{near_misses(name, known)}; known are {', '.join(known)}")


def _refuse(name: str, what: str, others: Mapping[str, object]) -> None:
    if strange := [option for option, value in others.items() if value is not None]:
        raise ConfigError(f"{strange[0]}: means nothing for {name}, which is {what}")


def _compare(
    chosen: Any, dataset: str, told: dict[str, Any], runs: Path | None, workers: int | None, profile: bool
) -> None:
    from gatelab.cli.session import carry_out

    plan = chosen.plan(dataset, **{"trials": 10, "repeats": 4, **told})
    carry_out(plan, runs, workers, profile)


def _study(chosen: Any, datasets: list[str], told: dict[str, Any], storage: str | None, hands: Hands) -> None:
    from gatelab.cli.study_run import carry_out
    from gatelab.runs import Training, build

    told["training"] = build(Training, **(chosen.TRAINING.model_dump() | told["training"]))
    plan = chosen.study(datasets, **told)
    carry_out(plan, storage, hands)
