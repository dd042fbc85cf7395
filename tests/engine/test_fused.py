"""The tile machine as a function of torch: memory, sizes, which derivatives, what takes over."""

import gc
import resource
import sys

import pytest
import torch
import torch.utils.checkpoint

import gatelab
from gatelab import cells
from gatelab.engine import cpu
from gatelab.engine.pool import POOL
from gatelab.errors import EngineError, EngineWarning
from layers import layer_of, normal, results_of, same, twin

LENGTHS = (4, 1, 6, 3)


@pytest.fixture(autouse=True)
def own_memory(unwritten):
    torch.set_num_threads(1)
    gc.collect()
    POOL.clear()  # a larger block that lies ready would be taken


# ── memory ──


def test_without_gradients_nothing_is_kept():
    layer, x, before = layer_of("lstm", hidden=70), normal(40, 20, 5), POOL.leased
    with torch.no_grad():
        output, _ = layer(x)
    size = output.numel() * 8
    assert size <= POOL.leased - before <= 1.2 * size
    del output, _
    assert POOL.leased == before


@pytest.mark.parametrize("backward", [False, True])
def test_a_graph_that_is_freed_gives_its_memory_back(backward):
    layer, before = layer_of("lstm", hidden=70), POOL.leased
    output, _ = layer(normal(40, 20, 5))
    if backward:
        output.sum().backward()
    assert POOL.leased > before
    del output, _
    assert POOL.leased == before


def test_two_forward_passes_before_a_backward_pass():
    layer = layer_of("lstm", hidden=40)
    one, two = normal(20, 7, 5), normal(20, 7, 5)
    expected = [results_of(layer, x) for x in (one, two)]
    outputs = [layer(x) for x in (one, two)]
    for (output, state), wanted in zip(outputs, expected, strict=True):
        layer.zero_grad()
        (output.square().sum() + sum(s.sum() for s in state)).backward()
        same([p.grad for p in layer.parameters()], wanted[3:])


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm", "lstm+zoneout=0.2"])
def test_several_backward_passes_give_the_same(name):
    layer, x = layer_of(name, hidden=40), normal(20, 7, 5).requires_grad_()
    loss = layer(x)[0].square().sum()
    found = [torch.autograd.grad(loss, [x, *layer.parameters()], retain_graph=True) for _ in range(3)]
    same(found[0], found[1])
    same(found[0], found[2])
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_backward_does_not_run_forward_again(monkeypatch):
    calls = []
    inner = cpu.forward
    monkeypatch.setattr(cpu, "forward", lambda *a, **k: calls.append(1) or inner(*a, **k))
    for name in cells.CATALOGUE:
        calls.clear()
        results_of(layer_of(name), normal(3, 2, 5))
        assert len(calls) == 1, name


@pytest.mark.parametrize("pick", ["x", "output", "weight"])
def test_a_change_in_place_is_found_out(pick):
    layer, x = layer_of("lstm"), normal(3, 2, 5)
    output, _ = layer(x)
    loss = output.square().sum() + output.sum()
    with torch.no_grad():
        {"x": x, "output": output, "weight": layer.U_i_l0}[pick].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_memory_is_bounded_with_many_sizes_of_batches():
    layer = layer_of("lstm", hidden=40).float()
    draw = torch.Generator().manual_seed(0)
    POOL.clear()
    for _ in range(300):
        lengths = torch.randint(1, 60, (8,), generator=draw)
        layer(normal(60, 8, 5, dtype=torch.float32), lengths=lengths)[0].sum().backward()
    assert POOL.leased < 1 << 20
    assert sum(size for size, _ in POOL.free) < 3 * POOL.most + (1 << 24)


@pytest.mark.skipif(sys.platform != "linux", reason="page faults are counted on Linux")
def test_a_step_asks_for_no_fresh_pages():
    POOL.fill = None
    layer, x = layer_of("lstm", 88, 36).float(), normal(160, 1, 88, dtype=torch.float32)
    wide, y = layer_of("gru", 88, 46).float(), normal(61, 20, 88, dtype=torch.float32)
    faults = []
    for _ in range(12):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for one, rows in ((layer, x), (wide, y)):
            one.zero_grad()
            one(rows)[0].sum().backward()
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    assert sorted(faults[3:])[4] < 200, faults


def test_too_little_memory_is_said():
    layer, rows = layer_of("tanh", 1, 4096), gatelab.engine.Rows.full(20_000, 10**9)
    x = torch.zeros(1, 1, 1, dtype=torch.float64).expand(20_000, 10**9, 1)
    sizes = cpu.Sizes(1, 4096, 1, x.new_empty(0))
    batch = cpu.Batch(layer.cell, sizes, rows, x.flatten(0, 1), (x[0, :1],), layer.weights(0, 0), {})
    wanted = r"out of memory: wanted .* MiB for one pass; try shorter"
    with torch.no_grad(), pytest.raises(EngineError, match=wanted):
        cpu.forward(batch)


# ── sizes ──


def test_a_long_sequence_and_many_units():
    layer = layer_of("gru", 3, 5)
    x = normal(2000, 1, 3)
    same(results_of(layer, x), results_of(twin(layer), x), 1e-8)
    layer = layer_of("lstm", 3, 1500)
    x = normal(3, 2, 3)
    same(results_of(layer, x), results_of(twin(layer), x), 1e-9)


@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("name", ["tanh", "gru", "lstm", "mut3", "lstm+layer-norm", "lstm-blocks"])
def test_threads_share_out_the_units_of_few_sequences(name, threads):
    layer = layer_of(name, hidden=132)
    for batch in (1, 2):
        x = normal(9, batch, 5)
        torch.set_num_threads(1)
        expected = results_of(layer, x)
        torch.set_num_threads(threads)
        same(results_of(layer, x), expected)


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm", "lstm+layer-norm"])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_stream_equals_the_whole(name, steps):
    layer, x, state, parts = layer_of(name, num_layers=2), normal(12, 3, 5), None, []
    whole, last = layer(x)
    for k in range(0, 12, steps):
        part, state = layer(x[k : k + steps], state)
        parts.append(part)
    ours = [torch.cat(parts), *(state if isinstance(state, tuple) else (state,))]
    theirs = [whole, *(last if isinstance(last, tuple) else (last,))]
    same(ours, theirs)
    grads = [
        torch.autograd.grad(sum(r.sum() for r in results), layer.parameters()) for results in (ours, theirs)
    ]
    same(*grads)


@pytest.mark.parametrize("form", [{"batch_first": True}, {"bidirectional": True}, {"num_layers": 2}], ids=str)
def test_inputs_that_are_not_contiguous(form):
    layer = layer_of("lstm", **form)
    for x in (normal(5, 9, 8).permute(2, 1, 0), normal(8, 9, 10)[..., ::2], normal(1, 1, 5).expand(4, 3, 5)):
        same(results_of(layer, x), results_of(twin(layer), x))
        leaf = x.detach().requires_grad_()
        found = [torch.autograd.grad(one(leaf)[0].sum(), leaf)[0] for one in (layer, twin(layer))]
        same(found[:1], found[1:])


def test_weights_that_are_not_contiguous():
    layer = layer_of("lstm")
    for p in layer.parameters():
        p.data = torch.stack([p.data, p.data], -1)[..., 0] if p.dim() == 1 else p.data.T.contiguous().T
    x = normal(4, 3, 5)
    same(results_of(layer, x), results_of(twin(layer), x))


@pytest.mark.parametrize("name", ["lstm", "niaf", "mut1", "mut2", "mut3", "gru+recurrent-dropout=0"])
def test_the_number_of_threads_changes_between_the_passes(name):
    """With six rows one thread computes products with the input before the loop, and two do not."""
    layer, x = layer_of(name, hidden=40), normal(7, 6, 5)
    expected = results_of(layer, x)
    for first, second in ((1, 2), (2, 1), (2, 2), (1, 1), (2, 1), (1, 2)):
        torch.set_num_threads(first)
        layer.zero_grad()
        output, state = layer(x)
        torch.set_num_threads(second)
        states = state if isinstance(state, tuple) else (state,)
        (output.square().sum() + sum(s.sum() for s in states)).backward()
        same([p.grad for p in layer.parameters()], expected[-len(list(layer.parameters())) :])


def test_a_bias_summed_over_many_rows_keeps_its_digits():
    found, x = [], normal(64, 600, 3)
    for dtype in (torch.float32, torch.float64):
        layer = layer_of("lstm", 3, 4).to(dtype)
        layer(x.to(dtype))[0].sum().backward()
        found.append([p.grad.double() for p in layer.parameters() if p.dim() == 1])
    for ours, exact in zip(*found, strict=True):
        assert (ours - exact).abs().max() <= 2e-6 * exact.abs().max()


# ── what is asked for ──


def test_frozen_weights_and_an_input_without_gradient():
    layer, x = layer_of("lstm"), normal(4, 3, 5)
    full = results_of(layer, x)
    names = [n for n, _ in layer.named_parameters()]
    for frozen in names:
        layer.zero_grad()
        layer.get_parameter(frozen).requires_grad_(False)
        output, state = layer(x)
        (output.square().sum() + sum(s.sum() for s in state)).backward()
        for name, wanted in zip(names, full[3:], strict=True):
            grad = layer.get_parameter(name).grad
            assert (grad is None) == (name == frozen)
            if grad is not None:
                same([grad], [wanted])
        layer.get_parameter(frozen).requires_grad_(True)


def test_only_the_input_has_a_gradient():
    layer = layer_of("lstm").requires_grad_(False)
    x = normal(4, 3, 5).requires_grad_()
    found = [torch.autograd.grad(one(x)[0].sum(), x)[0] for one in (layer, twin(layer))]
    same(found[:1], found[1:])


def test_evaluation_has_a_derivative():
    layer, x = layer_of("lstm+zoneout=0.3+recurrent-dropout=0.3").eval(), normal(4, 3, 5)
    same(results_of(layer, x), results_of(twin(layer), x))


@pytest.mark.parametrize("name", ["gru", "lstm", "mut3", "lstm-blocks+layer-norm"])
def test_finite_differences(problem, unwritten, name):
    p = problem(cells.get(name), 2, 4, (3, 1))
    leaves, names, count = p.require_grad(), list(p.weights), len(p.states)

    def results(x, *rest):
        p.x, p.states = x, rest[:count]
        p.weights = dict(zip(names, rest[count:], strict=True))
        return p.run("tile")

    assert torch.autograd.gradcheck(results, leaves)


# ── what takes over ──


def test_transforms_and_autocast_are_left_to_the_reference():
    layer, x = layer_of("gru"), normal(3, 2, 5)
    weights = dict(layer.named_parameters())

    def loss(given, rows):
        return torch.func.functional_call(layer, given, (rows,))[0].square().sum()

    with pytest.warns(EngineWarning, match=r"takes over: torch\.func"):
        ours = torch.func.grad(loss)(weights, x)
    same(list(ours.values()), torch.autograd.grad(loss(weights, x), list(weights.values())))
    with pytest.warns(EngineWarning, match=r"takes over: torch\.func"):
        many = torch.func.vmap(lambda rows: layer(rows)[0])(torch.stack([x, 2 * x]))
    same(list(many), [layer(x)[0], layer(2 * x)[0]])
    single = layer_of("gru").float()
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.warns(EngineWarning, match=r"takes over: torch\.autocast"),
    ):
        single(x.float())


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
def test_a_derivative_forwards_is_not_lost():
    layer, x = layer_of("gru"), normal(3, 2, 5)
    with torch.no_grad(), torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        with pytest.warns(EngineWarning, match="takes over"):
            output, _ = layer(dual)
        assert torch.autograd.forward_ad.unpack_dual(output).tangent is not None


def test_floats_of_another_type_are_left_to_the_reference(problem):
    p = problem(cells.get("gru"), 3, 4, LENGTHS, torch.bfloat16)
    with pytest.warns(EngineWarning, match="float32 and float64, and this is torch.bfloat16"):
        assert p.run("tile")[0].dtype == torch.bfloat16


def test_many_cotangents_at_once_are_left_to_the_reference():
    layer, x = layer_of("gru"), normal(3, 2, 5).requires_grad_()
    output, seeds = layer(x)[0], normal(4, 3, 2, 6)
    with pytest.warns(EngineWarning, match="takes over: is_grads_batched"):
        (found,) = torch.autograd.grad(output, x, seeds, is_grads_batched=True)
    same(list(found), [torch.autograd.grad(layer(x)[0], x, seed)[0] for seed in seeds])


def test_tensors_without_memory_are_left_to_the_reference():
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        layer = gatelab.Recurrent("lstm", 5, 6, engine="tile")
        with pytest.warns(EngineWarning, match="takes over: a mode or a subclass"):
            assert layer(torch.randn(3, 2, 5))[0].shape == (3, 2, 6)


def test_numbers_that_are_only_marked_as_negated():
    layer = layer_of("lstm")
    for x in (torch._neg_view(normal(3, 2, 5)), torch.randn(3, 2, 5, dtype=torch.complex128).conj().imag):
        assert x.is_neg()
        same(layer(x)[0], layer(x.resolve_neg())[0])


@pytest.mark.parametrize("lengths", [None, [40, 3, 3, 1]])
def test_another_default_device(lengths):
    POOL.clear()
    layer, x = layer_of("lstm", hidden=70), normal(40, 4, 5)
    with torch.device("meta"):
        ours = results_of(layer, x, lengths=lengths)
    same(ours, results_of(layer, x, lengths=lengths))


@pytest.mark.slow
def test_torch_compile_leaves_the_layer_as_it_is(recwarn):
    layer, x = layer_of("lstm"), normal(4, 3, 5)
    fast = torch.compile(layer, backend="eager")
    same([fast(x)[0], fast(x[:2])[0]], [layer(x)[0], layer(x[:2])[0]])
    assert not [w for w in recwarn if "Dynamo" in str(w.message)]


def test_checkpointing_frees_what_was_kept():
    layer, x = layer_of("lstm", hidden=70), normal(40, 20, 5)
    x.requires_grad_()
    plain = layer(x)[0]
    held = POOL.leased
    expected = torch.autograd.grad(plain.sum(), x)[0]
    del plain
    again = torch.utils.checkpoint.checkpoint(lambda x: layer(x)[0], x, use_reentrant=False)
    assert POOL.leased < held / 3
    assert torch.equal(torch.autograd.grad(again.sum(), x)[0], expected)
