"""What a process gives up before it runs a student's code: capabilities, system calls, files.

Runs inside the bare interpreter of `netlab.grade.child`, so it imports nothing of netlab. Linux only; each layer says
whether it holds, and nothing claims more. An answer computes: it needs no process, socket, signal or shared memory.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS = 4, 22, 28, 38
SECURE_NOROOT_LOCKED = 3
SECCOMP_MODE_FILTER = 2
SECCOMP_ALLOW, SECCOMP_ERRNO = 0x7FFF0000, 0x00050000

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Numbers below 424 differ between the two architectures: (x86_64, aarch64); -1 where there is none.
REFUSED: dict[str, tuple[int, int]] = {
    # processes and signals: the supervisor, and everything else of the same user, stay out of reach
    "clone": (56, 220),
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "prlimit64": (302, 261),
    "setrlimit": (160, 164),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "sched_setparam": (142, 118),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # changes to files, beside opening one to write, which mounts or Landlock refuse
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, -1),
    "lchown": (94, -1),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "truncate": (76, 45),
    "rename": (82, -1),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "mkdir": (83, -1),
    "mkdirat": (258, 34),
    "rmdir": (84, -1),
    "link": (86, -1),
    "linkat": (265, 37),
    "symlink": (88, -1),
    "symlinkat": (266, 36),
    "unlink": (87, -1),
    "unlinkat": (263, 35),
    "mknod": (133, -1),
    "mknodat": (259, 33),
    # sockets
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    # memory that no resource limit counts
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "splice": (275, 76),
    "tee": (276, 77),
    "vmsplice": (278, 75),
    "userfaultfd": (323, 282),
    "io_setup": (206, 0),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    # what has been a way into the kernel before
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "personality": (135, 92),
    "inotify_init": (253, -1),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
}

REFUSED_EVERYWHERE = (
    *(424, 434, 438),  # pidfd_send_signal, pidfd_open, pidfd_getfd
    *(425, 426, 427),  # io_uring
    *range(428, 434),  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
    *(435, 442, 447, 452),  # clone3, mount_setattr, memfd_secret, fchmodat2
)
"""Since 424 a new system call has the same number on every architecture."""

_THREADS = {"clone", "clone3"}

_libc = ctypes.CDLL(None, use_errno=True)


def harden() -> None:
    """No capability, no way to gain one, and no reading of this process by others of its user."""
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _libc.prctl(PR_SET_SECUREBITS, SECURE_NOROOT_LOCKED, 0, 0, 0)  # user 0 is nobody special from here on
    header = struct.pack("=Ii", 0x20080522, 0)  # capability version 3, this thread
    _libc.capset(header, bytes(24))
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


# ---- system calls ---------------------------------------------------------------------------------


def refuse_calls(*, threads: bool) -> bool:
    """From now on the calls of the table fail with EPERM, here and in all descendants. False where that can't be."""
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        return False
    column = list(AUDIT_ARCH).index(machine)
    numbers = [pair[column] for name, pair in REFUSED.items() if not (threads and name in _THREADS)]
    numbers += [n for n in REFUSED_EVERYWHERE if not (threads and n == 435)]
    program = _program(AUDIT_ARCH[machine], sorted(n for n in numbers if n >= 0))
    buffer = ctypes.create_string_buffer(program, len(program))
    spec = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    return bool(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, spec, 0, 0) == 0)


def _program(arch: int, numbers: list[int]) -> bytes:
    """Classic BPF over (nr, arch): another architecture's calls and the listed ones are refused."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06

    def op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("=HBBI", code, yes, no, k)

    count = len(numbers)
    steps = [op(load, 4), op(equal, arch, 0, count + 3), op(load, 0), op(at_least, 0x40000000, count + 1)]
    steps += [op(equal, number, count - i) for i, number in enumerate(numbers)]
    steps += [op(give, SECCOMP_ALLOW), op(give, SECCOMP_ERRNO | errno.EPERM)]
    return b"".join(steps)


# ---- files ----------------------------------------------------------------------------------------

SYS_CREATE_RULESET, SYS_ADD_RULE, SYS_RESTRICT_SELF = 444, 445, 446
EXECUTE, READ_FILE, READ_DIR = 1, 4, 8
_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}


def refuse_files(readable: list[str], masks: list[str]) -> bool:
    """From now on only what lies below ``readable`` and not below ``masks`` can be read, and nothing written.

    Landlock, Linux 5.13; False where the kernel doesn't offer it. Names in a directory can still be listed.
    """
    version = _libc.syscall(SYS_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = struct.pack("=Q", _HANDLED[min(version, 5)])
    ruleset = _libc.syscall(SYS_CREATE_RULESET, handled, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    for path in readable:
        _allow(ruleset, path, READ_DIR)
        for part in _without(path, masks):
            _allow(ruleset, part, READ_FILE | EXECUTE)
    done = _libc.syscall(SYS_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(done == 0)


def _allow(ruleset: int, path: str, rights: int) -> None:
    if not os.path.isdir(path):
        rights &= EXECUTE | READ_FILE
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # nothing there to allow
    if rights:
        _libc.syscall(SYS_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, place), 0)
    os.close(place)


def _without(path: str, masks: list[str]) -> list[str]:
    """The largest trees below ``path`` that hold no mask."""
    if path in masks:
        return []
    if not any(mask.startswith(path + "/") for mask in masks):
        return [path]
    return [part for name in sorted(os.listdir(path)) for part in _without(os.path.join(path, name), masks)]
