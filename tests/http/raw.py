"""Sends bytes to a server, whether they are HTTP or not."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds, for a machine that is busy


def said(endpoint: str, *pieces: bytes, more: bool = False) -> bytes:
    """All that the server says before it closes the connection, or to one request.

    After the pieces nothing more comes, unless `more` is to come: then only the server can end it.
    """
    where = urlsplit(endpoint)
    with socket.create_connection((where.hostname, where.port), PATIENCE) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if not more:
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
