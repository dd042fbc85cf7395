"""A crew of a cluster of Ray: each trial is one task of it, with its share of processors, GPUs and memory.

Ray decides where a task runs, and waits with it until there is room. What crosses the border between gatelab
and Ray is strings of JSON only; how Ray carries them, and its name for the function that it is to call,
between its own processes is its own affair (it pickles them: let nobody into the cluster who may not run
programs there). A task that is lost with its worker or its node is never tried again by Ray itself, but
reported, so that each attempt stands in the study's storage.

Should the cluster's head be lost, Ray ends the process that conducts the study after a minute; begun again,
it goes on where it was. Every node needs the same gatelab, and the data at the same place or below its own
``GATELAB_DATA``.
"""

from __future__ import annotations

import json
import socket
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch

from gatelab.errors import ConfigError, GatelabError, RunError
from gatelab.runs.process import owner
from gatelab.runs.study import Key, StudyPlan, StudyTrial
from gatelab.search.compare import environment
from gatelab.search.crew import News
from gatelab.search.worker import run_trial
from gatelab.tasks import Task, reopen

LOOK_EVERY = 2.0
"""Seconds between two looks at which nodes there are."""
KNOCK = 10.0
"""Seconds within which the head of a cluster has to answer."""


@dataclass(frozen=True)
class Share:
    """What a trial takes of a node: processors, GPUs, and bytes of memory, with the data, which is not
    shared.

    Examples
    --------
    >>> node = {"Alive": True, "Resources": {"CPU": 4.0, "memory": 3.5 * 2**30}}
    >>> Share(cpus=1, memory=1 << 30).of([node, {"Alive": False}])
    3
    """

    cpus: float = 1.0
    gpus: float = 0.0
    memory: float = 512 << 20

    def __post_init__(self) -> None:
        said = {"cpus": self.cpus, "gpus": self.gpus, "memory": self.memory}
        for name, value in said.items():
            if not 0 <= value < float("inf") or (value > 1 and name != "memory" and value != int(value)):
                raise ConfigError(
                    f"{name}: wanted a share of 0 to 1 of one, or a whole number, got {value:g}"
                )
        if not any(said.values()):
            raise ConfigError("a trial that takes nothing of a node: wanted cpus, gpus or memory above 0")

    def of(self, nodes: Iterable[Mapping[str, Any]]) -> int:
        """Return how many trials these nodes, as ``ray.nodes()`` describes them, have room for at a time."""
        asked = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        rooms = []
        for node in nodes:
            if node.get("Alive"):
                has = node.get("Resources", {})
                rooms.append(min((int(has.get(k, 0) // n) for k, n in asked.items() if n), default=1))
        return sum(rooms)


class RayCrew:
    """Workers of a cluster of Ray.

    Parameters
    ----------
    plan
        The study; it has no pruner, for tasks of Ray can tell nothing before they end.
    address
        ``HOST:PORT`` of the cluster's head, where this machine is one of its nodes, ``auto`` for the cluster
        that this machine belongs to, or ``ray://HOST:PORT`` for a cluster elsewhere.
    share
        What a trial takes.

    Attributes
    ----------
    size
        How many trials the nodes that are there have room for; 1 at least, which then waits for a node.

    Raises
    ------
    ConfigError
        Ray is not installed, or the study has a pruner.
    RunError
        The cluster cannot be reached, or has other versions.
    """

    def __init__(self, plan: StudyPlan, address: str, share: Share | None = None) -> None:
        if plan.pruner != "none":
            raise ConfigError(
                f"pruner: {plan.pruner} needs to hear of epochs, which tasks of Ray cannot tell; wanted "
                "none, or workers of this machine"
            )
        self.plan, self.share, self.size = plan, share or Share(), 1
        self._ray = _imported()
        self._ours = not self._ray.is_initialized()
        if self._ours:
            _connect(self._ray, address)
        self._running: dict[Any, Key] = {}
        self._looked = 0.0
        self._plan = self._ray.put(json.dumps(plan.model_dump(mode="json")))
        self._task = self._ray.remote(_train).options(
            num_cpus=self.share.cpus, num_gpus=self.share.gpus, memory=int(self.share.memory) or None,
            max_retries=0, scheduling_strategy="SPREAD", name=f"gatelab {plan.name}",
        )  # fmt: skip
        self._look()

    def start(self, key: Key, attempt: int) -> None:
        """Train a trial."""
        said = json.dumps({"key": list(key), "attempt": attempt, "versions": _versions()})
        self._running[self._task.remote(self._plan, said)] = key

    def judge(self, key: Key, go_on: bool) -> None:
        """Do nothing: no epoch is told."""

    def news(self, timeout: float) -> list[News]:
        """Return what is heard within so many seconds.

        Raises
        ------
        RunError
            The cluster is gone, or one of its nodes cannot train: no data, or another gatelab.
        """
        self._look()
        if not self._running:
            time.sleep(timeout)
            return []
        references = list(self._running)
        with self._errors():
            ended, others = self._ray.wait(references, num_returns=1, timeout=timeout)
            if ended and others:
                ended += self._ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [self._heard(r, self._running.pop(r)) for r in ended]

    def close(self) -> None:
        """Let go of what is being trained, and of the cluster."""
        with suppress(Exception):  # the cluster may be gone, and its tasks with it
            for reference in self._running:
                self._ray.cancel(reference, force=True)
        self._running.clear()
        if self._ours:
            self._ray.shutdown()

    def _heard(self, reference: Any, key: Key) -> News:
        exceptions = self._ray.exceptions
        try:
            said = json.loads(self._ray.get(reference))
        except exceptions.WorkerCrashedError as error:
            return News(key, lost=f"its worker died: {_first_line(error)}")
        except (exceptions.RayTaskError, exceptions.RuntimeEnvSetupError) as error:
            raise RunError(
                f"a node of the cluster cannot train: {_last_line(error)}; wanted gatelab "
                f"{version('gatelab')} on every node"
            ) from None
        except exceptions.RayError as error:
            return News(key, lost=f"{type(error).__name__}: {_first_line(error)}", blamed=False)
        if "refused" in said:
            raise RunError(f"a node of the cluster cannot train: {said['refused']}")
        return News(key, outcome=StudyTrial.model_validate(said["outcome"]), environment=said["environment"])

    def _look(self) -> None:
        """Count anew what the nodes have room for, now and then."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        self._looked = time.monotonic()
        with self._errors():
            self.size = max(1, self.share.of(self._ray.nodes()))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (self._ray.exceptions.RayError, ConnectionError, RuntimeError, OSError) as error:
            raise RunError(
                f"the cluster of Ray is gone ({_first_line(error)}); begin it again, then the study goes on"
            ) from error


def _imported() -> ModuleType:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise ConfigError(f"Ray is not installed ({error}): pip install 'gatelab[ray]'") from error
    module: ModuleType = ray
    return module


def _connect(ray: ModuleType, address: str) -> None:
    """Join a cluster; Ray alone would knock for many minutes where nobody answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what later versions of Ray will do otherwise
        try:
            host, _, port = address.removeprefix("ray://").rpartition(":")
            if host and port.isdecimal():
                socket.create_connection((host.strip("[]"), int(port)), KNOCK).close()
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except ImportError as error:
            raise ConfigError(f"{address} needs more of Ray ({error}): pip install 'ray[client]'") from error
        except (ConnectionError, ValueError, RuntimeError, OSError, ray.exceptions.RayError) as error:
            raise RunError(
                f"no cluster of Ray can be joined at {address} ({_first_line(error)}); is it up "
                f"(`ray status`), is this machine one of its nodes (`ray start --address={address}`; "
                f"otherwise use ray://HOST:10001), with Ray {ray.__version__} and this Python on each?"
            ) from error


def _versions() -> dict[str, str]:
    return {"gatelab": version("gatelab"), "torch": torch.__version__}


def _train(plan: str, said: str) -> str:
    """Train one trial in a worker of Ray, and return its outcome."""
    import ray

    asked, here = json.loads(said), _versions()
    node = f"{owner()}@{ray.get_runtime_context().get_node_id()[:8]}"
    if here != asked["versions"]:
        return json.dumps({"refused": f"{node} has {here}, wanted {asked['versions']}"})
    torch.set_num_threads(1)
    first = not _opened.cache_info().currsize
    try:
        study, tasks = _opened(plan)
    except GatelabError as error:
        return json.dumps({"refused": f"{node}: {error}"})
    outcome = run_trial(study, tasks, Key(*asked["key"]), asked["attempt"])
    ours = outcome.model_copy(update={"worker": node}).model_dump(mode="json")
    return json.dumps({"outcome": ours, "environment": environment() if first else None})


@lru_cache(maxsize=1)
def _opened(plan: str) -> tuple[StudyPlan, dict[str, Task]]:
    """Return a plan and its data, once for each worker."""
    study = StudyPlan.model_validate_json(plan)
    return study, {t.name: reopen(t.record) for t in study.tasks}


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _last_line(error: BaseException) -> str:
    return next((x.strip() for x in reversed(str(error).splitlines()) if x.strip()), type(error).__name__)
