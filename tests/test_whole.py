"""Files are written whole; devices, pipes and links stay what they are."""

import os
import threading

import pytest

from gatelab.whole import write_whole


def test_a_file_is_new_or_replaced_whole(tmp_path):
    for content in (b"one", b"another"):
        write_whole(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "log").write_bytes(b"a longer text")
    (tmp_path / "link").symlink_to("log")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "log").read_bytes() == b"new"


def test_a_pipe_is_written_into(tmp_path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"sound")
    reader.join(20)
    assert heard == [b"sound"]
    assert pipe.is_fifo()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"new")
