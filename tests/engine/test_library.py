"""Which library is loaded, and what is said of one that cannot be: small ones, made here by the compiler."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gatelab.engine import library
from gatelab.errors import BuildError, ConfigError, EngineError

COMPILER = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
with_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C++ compiler: c++, g++ or clang++")

SOUND = """
static const char *chosen = "avx512";
extern "C" int gatelab_tile_interface() { return INTERFACE; }
extern "C" const char *gatelab_tile_variant() { return chosen; }
extern "C" int gatelab_tile_choose(const char *name) {
    chosen = name[3] == '2' ? "avx2" : "base"; return CHOICE; }
"""


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """Load anew, from the package unless a test says otherwise."""
    monkeypatch.delenv("GATELAB_KERNEL", raising=False)
    monkeypatch.delenv("GATELAB_VARIANT", raising=False)
    library._loaded.cache_clear()
    yield
    library._loaded.cache_clear()


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that compiles a library and lets GATELAB_KERNEL name it."""

    def compiled(source=SOUND, interface=library.INTERFACE, choice=0):
        path = tmp_path / "fake.so"
        command = [COMPILER, "-shared", "-fPIC", f"-DINTERFACE={interface}", f"-DCHOICE={choice}"]
        subprocess.run([*command, "-x", "c++", "-", "-o", path], input=source, text=True, check=True)
        monkeypatch.setenv("GATELAB_KERNEL", str(path))
        return path

    return compiled


def refusal(path: Path) -> str:
    with pytest.raises(BuildError) as caught:
        library.load()
    assert caught.value.path == path
    assert f"wanted gatelab's kernel with interface {library.INTERFACE} at {path}, found" in str(caught.value)
    return str(caught.value)


def test_of_the_package():
    assert library.path() == Path(library.__file__).parent / "kernel" / library.NAME
    assert library.load().gatelab_tile_interface() == library.INTERFACE
    assert library.variant() in library.VARIANTS


def test_base_runs_everywhere(monkeypatch):
    best = library.variant()
    library._loaded.cache_clear()
    monkeypatch.setenv("GATELAB_VARIANT", "base")
    assert library.variant() == "base"
    assert library.load().gatelab_tile_choose(best.encode()) == 0  # the choice is the process's


def test_missing_in_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "__file__", str(tmp_path / "library.py"))
    assert "make setup" in refusal(tmp_path / "kernel" / library.NAME)


def test_missing_where_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("GATELAB_KERNEL", str(tmp_path / "none.so"))
    assert "found no file; unset GATELAB_KERNEL" in refusal(tmp_path / "none.so")


def test_a_folder_is_no_library(tmp_path, monkeypatch):
    monkeypatch.setenv("GATELAB_KERNEL", str(tmp_path))
    assert "found no file" in refusal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a library at all\n" * 9])
def test_not_a_library(content, tmp_path, monkeypatch):
    path = tmp_path / "a.so"
    path.write_bytes(content)
    monkeypatch.setenv("GATELAB_KERNEL", str(path))
    assert "found a file" in refusal(path)


@with_compiler
def test_loaded_once(make):
    make()
    found = []
    threads = [threading.Thread(target=lambda: found.append(library.load())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert library.variant() == "avx512"


@with_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF files on Linux")
@pytest.mark.parametrize("part", [0.02, 0.5, 0.999])
def test_cut_off(part, make):
    path = make()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    assert f"cut off after {int(part * len(whole))} of" in refusal(path)


@with_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF files on Linux")
def test_of_another_processor(make):
    path = make()
    data = bytearray(path.read_bytes())
    data[18:20] = (21).to_bytes(2, sys.byteorder)
    path.write_bytes(data)
    assert "found a library for POWER, 64 bits" in refusal(path)


@with_compiler
def test_what_the_loader_says_is_passed_on(make):
    path = make("extern int nowhere; int *use() { return &nowhere; }")
    assert "nowhere" in refusal(path)


@with_compiler
def test_of_another_version(make):
    path = make(interface=library.INTERFACE + 1)
    assert f"found interface {library.INTERFACE + 1}, of another version" in refusal(path)


@with_compiler
def test_another_library(make):
    path = make("int nothing() { return 0; }")
    assert "found another library" in refusal(path)


@with_compiler
def test_a_refusal_is_not_kept(make, tmp_path, monkeypatch):
    monkeypatch.setenv("GATELAB_KERNEL", str(tmp_path / "none.so"))
    refusal(tmp_path / "none.so")
    make()
    assert library.load() is library.load()


@with_compiler
def test_variant_asked_for(make, monkeypatch):
    make()
    monkeypatch.setenv("GATELAB_VARIANT", "avx2")
    assert library.variant() == "avx2"


@with_compiler
def test_variant_that_cannot_run(make, monkeypatch):
    make(choice=1)
    monkeypatch.setenv("GATELAB_VARIANT", "avx2")
    with pytest.raises(EngineError, match="asks for 'avx2', which this processor cannot run; try"):
        library.load()


def test_variant_that_is_none(monkeypatch):
    monkeypatch.setenv("GATELAB_VARIANT", "avx521")
    with pytest.raises(ConfigError, match="no variant 'avx521'; did you mean avx512"):
        library.load()


def test_error_holds_its_path_in_a_copy():
    import copy

    error = copy.copy(BuildError("no library", Path("a.so")))
    assert (str(error), error.path) == ("no library", Path("a.so"))
