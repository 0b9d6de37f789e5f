"""`nlab stack serve`: the files of a folder by HTTP, from our own stack on a device of the kernel."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from netlab.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from netlab.backend.native.sockets import LiveStack

EXAMPLE = "nlab exec h1 -- nlab stack serve h1-eth0 10.0.1.77/24"


def arguments(parser: ArgumentParser) -> None:
    """The options."""
    parser.add_argument("device", help="a device of the kernel in this network namespace, as h1-eth0")
    parser.add_argument("address", help="the stack's own address on it, with its prefix length, as 10.0.1.77/24")
    parser.add_argument("--gateway", default="", metavar="ADDRESS", help="the router to everywhere else")
    parser.add_argument("--folder", type=Path, default=Path(), help="whose files are served; this one if not given")
    parser.add_argument("--port", type=int, default=80, help="80 if not given")
    parser.add_argument(
        "--no-offload", action="store_true", help="cut and sum every segment in Python, and see what it costs"
    )


class Folder(Mapping[str, bytes]):
    """The files of a folder by their paths, as "/" and a name; a folder's is its index.html."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def _file(self, path: str) -> Path | None:
        from urllib.parse import unquote

        found = (self.root / unquote(path).lstrip("/")).resolve()
        found = found / "index.html" if found.is_dir() else found
        return found if found.is_relative_to(self.root) and found.is_file() else None

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._file(path) is not None

    def __getitem__(self, path: str) -> bytes:
        found = self._file(path)
        if found is None:
            raise KeyError(path)
        return found.read_bytes()

    def __iter__(self) -> Iterator[str]:
        return (f"/{file.relative_to(self.root)}" for file in self.root.rglob("*") if file.is_file())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def run(options: Namespace) -> int:
    """0, when it is interrupted."""
    import sys

    if sys.platform != "linux":
        raise Unavailable("devices of the kernel are taken on Linux only")
    if not options.folder.is_dir():
        raise BadInput(f"'{options.folder}' is no folder")
    from netlab.backend.native.sockets import LiveStack

    try:
        stack = LiveStack.on(
            options.device,
            options.address,
            gateway=options.gateway,
            offload=not options.no_offload,
            name=options.device,
        )
    except PermissionError as error:
        raise Unavailable(f"{options.device} cannot be taken ({error.strerror})", right="run it as root") from error
    with stack:
        return _serve(stack, options)


def _serve(stack: LiveStack, options: Namespace) -> int:
    from netlab.backend.native.sockets.apps import answering, serve
    from netlab.workload.http import Pages

    class Spoken(Pages):
        def answer(self, request: bytes) -> tuple[bytes, bool]:
            found = super().answer(request)
            print(*self.served.pop(), flush=True)
            return found

    with stack.create_server(("", options.port)) as server:
        where = options.address.partition("/")[0]
        print(f"http://{where}:{options.port}/ on {options.device}, by a stack in Python; Ctrl-C ends it", flush=True)
        try:
            serve(server, answering(Spoken(Folder(options.folder)))).join()
        except KeyboardInterrupt:
            print()
    return 0
