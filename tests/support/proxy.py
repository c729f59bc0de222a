"""A TCP proxy before a server's unix socket: it keeps every message, and can fail at any of them."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum


class When(Enum):
    """Where in a message and its answer a fault strikes."""

    BEFORE = "before the message"
    MIDDLE = "in the middle of the message"
    AFTER = "after the message was sent"
    ANSWER = "in the middle of the answer"
    SILENT = "after the server has answered, before the answer arrives"


@dataclass
class Fault:
    """Something that goes wrong once, at one message of the client."""

    at: int
    """The number of the message, from 0, over all connections."""
    when: When
    act: Callable[[], None] = lambda: None
    """What happens besides the connection being cut."""
    cuts: bool = True
    """False: the message, or its answer, is held back while that happens, and then goes on."""
    text: str = ""
    """The message is the first one that holds this, where it is given, whatever its number."""
    struck: threading.Event = field(default_factory=threading.Event)


@dataclass
class Recorded:
    """What went through: connections, and the text of each simple query.

    While it is frozen nothing goes through, and every socket stays open: so is a network that has
    gone away, or a pooler that hangs.
    """

    port: int = 0
    connections: int = 0
    queries: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    messages: int = 0
    fault: Fault | None = None
    largest: int = 1 << 30
    """At a message longer than that it freezes, and its sender soon finds no room."""
    frozen: threading.Event = field(default_factory=threading.Event)
    thawed: threading.Event = field(default_factory=threading.Event)

    def freeze(self) -> None:
        self.frozen.set()

    def hold(self) -> None:
        """Stay where it is while the proxy is frozen."""
        if self.frozen.is_set():
            self.thawed.wait()

    def due(self, number: int, body: bytes) -> Fault | None:
        """The fault, if this is its message."""
        fault = self.fault
        if fault is None or fault.struck.is_set():
            return None
        is_its = fault.text.encode() in body if fault.text else fault.at == number
        return fault if is_its else None

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
        recorded.hold()
        while True:  # the startup packets have no type byte; SSL and GSS are refused by the server
            length = _read(client, 4)
            body = _read(client, struct.unpack("!I", length)[0] - 4)
            server.sendall(length + body)
            if struct.unpack("!I", body[:4])[0] == 196608 or struct.unpack("!H", body[:2])[0] == 3:
                break
        while True:
            recorded.hold()
            head = _read(client, 5)
            size = struct.unpack("!I", head[1:])[0] - 4
            if size > recorded.largest:
                recorded.freeze()
            recorded.hold()
            body = _read(client, size)
            kind = chr(head[0])
            if kind == "Q":
                recorded.queries.append(body[:-1].decode())
            elif kind not in "pX":
                recorded.other.append(kind)
            number = recorded.messages
            recorded.messages += kind in "QPBDES"
            if kind in "QPBDES" and (fault := recorded.due(number, body)):
                _strike(fault, head + body, client, server)
            else:
                recorded.hold()
                server.sendall(head + body)
    except OSError:
        _cut(server)


def _strike(fault: Fault, message: bytes, client: socket.socket, server: socket.socket) -> None:
    sent = {When.BEFORE: 0, When.MIDDLE: len(message) // 2}.get(fault.when, len(message))
    if fault.when in {When.ANSWER, When.SILENT}:
        # The other thread reads the answer: it finds the fault in its way.
        _ARMED[client] = fault
    is_held = not fault.cuts and fault.when is When.BEFORE
    if is_held:
        fault.struck.set()
        fault.act()
    server.sendall(message if is_held else message[:sent])
    if not is_held and fault.when not in {When.ANSWER, When.SILENT}:
        fault.struck.set()
        fault.act()
        _cut(client, server)
        raise ConnectionError


_ARMED: dict[socket.socket, Fault] = {}


def _cut(*sockets: socket.socket) -> None:
    for end in sockets:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _forward_server(server: socket.socket, client: socket.socket, recorded: Recorded) -> None:
    try:
        while data := server.recv(65536):
            recorded.hold()
            fault = _ARMED.pop(client, None)
            if fault and not fault.cuts:
                fault.struck.set()
                fault.act()
            elif fault:
                client.sendall(data[: len(data) // 2 if fault.when is When.ANSWER else 0])
                fault.struck.set()
                fault.act()
                _cut(client, server)
                return
            client.sendall(data)
    except OSError:
        pass
    _cut(client)


@contextmanager
def recording(socket_path: str, port: int = 0) -> Iterator[Recorded]:
    """Listen on a port of the loopback (0: a free one) and forward to a unix socket."""
    listener = socket.create_server(("127.0.0.1", port))
    recorded = Recorded(port=listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            recorded.connections += 1
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(socket_path)
            except OSError:  # the server is down: so is its port
                _cut(client, server)
                continue
            threads = (
                threading.Thread(
                    target=_forward_client, args=(client, server, recorded), daemon=True
                ),
                threading.Thread(
                    target=_forward_server, args=(server, client, recorded), daemon=True
                ),
            )
            for thread in threads:
                thread.start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield recorded
    finally:
        recorded.frozen.clear()
        recorded.thawed.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
