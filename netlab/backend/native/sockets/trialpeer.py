"""The kernel's end of a trial (see `trial`): `python trialpeer.py ADDRESS PORT`, with the standard library alone.

The first byte of a connection says what it is for: s takes all and then says k, p pours as many bytes as eight digits
say, e sends back what comes.
"""

from __future__ import annotations

import socket
import sys


def visit(connection: socket.socket) -> None:
    """One connection, to its end."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    asked = connection.recv(1)
    if asked == b"s":
        buffer = bytearray(1 << 20)
        while connection.recv_into(buffer):
            pass
        connection.sendall(b"k")
    elif asked == b"p":
        connection.sendall(bytes(int(connection.recv(10, socket.MSG_WAITALL))))
    else:
        while data := connection.recv(100):
            connection.sendall(data)


def main(argv: list[str]) -> None:
    """Serve one connection after the other, until killed."""
    with socket.create_server((argv[0], int(argv[1]))) as server:
        print("ready", flush=True)
        while True:
            with server.accept()[0] as connection:
                visit(connection)


if __name__ == "__main__":
    main(sys.argv[1:])
