import pytest

from gatelab.search.memory import A_WORKER, RESERVE, available, room_for

MEMINFO = "MemTotal:       16000 kB\nMemFree:  100 kB\nMemAvailable:    {} kB\nSwapTotal: 0 kB\n"


@pytest.fixture
def files(tmp_path):
    """Return a function: what files say → the paths that `available` wants."""

    def write(machine=None, most=None, taken=0, inactive=0):
        group = tmp_path / "group"
        group.mkdir()
        if machine is not None:
            (tmp_path / "meminfo").write_text(MEMINFO.format(machine >> 10))
        if most is not None:
            (group / "memory.max").write_text(f"{most}\n")
            (group / "memory.current").write_text(f"{taken}\n")
            (group / "memory.stat").write_text(f"anon 5\ninactive_file {inactive}\nfile 9\n")
        return tmp_path / "meminfo", group

    return write


def test_the_machine(files):
    assert available(*files(machine=8 << 30)) == 8 << 30
    assert available() > 0


def test_a_group_that_may_take_less(files):
    found = available(*files(machine=8 << 30, most=2 << 30, taken=1 << 30, inactive=256 << 20))
    assert found == (1 << 30) + (256 << 20)  # what is only kept of files can be given away


def test_a_group_that_may_take_all(files):
    assert available(*files(machine=1 << 30, most="max")) == 1 << 30


def test_a_group_that_took_too_much(files):
    assert available(*files(machine=1 << 30, most=1 << 20, taken=2 << 20)) == 0


@pytest.mark.parametrize("said", ["", "MemAvailable:", "MemAvailable: many kB", "\n\n", "MemAvailable 5"])
def test_files_that_are_none_of_these(files, said):
    meminfo, group = files()
    assert available(meminfo, group) is None
    meminfo.write_text(said)
    (group / "memory.max").write_text("a lot")
    assert available(meminfo, group) is None


def test_room():
    assert room_for(8, None) == 8
    assert room_for(8, 1 << 40) == 8
    assert room_for(8, RESERVE + 3 * A_WORKER) == 3
    assert room_for(8, RESERVE) == 1
    assert room_for(8, 0) == 1
