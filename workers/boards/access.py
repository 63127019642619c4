"""Who may see and change a board: its owner and admins everything; roles what the owner shared with them."""

from __future__ import annotations

from core.errors import Forbidden, NotFound
from core.principal import Principal, Role
from core.store.boards import StoredBoard


def owns(caller: Principal, board: StoredBoard) -> bool:
    return caller.user == board.owner or caller.has_role(Role.ADMIN)


def may_edit(caller: Principal, board: StoredBoard) -> bool:
    return owns(caller, board) or any(board.sharing.get(role) == "edit" for role in caller.role_names)


def may_see(caller: Principal, board: StoredBoard) -> bool:
    return owns(caller, board) or any(role in board.sharing for role in caller.role_names)


def seen(caller: Principal, board: StoredBoard) -> StoredBoard:
    """Raises: NotFound, as if the board were not there."""
    if board.tenant != caller.tenant or not may_see(caller, board):
        raise NotFound(f"There is no board {board.id[:60]!r}.", code="unknown_board")
    return board


def editable(caller: Principal, board: StoredBoard) -> StoredBoard:
    """Raises: NotFound; Forbidden for who may only look."""
    if not may_edit(caller, seen(caller, board)):
        raise Forbidden("You may look at this board, not change it. Ask its owner, or copy it.", code="board_read_only")
    return board


def owned(caller: Principal, board: StoredBoard) -> StoredBoard:
    """Raises: NotFound; Forbidden."""
    if not owns(caller, seen(caller, board)):
        raise Forbidden("Only the owner of this board and admins can do this.", code="not_owner")
    return board
