"""Sends bytes to a server, whether they are HTTP or not."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds, for a machine that is busy


def said(endpoint: str, *pieces: bytes, cut: bool = False) -> bytes:
    """All that the server says before it closes the connection.

    It does so when it refuses, or after the request that asks it to; or else when the client does,
    who is not waiting for an answer if it `cut`s the request.
    """
    where = urlsplit(endpoint)
    with socket.create_connection((where.hostname, where.port), PATIENCE) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if cut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was closed already; what it said may still be read
        found = []
        try:
            while piece := connection.recv(1 << 16):
                found.append(piece)
        except ConnectionError:
            pass
        return b"".join(found)


def statuses(answer: bytes) -> list[int]:
    """The statuses of the answers in it."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
