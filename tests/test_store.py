"""Files that are the old one or the new one, whatever goes wrong between."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from nst_core.errors import RunError
from nst_core.store import check_writable, write_atomically, write_or_rescue


def test_the_bytes_arrive_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    write_atomically(path, b"newer, and longer")
    assert path.read_bytes() == b"newer, and longer"
    write_atomically(path, b"")
    assert path.read_bytes() == b""
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_writable(Path("plain.png"))
    write_atomically(Path("plain.png"), b"new")
    assert (tmp_path / "plain.png").read_bytes() == b"new"


def test_the_longest_name_there_is(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".png")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_any_new_file(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "picture.png", b"new")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "picture.png").stat().st_mode) == mode


class Interrupted(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize(
    ("owner", "call"),
    [(os, "fsync"), (os, "fdopen"), (Path, "replace"), (Path, "chmod")],
    ids=["fsync", "fdopen", "replace", "chmod"],
)
@pytest.mark.parametrize("old", [b"old", None], ids=["over an old file", "new"])
def test_a_full_disk_leaves_the_old_file_and_no_scraps(
    owner: Any, call: str, old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.png"
    if old is not None:
        path.write_bytes(old)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(owner, call, fail)
    with pytest.raises(RunError) as caught:
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert str(caught.value) == (
        f"{path} could not be written (No space left on device); choose another place."
    )
    assert isinstance(caught.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == ([] if old is None else [path])
    assert old is None or path.read_bytes() == old


def test_an_error_without_an_explanation_still_says_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("the cable is loose")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match=r"\(the cable is loose\)"):
        write_atomically(tmp_path / "picture.png", b"new")


def test_an_interruption_leaves_no_scraps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise Interrupted

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(Interrupted):
        write_atomically(tmp_path / "picture.png", b"new")
    assert list(tmp_path.iterdir()) == []


def test_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "picture.png"
    with pytest.raises(RunError, match="could not be written"):
        write_atomically(path, b"new")
    with pytest.raises(RunError, match=r"^There is no folder .+absent; make it first"):
        check_writable(path)
    assert list(tmp_path.iterdir()) == []


def test_check_writable_accepts_new_and_old_files_and_touches_nothing(tmp_path: Path) -> None:
    old = tmp_path / "old.png"
    old.write_bytes(b"old")
    check_writable(old)
    check_writable(tmp_path / "new.png")
    assert list(tmp_path.iterdir()) == [old]
    assert old.read_bytes() == b"old"


def test_check_writable_refuses_a_folder_and_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="cannot be written; choose another name or folder"):
        check_writable(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: not (path == tmp_path and mode & os.W_OK))
    with pytest.raises(RunError, match="cannot be written"):
        check_writable(tmp_path / "picture.png")


def test_check_writable_refuses_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError, match="There is no folder"):
        check_writable(tmp_path / "file" / "picture.png")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links for everybody")
def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "picture.png")
    for data in (b"new", b"newer"):  # leading nowhere at first
        check_writable(tmp_path / "link")
        write_atomically(tmp_path / "link", data)
        assert (tmp_path / "far" / "picture.png").read_bytes() == data
        assert (tmp_path / "link").is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such links for everybody")
def test_links_in_a_ring_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    with pytest.raises(RunError, match="cannot be written"):
        check_writable(tmp_path / "one")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such pipes")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check_writable(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(path, b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]


def test_what_the_work_begins_from_is_not_written_over(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"the only one")
    (tmp_path / "same.jpg").hardlink_to(photo)
    for path in (photo, tmp_path / "same.jpg"):
        with pytest.raises(RunError, match="is a picture to start from; write to another name"):
            check_writable(path, sources=("skyline", str(photo)))
    check_writable(tmp_path / "other.jpg", sources=(photo, object()))


def test_what_cannot_go_to_its_place_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_or_rescue(tmp_path / "picture.png", b"new") == ""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = write_or_rescue(tmp_path / "gone" / "picture.png", b"long work")
    (kept,) = tmp_path.glob("nst-*/picture.png")
    assert told.endswith(f"could not be written (No such file or directory); it is in {kept}.")
    assert kept.read_bytes() == b"long work"


@pytest.mark.parametrize("temporary", [".", "nowhere"])
def test_where_no_place_is_left_the_first_reason_is_told(
    temporary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / temporary))
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match=r"far/picture\.png could not be written \(No such file"):
        write_or_rescue(tmp_path / "far" / "picture.png", b"long work")
    assert list(tmp_path.iterdir()) == []
