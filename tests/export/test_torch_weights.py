"""Weights of torch.nn's layers, by state_dict and by file."""

import contextlib
import io
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from gatelab.errors import ConfigError, DataError, GatelabError, ShapeError
from gatelab.export import from_torch
from layers import same

MADE = {
    "LSTM": lambda: torch.nn.LSTM(5, 6, 2, bidirectional=True),
    "GRU": lambda: torch.nn.GRU(7, 4, bias=False),
    "RNN": lambda: torch.nn.RNN(1, 3, 3, batch_first=True),
    "one unit": lambda: torch.nn.LSTM(1, 1, dtype=torch.float64),
}


def weights_of(name="LSTM", prefix=""):
    torch.manual_seed(0)
    theirs = MADE[name]()
    return theirs, {prefix + k: v for k, v in theirs.state_dict().items()}


def compare(ours, theirs):
    x = torch.randn(4, 3, theirs.input_size, dtype=next(theirs.parameters()).dtype)
    same([ours(x)[0].detach()], [theirs(x)[0].detach()], 1e-6)


@pytest.mark.parametrize("name", MADE)
def test_numbers_are_torch_s(name):
    theirs, weights = weights_of(name)
    ours = from_torch(weights, batch_first=theirs.batch_first)
    assert type(ours).__name__ == type(theirs).__name__
    compare(ours, theirs)


def test_a_rectifier():
    theirs = torch.nn.RNN(3, 4, nonlinearity="relu")
    compare(from_torch(theirs.state_dict(), nonlinearity="relu"), theirs)


def test_files(tmp_path):
    theirs, weights = weights_of(prefix="encoder.lstm.")
    weights["head.weight"] = torch.randn(2, 12)
    save_file(weights, tmp_path / "a.safetensors")
    np.savez(tmp_path / "a.npz", **{k: v.numpy() for k, v in weights.items()})
    turned = {k: np.asfortranarray(v.numpy()).astype(">f4") for k, v in weights.items()}
    np.savez_compressed(tmp_path / "b.npz", **turned)
    for file in ("a.safetensors", "a.npz", "b.npz"):
        compare(from_torch(tmp_path / file, prefix="encoder.lstm."), theirs)
        compare(from_torch(str(tmp_path / file), prefix="encoder.lstm."), theirs)


def changed(key, value):
    _, weights = weights_of()
    if value is None:
        del weights[key]
    else:
        weights[key] = value(weights[key]) if callable(value) else value
    return weights


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("weight_hh_l1", lambda w: w[:-1], r"weight_hh_l1: wanted \[24, 6\]"),
        ("weight_ih_l1", lambda w: w[:, :-1], r"weight_ih_l1: wanted \[24, 12\]"),
        ("bias_hh_l0", lambda w: w.double(), "bias_hh_l0: wanted .* of torch.float32"),
        ("bias_ih_l1", None, "bias_ih_l1 is missing"),
        ("weight_ih_l0", None, "weight_ih_l0 is missing; did you mean"),
        ("weight_ih_l0", lambda w: w[:-1], "weight_ih_l0: wanted 4, 3 or 1 times H = 6"),
        ("weight_ih_l0", lambda w: w[0], "weight_ih_l0: wanted a matrix"),
        ("weight_hh_l0", lambda w: w[:, :0], "weight_hh_l0: wanted a matrix"),
        ("weight_hh_l0", lambda w: w.int(), "weight_hh_l0: wanted finite"),
        ("bias_ih_l0", lambda w: w / 0, "bias_ih_l0: wanted finite"),
        ("weight_hr_l0", torch.ones(2, 6), "weight_hr_l0 belong to no LSTM"),
        ("weight_ih_l7", torch.ones(24, 6), "weight_ih_l2 is missing"),
        ("bias_ih_l0", "text", "bias_ih_l0: wanted a tensor, got str"),
    ],
)
def test_tensors_that_do_not_fit(key, value, said):
    with pytest.raises((DataError, ShapeError), match=said):
        from_torch(changed(key, value))


def test_what_is_no_source():
    with pytest.raises(DataError, match=r"no tensor begins with 'lstm\.'"):
        from_torch(weights_of()[1], prefix="lstm.")
    with pytest.raises(ConfigError, match="wanted a state_dict"):
        from_torch([1.0])


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy(shape, kind="<f4", content=b""):
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (npz(a=npy((1 << 40,))), "wanted 4,398,046,511,104 bytes"),
        (npz(a=npy((-1, -4), content=bytes(16))), "wanted 16 bytes"),
        (npz(a=npy((2,), content=bytes(4))), "wanted 8 bytes"),
        (npz(a=npy((2,), "|O", bytes(16))), "wanted numbers or texts, came Python objects"),
        (npz(a=npy((2,), "<U2", bytes(16))), "wanted an array of numbers"),
        (npz(a=npy((1,), "<f16", bytes(16))), "wanted numbers that torch has"),
        (npz(a=b"no numpy"), "damaged array"),
        (b"no archive", "no whole .npz"),
    ],
)
def test_hostile_archives(content, said, tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        from_torch(path)


def test_other_files(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"x")
    (tmp_path / "a.safetensors").write_bytes(b"\xff" * 40)
    for name, said in [
        ("a.pt", "wanted a .safetensors or .npz"),
        ("a.safetensors", "no whole safetensors"),
        ("b.npz", "cannot be read"),
    ]:
        with pytest.raises(DataError, match=said):
            from_torch(tmp_path / name)


def mutated(content, changes):
    """Return the bytes with some replaced, and cut or lengthened."""
    found = bytearray(content)
    for place, value, cut in changes:
        found[place % len(found)] = value
        if cut:
            del found[place % len(found) :]
        found = found or bytearray(b"x")
    return bytes(found)


CHANGES = st.lists(
    st.tuples(st.integers(0, 1 << 20), st.integers(0, 255), st.sampled_from([False, False, False, True])),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("originals")
    weights = weights_of("GRU")[1]
    save_file(weights, folder / "a.safetensors")
    np.savez(folder / "a.npz", **{k: v.numpy() for k, v in weights.items()})
    np.savez_compressed(folder / "b.npz", **{k: v.numpy() for k, v in weights.items()})
    return folder


def only_our_errors(originals, name, changes):
    path = originals / f"changed_{name}"
    path.write_bytes(mutated((originals / name).read_bytes(), changes))
    with contextlib.suppress(GatelabError):
        from_torch(path)


@pytest.mark.parametrize("name", ["a.safetensors", "a.npz", "b.npz"])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_damaged_files(originals, name, changes):
    only_our_errors(originals, name, changes)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["a.safetensors", "a.npz", "b.npz"])
@settings(max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_damaged_files_at_length(originals, name, changes):
    only_our_errors(originals, name, changes)
