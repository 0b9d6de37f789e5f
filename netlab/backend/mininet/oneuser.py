"""Runs a program that wants to become another user in a namespace that has one user only: `oneuser.py PROGRAM ARGS…`.

An ordinary user's arena maps him to root and nobody else, so tcpdump, which as root goes on as its own user, ends with
"Operation not permitted". A seccomp filter answers "done" to such system calls instead, for this program alone.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

_CALLS = {
    "x86_64": (0xC000003E, (105, 106, 113, 114, 116, 117, 119)),
    "aarch64": (0xC00000B7, (143, 144, 145, 146, 147, 149, 159)),
}
"""AUDIT_ARCH, and the numbers of setuid, setgid, setreuid, setregid, setresuid, setresgid and setgroups."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ANSWER_DONE = 0x7FFF0000, 0x00050000
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2


def program(arch: int, calls: tuple[int, ...]) -> bytes:
    """The filter, as struct sock_filter: of this architecture and one of these calls: done, else allowed."""
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(calls) + 1, arch), (_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, len(calls) - i, 0, call) for i, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ANSWER_DONE)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def main(argv: list[str]) -> None:
    """Install the filter where we know the machine's numbers, and become the program."""
    known = _CALLS.get(os.uname().machine)
    if known is not None:
        code = program(*known)
        buffer = ctypes.create_string_buffer(code, len(code))
        fprog = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
        ctypes.CDLL(None).prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, fprog, 0, 0)
    os.execv(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
