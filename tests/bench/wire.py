"""A TCP proxy before the server's unix socket: it counts round trips, and can delay them."""

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Wire:
    """What went through since it was cleared."""

    port: int
    round_trips: int = 0
    """How often the client spoke after the server had, over all connections; those that connect count."""


def _forward(
    source: socket.socket, target: socket.socket, half_s: float, said: list[str], wire: Wire | None
) -> None:
    """Forward one direction; what arrives leaves half a round trip later, in order."""
    late: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def send() -> None:
        while True:
            due_s, data = late.get()
            if (left_s := due_s - time.monotonic()) > 0:
                time.sleep(left_s)
            try:
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
            except OSError:
                return

    if half_s:
        threading.Thread(target=send, daemon=True).start()
    while True:
        try:
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        if wire is not None and data != b"X\0\0\0\4" and data and said[0] == "server":
            wire.round_trips += 1
        if data:
            said[0] = "client" if wire is not None else "server"
        try:
            if half_s:
                late.put((time.monotonic() + half_s, data))
            elif data:
                target.sendall(data)
            else:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return
        if not data:
            return


@contextmanager
def proxied(socket_path: str, latency_s: float = 0.0) -> Iterator[Wire]:
    """Listen on a port of the loopback, and forward with a round trip that takes so long."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            server.connect(socket_path)
            said = ["server"]
            for source, target, counting in ((client, server, wire), (server, client, None)):
                threading.Thread(
                    target=_forward,
                    args=(source, target, latency_s / 2, said, counting),
                    daemon=True,
                ).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
