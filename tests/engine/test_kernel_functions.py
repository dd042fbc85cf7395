"""The kernel's vectors and functions, measured in C++ against the C library on every variant."""

import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE / "kernel_functions.cpp"
KERNEL = HERE.parents[1] / "src" / "gatelab" / "engine" / "kernel"
FLAGS = ["-std=c++17", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wall", "-Wextra"]
VARIANTS = {"base": (16, [])}
if platform.machine() in ("x86_64", "AMD64"):
    VARIANTS["avx2"] = (32, ["-mavx2", "-mfma"])
    VARIANTS["avx512"] = (64, ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mfma"])
APPROXIMATE, ROUNDED, EXACT = ("exp", "tanh", "sigmoid", "log"), ("sqrt",), ("relu", "step")


def compiler(*arguments):
    subprocess.run(["g++", *map(str, arguments)], check=True)


def build(folder, extra):
    """Compile each variant and the measuring program, two at a time, and link them."""
    if shutil.which("g++") is None:
        pytest.skip("needs the compiler g++ to measure the kernel's functions")
    variants = {
        name: [f"-DGATELAB_VARIANT={name}", f"-DGATELAB_BYTES={width}", *flags]
        for name, (width, flags) in VARIANTS.items()
    }
    common = [*FLAGS, *extra, "-I", KERNEL, "-c", SOURCE, "-o"]
    commands = [[*flags, *common, folder / f"{name}.o"] for name, flags in variants.items()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda command: compiler(*command), [[*common, folder / "main.o"], *commands]))
    compiler(*extra, *folder.glob("*.o"), "-o", folder / "measure")
    return folder / "measure"


def measure(program, first, stride, points):
    """Return {(variant, type, function): (largest error in ulp, where)}."""
    command = [str(word) for word in (program, first, stride, points)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("wrong")] == []
    rows = [line.split() for line in lines]
    return {tuple(row[:3]): (float(row[3]), float.fromhex(row[4])) for row in rows}


def check(errors):
    limits = dict.fromkeys(APPROXIMATE, 4.0) | dict.fromkeys(ROUNDED, 0.5) | dict.fromkeys(EXACT, 0.0)
    assert {key[2] for key in errors} == set(limits)
    assert {key[1] for key in errors} == {"float", "double"}
    too_large = {key: worst for key, worst in errors.items() if not worst[0] <= limits[key[2]]}
    assert too_large == {}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return build(tmp_path_factory.mktemp("kernel"), ["-O3"])


def test_functions_are_within_four_ulp(program):
    check(measure(program, 0, 97, 2_000_000))


@pytest.mark.exhaustive
def test_functions_are_within_four_ulp_at_every_float(program):
    with ThreadPoolExecutor(2) as pool:
        for errors in pool.map(lambda first: measure(program, first, 2, 2_000_000), (0, 1)):
            check(errors)


def test_no_undefined_behaviour(tmp_path):
    sanitized = build(tmp_path, ["-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"])
    check(measure(sanitized, 0, 999_983, 10_000))
