"""Writing to disk so that a file is the old one or the new one, never half of either."""

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path

from nst_core.errors import RunError


def check_writable(path: Path, *, sources: Iterable[object] = ()) -> None:
    """RunError unless a file can be put at `path`; ask before an hour's work, not after it.

    sources: what the work begins from; those that are paths must not be overwritten.
    """
    refusal = RunError(f"{path} cannot be written; choose another name or folder.")
    try:
        folder = _target(path).parent
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null character in it, links in a ring
        raise refusal from error
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder}; make it first, or write somewhere else.")
    if path.is_dir() or not os.access(path if _is_special(path) else folder, os.W_OK):
        raise refusal
    for source in sources:
        if isinstance(source, str | os.PathLike) and _same_file(path, Path(source)):
            raise RunError(f"{path} is a picture to start from; write to another name.")


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path` by way of a temporary file beside it; RunError says why it cannot.

    A link is followed. What is no file, as a pipe, is written to: it cannot be replaced.
    """
    try:
        if _is_special(path):
            path.write_bytes(data)
        else:
            _replace(_target(path), data)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"{path} could not be written ({reason}); choose another place.") from error


def write_or_rescue(path: Path, data: bytes) -> str:
    """`write_atomically`, or what went wrong in a sentence that names the new folder that has the file now.

    For what took long to make: its place may have gone, or be full by now. RunError where no place is left.
    """
    try:
        write_atomically(path, data)
    except RunError as error:
        rescued = _rescue(path.name, data)
        if rescued is None:
            raise
        return f"{str(error).partition(';')[0]}; it is in {rescued}."
    return ""


def _rescue(name: str, data: bytes) -> Path | None:
    """Where the file is now, in a temporary folder of its own; None where it cannot be."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="nst-"))
    except OSError:
        return None
    try:
        write_atomically(folder / name, data)
    except RunError:
        folder.rmdir()
        return None
    return folder / name


def _replace(path: Path, data: bytes) -> None:
    temporary = None
    try:
        # Not named after `path`, whose name may be as long as names can be.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".nst-", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp's file is for its owner alone; a result is an ordinary file.
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    finally:
        # There is none left after the move; there is one after an error and after Ctrl-C.
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """Where a link leads, else the path as it is; OSError, ValueError or RuntimeError where it is none."""
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return path
    return path.resolve() if stat.S_ISLNK(kind) else path


def _is_special(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # there is but one, or none
        return False


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
