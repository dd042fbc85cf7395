import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.places import find
from gatelab.data.tree import Tree, read_file
from gatelab.errors import DataError


def archive(
    members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None
) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            change(info)
            file.writestr(info, content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "B.TXT").write_bytes(b"two")
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / ".hidden").write_bytes(b"no")
    return tmp_path


def test_a_folder_and_an_archive_of_it_read_alike(folder: Path) -> None:
    packed = folder.parent / "packed.zip"
    packed.write_bytes(archive({"a.txt": b"one", "deep/er/B.TXT": b"two", "__MACOSX/x": b"", ".hidden": b""}))
    for tree in (Tree(folder), Tree(packed)):
        assert tree.names() == ["a.txt", "deep/er/B.TXT"] == tree.names(".txt")
        assert (tree.read("deep/er/B.TXT"), tree.size("a.txt")) == (b"two", 3)
    assert Tree(folder).digest() == Tree(packed).digest()
    packed.unlink()


def test_a_name_that_is_no_text_has_a_digest(folder: Path) -> None:
    before = Tree(folder).digest()
    try:
        (folder / "\udcff.txt").write_bytes(b"three")  # a byte that is no UTF-8
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    assert Tree(folder).digest() != before


@pytest.mark.parametrize("name", ["../out.txt", "/etc/passwd", "a/../../b", "..\\out"])
def test_refuses_members_that_point_outside(tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.zip"
    path.write_bytes(archive({"good.txt": b"", name: b"evil"}))
    with pytest.raises(DataError, match="points outside"):
        Tree(path)


def test_refuses_links(tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    path.write_bytes(archive({"link": b"/etc/passwd"}, lambda i: setattr(i, "external_attr", 0o120777 << 16)))
    with pytest.raises(DataError, match="is a link"):
        Tree(path)


def test_links_in_a_folder_are_not_followed(folder: Path) -> None:
    (folder / "link.txt").symlink_to("/etc/passwd")
    assert "link.txt" not in Tree(folder)


def test_bounds_what_a_member_may_become(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(archive({"zeros": bytes(1 << 22)}))
    assert path.stat().st_size < 10_000
    with pytest.raises(DataError, match="holds more than"):
        Tree(path).read("zeros", limit=1 << 20)
    (tmp_path / "large").write_bytes(bytes(1 << 21))
    with pytest.raises(DataError, match="wanted at most 1 MiB"):
        read_file(tmp_path / "large", limit=1 << 20)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.mid", b"one")
        made.writestr("a.mid", b"two")
    with pytest.raises(DataError, match=r"member 'a.mid' is there twice"):
        Tree(path)


def test_the_head_of_a_file_is_read_alone(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(archive({"zeros": bytes(1 << 22), "few": b"abc"}))
    assert Tree(path).head("zeros", 5) == bytes(5)
    assert Tree(path).head("few", 5) == b"abc"
    assert Tree(folder).head("a.txt", 1) == Tree(folder).read("a.txt")[:1]


def test_names_are_written_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    path.write_bytes(archive({"a\nb.txt": b"x"}))
    assert Tree(path).place("a\nb.txt") == f"{path}/a\ufffdb.txt"


def test_says_what_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"other.txt: is not there; .* holds a.txt, deep/er/B.TXT"):
        Tree(folder).read("other.txt")
    with pytest.raises(DataError, match="try the path of a folder or a zip archive"):
        Tree(folder / "nowhere")
    with pytest.raises(DataError, match="wanted a folder or a zip archive, came neither"):
        Tree(folder / "a.txt")
    monkeypatch.setenv("GATELAB_DATA", str(folder))
    assert find("A set", "deep", ["er"], "example.org") == folder / "deep" / "er"
    with pytest.raises(DataError, match=r"A set: wanted b.wav in .*example.org"):
        find("A set", "deep", ["b.wav"], "example.org")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 8))
def test_a_damaged_archive_is_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, put: bytes, cut: int
) -> None:
    whole = archive({"a.txt": b"one" * 50, "b/c.bin": bytes(range(200))})
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(whole[:at] + put + whole[at + cut :])
    try:
        tree = Tree(path)
        for name in tree.names():
            tree.read(name)
    except DataError:
        pass
