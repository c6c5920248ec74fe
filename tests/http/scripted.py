"""A server that answers each request with the bytes that it was told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import NamedTuple

PATIENCE = 60.0  # seconds, for a machine that is busy


class Answer(NamedTuple):
    """What goes out, piece by piece, and whether the connection is closed then."""

    pieces: Sequence[bytes]
    close: bool = False
    read_body: bool = True


def plain(body: bytes, *, close: bool = False) -> Answer:
    """An answer as servers give it; without a word about it if it closes."""
    return Answer([b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body], close)


class Scripted:
    """Answers are used up in the order of the requests, on whichever connection they come."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.connections: list[socket.socket] = []
        self.ended = threading.Semaphore(0)  # once for each connection that the client ended
        self.read_on = threading.Event()  # what was left unread is read from then on
        self._threads[0].start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *error: object) -> None:
        self.read_on.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        for connection in self.connections:
            _shut(connection)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (head := self._head(connection)) is not None:
                    answer = next(self._answers)
                    self.requests.append(head + self._body(connection, head, answer.read_body))
                    for piece in answer.pieces:
                        connection.sendall(piece)
                    if answer.close:
                        return
                    if not answer.read_body:
                        self.read_on.wait()
                        while connection.recv(1 << 20):
                            pass
            except OSError:
                pass
            self.ended.release()

    @staticmethod
    def _head(connection: socket.socket) -> bytes | None:
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                return None
            head += byte
        return bytes(head)

    @staticmethod
    def _body(connection: socket.socket, head: bytes, wanted: bool) -> bytes:
        if not wanted or b"content-length: " not in head:
            return b""
        left = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        body = bytearray()
        while len(body) < left:
            body += connection.recv(left - len(body))
        return bytes(body)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        connection.shutdown(socket.SHUT_RDWR)
