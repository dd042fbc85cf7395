"""Studies on a cluster of Ray, two nodes of which are on this machine."""

import sys
from collections import Counter

import pytest

import conducted
from gatelab.errors import ConfigError, RunError
from gatelab.runs.store import Store
from gatelab.search.hire import hire
from gatelab.search.ray_crew import RayCrew, Share
from postgres import server
from victims import Victims, check, undisturbed


def test_shares():
    nodes = [
        {"Alive": True, "Resources": {"CPU": 8.0, "GPU": 1.0, "memory": 6.5 * 2**30}},
        {"Alive": True, "Resources": {"CPU": 2.5, "memory": 64 * 2**30}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "memory": 2**40}},
    ]
    assert Share(memory=1 << 30).of(nodes) == 6 + 2
    assert Share(cpus=0.5, memory=0).of(nodes) == 16 + 5
    assert Share(gpus=0.25).of(nodes) == 4
    assert Share().of([]) == 0


@pytest.mark.parametrize("share", [{"cpus": -1}, {"gpus": 1.5}, {"cpus": 0, "memory": 0}, {"memory": 1e999}])
def test_shares_that_are_none(share):
    with pytest.raises(ConfigError, match="wanted"):
        Share(**share)


def test_no_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'gatelab\[ray\]'"):
        RayCrew(conducted.short_plan(3), "auto")


def test_no_pruning():
    plan = conducted.short_plan(3).model_copy(update={"pruner": "median"})
    with pytest.raises(ConfigError, match="pruner: median needs to hear of epochs"):
        RayCrew(plan, "auto")


@pytest.mark.exhaustive
def test_no_cluster():
    pytest.importorskip("ray")
    with pytest.raises(RunError, match=r"no cluster of Ray can be joined at 127.0.0.1:1 .*ray status"):
        RayCrew(conducted.short_plan(3), "127.0.0.1:1")


class RayVictims(Victims):
    """A study on a cluster whose second node may be killed."""

    def __init__(self, nodes, *settings):
        self.nodes = nodes
        super().__init__(*settings, ray=nodes[0].address)

    def candidates(self, what):
        return [w for n in self.nodes for w in n.workers()] if what == "worker" else []

    def kill(self, what):
        if what != "node":
            return super().kill(what)
        self.killed.append(what)
        self.nodes[1].kill()
        self.nodes[1] = type(self.nodes[1])(self.nodes[1].log.parent, "node1", self.nodes[0].address)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield str(tmp_path / "studies.db")
    else:
        with server() as running:
            yield running.url


@pytest.fixture
def nodes():
    pytest.importorskip("ray")
    from ray_nodes import cluster

    with cluster() as nodes:
        yield nodes


@pytest.mark.exhaustive
def test_two_nodes(tmp_path, nodes):
    with RayVictims(nodes, str(tmp_path / "x.db"), 300, tmp_path, 1) as study:
        assert study.main.wait(300) == 0, study.said()
        check(study, undisturbed(300))
    record = Store(study.url, conducted.NAME).record()
    load = Counter(t.worker.rpartition("@")[2] for t in record.trials)
    assert len(load) == 2
    assert min(load.values()) > 60
    assert set(record.environments) == {t.worker.partition(":")[0] for t in record.trials}
    print(load)


@pytest.mark.exhaustive
def test_twenty_kills(tmp_path, nodes, url):
    with RayVictims(nodes, url, 300, tmp_path, 3) as study:
        study.kill_at_random(20, ["worker", "worker", "node", "main"])
        assert set(study.killed) == {"worker", "node", "main"}
        check(study, undisturbed(300))
        print(study.killed, study.said())


def test_what_is_for_ray_alone_or_for_this_machine_alone():
    plan = conducted.short_plan(3)
    with pytest.raises(ConfigError, match="gpus: a share of a node of Ray, but no cluster was named"):
        hire(plan, gpus=1.0)
    with pytest.raises(ConfigError, match="workers: Ray has as many as its nodes have room for"):
        hire(plan, 2, "auto")
