"""A TCP proxy before a server's unix socket that keeps every message the client sends."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Recorded:
    """What went through: connections, and the text of each simple query."""

    port: int = 0
    connections: int = 0
    queries: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def clear(self) -> None:
        self.connections = 0
        self.queries.clear()
        self.other.clear()


def _read(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = source.recv(size - len(data))
        if not chunk:
            raise ConnectionError
        data += chunk
    return data


def _forward_client(client: socket.socket, server: socket.socket, recorded: Recorded) -> None:
    try:
        while True:  # the startup packets have no type byte; SSL and GSS are refused by the server
            size = _read(client, 4)
            body = _read(client, struct.unpack("!I", size)[0] - 4)
            server.sendall(size + body)
            if struct.unpack("!I", body[:4])[0] == 196608 or struct.unpack("!H", body[:2])[0] == 3:
                break
        while True:
            head = _read(client, 5)
            body = _read(client, struct.unpack("!I", head[1:])[0] - 4)
            kind = chr(head[0])
            if kind == "Q":
                recorded.queries.append(body[:-1].decode())
            elif kind not in "pX":
                recorded.other.append(kind)
            server.sendall(head + body)
    except OSError:
        server.close()


def _forward_server(server: socket.socket, client: socket.socket) -> None:
    try:
        while data := server.recv(65536):
            client.sendall(data)
    except OSError:
        pass
    client.close()


@contextmanager
def recording(socket_path: str) -> Iterator[Recorded]:
    """Listen on a free port of the loopback and forward to a unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    recorded = Recorded(port=listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            recorded.connections += 1
            server = socket.socket(socket.AF_UNIX)
            server.connect(socket_path)
            threads = (
                threading.Thread(
                    target=_forward_client, args=(client, server, recorded), daemon=True
                ),
                threading.Thread(target=_forward_server, args=(server, client), daemon=True),
            )
            for thread in threads:
                thread.start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield recorded
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
