"""A cell of Linux namespaces, made with nothing but libc: for machines where bubblewrap is not installed.

Runs inside the bare interpreter of `netlab.grade.child`, so it imports nothing of netlab. The cell has no network,
no processes but its own, and a file system of a few read-only trees (`netlab.grade.layout` says which).
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 4096, 16384, 1 << 18
MNT_DETACH = 2
SYS_MOUNT_SETATTR = 442  # the same number on every architecture (Linux 5.12)
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID = 1, 2
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}

_libc = ctypes.CDLL(None, use_errno=True)


def enter(plan: dict[str, Any]) -> None:
    """Put this process into a new cell; returns in its first process, and exits with that one's code in the old one."""
    uid, gid = os.getuid(), os.getgid()
    spaces = NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWCGROUP
    _check(_libc.unshare(spaces | (NEWUSER if uid else 0)), "unshare")
    if uid:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    child = os.fork()
    if child:
        _pass_on(child)
    _build_root(plan["entries"], plan["masks"])


def _pass_on(child: int) -> None:
    """Be the messenger of the cell's first process: hold none of its pipes, exit as it exits."""
    os.closerange(0, 256)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _build_root(entries: list[tuple[str, str]], masks: list[str]) -> None:
    """Swap the file system for one that holds only ``entries``: (path, "") is bound, (path, target) a symbolic link."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    os.mkdir("/tmp/.old", 0o700)
    os.chdir("/tmp")
    _check(_libc.syscall(SYS_PIVOT_ROOT[platform.machine()], b".", b".old"), "pivot_root")
    os.chdir("/")
    for path, target in entries:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        if target:
            os.symlink(target, path)
        else:
            _bind("/.old" + path, path)
    for path in masks:
        _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k,mode=755")
    _check(_libc.umount2(b"/.old", MNT_DETACH), "umount2")
    os.rmdir("/.old")
    _make_read_only()
    _libc.sethostname(b"sandbox", 7)


def _bind(source: str, path: str) -> None:
    if os.path.isdir(source):
        os.mkdir(path)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(source, path, None, MS_BIND | MS_REC)


def _make_read_only() -> None:
    """Every mount of the cell read-only, those below the bound trees too."""

    class Attributes(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns_fd")]

    wanted = Attributes(ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(wanted))
    done = _libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(wanted), size)
    _check(done, "mount_setattr")


def _mount(source: str, path: str, kind: str | None, flags: int, options: str = "") -> None:
    fields = [None if text is None else os.fsencode(text) for text in (source, path, kind)]
    _check(_libc.mount(*fields, ctypes.c_ulong(flags), options.encode() or None), f"mount {path}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
