"""Opens what is a file, and nothing else: a FIFO may be waited for, and a device has no end."""

import errno
import os
import stat
from pathlib import Path


def open_regular(path: str | Path) -> tuple[int, int]:
    """Return a file descriptor to read from, and how many bytes the file has.

    Raises:
        OSError: it cannot be opened, or it is no regular file.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        os.close(file)
        if stat.S_ISDIR(about.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return file, about.st_size


def is_of_another(path: Path) -> bool:
    """Say whether a file belongs to somebody who is neither us, nor root, nor its folder's owner.

    Somebody else can have put it there where all may write, as in /tmp.

    Raises:
        OSError: it cannot be asked.
    """
    known = {0, os.geteuid(), path.parent.stat().st_uid}
    return path.stat().st_uid not in known
