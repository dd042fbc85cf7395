"""The tile machine in copies, threads and processes."""

import copy
import io
import multiprocessing
import os
import subprocess
import sys
import threading

import pytest
import torch

import gatelab
from gatelab.engine import bound
from layers import layer_of, normal, results_of, same


def test_copies():
    layer, x = layer_of("lstm+zoneout=0.1", num_layers=2).eval(), normal(3, 2, 5)
    expected = results_of(layer, x)
    for thing in (layer, layer.state_dict()):
        file = io.BytesIO()
        torch.save(thing, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
        if isinstance(loaded, dict):
            fresh = layer_of("lstm+zoneout=0.1", num_layers=2, seed=1).eval()
            fresh.load_state_dict(loaded)
            loaded = fresh
        same(results_of(loaded, x), expected)
    output, _ = layer(x)
    same([copy.deepcopy(output.detach())], [output])


def train(seed, steps=50):
    """Return what a small training ends with; cell and sizes follow from ``seed``."""
    name = ["tanh", "gru", "lstm", "fgr", "mut2", "lstm-blocks", "lstm+layer-norm", "nig"][seed % 8]
    draw = torch.Generator().manual_seed(seed)
    layer = gatelab.Recurrent(name, 3, 6 + 4 * seed, engine="tile").double()
    for p in layer.parameters():
        p.data = torch.randn(p.shape, generator=draw, dtype=torch.float64) * 0.3
    for k in range(steps):
        lengths = torch.randint(1, 12, (1 + (seed + k) % 9,), generator=draw)
        x = torch.randn(12, len(lengths), 3, generator=draw, dtype=torch.float64)
        layer.zero_grad()
        layer(x, lengths=lengths)[0].square().mean().backward()
        with torch.no_grad():
            for p in layer.parameters():
                p -= 0.1 * p.grad
    return torch.cat([p.detach().flatten() for p in layer.parameters()])


@pytest.mark.parametrize("threads", [1, 2])
def test_python_s_threads_train_at_once(threads, monkeypatch):
    monkeypatch.setattr(bound, "REMEMBERED", 4)  # layouts are forgotten while others ask for them
    torch.set_num_threads(threads)
    expected = [train(seed) for seed in range(8)]
    found, failed = {}, []

    def work(seed):
        torch.set_num_threads(threads)
        try:
            found[seed] = train(seed)
        except BaseException as error:
            failed.append(error)

    team = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for member in team:
        member.start()
    for member in team:
        member.join()
    assert not failed
    same([found[k] for k in range(8)], expected)


def child(seed, queue):
    torch.set_num_threads(1)
    queue.put(train(seed, 3).tolist())


# Another test may have brought JAX into this process, which warns of every fork.
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_other_processes(method):
    if method not in multiprocessing.get_all_start_methods() or (method == "spawn" and not __spec__):
        pytest.skip(f"no {method} here")
    torch.set_num_threads(2)
    expected = train(3, 3)  # the parent has run in parallel before
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=child, args=(3, queue))
    process.start()
    found = queue.get(timeout=60)
    process.join(60)
    assert process.exitcode == 0
    same([torch.tensor(found, dtype=torch.float64)], [expected])


def test_the_end_of_a_process_is_quiet():
    code = """
import torch, gatelab
layer = gatelab.Recurrent("lstm", 5, 70)
output = layer(torch.randn(40, 20, 5))
print("ok")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
