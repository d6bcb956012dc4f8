"""Files with people in them, which none but their owner may read."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

_OWNERS = 0o600


def open_private(path: Path) -> BinaryIO:
    """Open a file to write, empty: new, or there already, it is its owner's alone from now on.

    What is no file, such as /dev/null, stays as it is.

    Raises:
        OSError: it cannot be written, or is a symbolic link, which may lead anywhere.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    number = os.open(path, flags, _OWNERS)
    if stat.S_ISREG(os.fstat(number).st_mode):
        os.fchmod(number, _OWNERS)
    return os.fdopen(number, "wb")
