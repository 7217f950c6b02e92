"""Writing to disk so that a file is the old one or the new one, never half of either."""

import os
import tempfile
from pathlib import Path

from nst_core.errors import RunError


def check_writable(path: Path) -> None:
    """RunError unless a file can be put at `path`; ask before an hour's work, not after it."""
    folder = path.parent
    if not folder.is_dir():
        raise RunError(f"There is no folder {folder}; make it first, or write somewhere else.")
    if path.is_dir() or not os.access(folder, os.W_OK):
        raise RunError(f"{path} cannot be written; choose another name or folder.")


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path` by way of a temporary file beside it; RunError says why it cannot."""
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
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"{path} could not be written ({reason}); choose another place.") from error
    finally:
        # There is none left after the move; there is one after an error and after Ctrl-C.
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
