"""Why no connection came about, in words that say what to do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator


def why_not(error: BaseException, who: str) -> str:
    """who: as in 'receiver' or 'mail server'. Shown to the channel's owner: names no address.

    >>> why_not(socket.gaierror(-2, "Name or service not known"), "mail server")
    "The mail server's name is not known. Check its address for a typing error."
    """
    for cause in _chain(error):
        if isinstance(cause, socket.gaierror):
            return f"The {who}'s name is not known. Check its address for a typing error."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The {who}'s certificate is not valid for its address or not from a known authority. Renew it, or correct the address."
        if isinstance(cause, ssl.SSLError):
            return f"No secure connection with the {who}. Check whether its port speaks TLS (https)."
        if isinstance(cause, ConnectionRefusedError):
            return f"Nothing listens at the {who}'s address. Check the port, and that it runs."
        if isinstance(cause, TimeoutError):
            return f"The {who} did not answer in time. Check that it runs and that a firewall lets Querent reach it."
        if isinstance(cause, ConnectionError):
            return f"The {who} broke the connection off. Look into its own log."
    return f"No connection to the {who}. Check its address, and that it runs."


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, at most ten."""
    found: BaseException | None = error
    for _ in range(10):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__
