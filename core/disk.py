"""A disk that takes no more, told from a defect of ours."""

from __future__ import annotations

import errno

from core.errors import Unavailable

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def no_room(error: BaseException) -> Unavailable | None:
    """What to answer, or to wait for, when this is an error of a disk that is full or read only; None for any other.

    >>> no_room(OSError(errno.ENOSPC, "No space left on device")).code
    'no_room'
    >>> no_room(OSError(errno.EIO, "Input/output error")) is None
    True
    """
    if not isinstance(error, OSError) or error.errno not in _NO_ROOM:
        return None
    return Unavailable(
        "There is no room on Querent's disk; its operator has to make some. Try again then.", code="no_room", retry_after_s=60
    )
