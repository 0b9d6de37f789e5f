"""Commands in back-ticks: sysctls set knobs, listings of sockets are answered from our own tables, and so is grep.

Everything else is refused by name: nothing of a script is ever run by a shell.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from netlab.packetdrill.script import Refused
from netlab.packetdrill.sysctls import set_knob
from netlab.packetdrill.world import World

BSD_STATES = (
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RCVD",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT_1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT_2",
    "TIME_WAIT",
)


class CommandFailed(Exception):
    """A command ended with an exit code that is not 0."""


def run(world: World, text: str) -> None:
    """Do what a command line asks; CommandFailed when its last command fails, Refused for what is not known here."""
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"\$\(\(([\d\s*+()]+)\)\)", _computed, text)
    for line in re.split(r"[\n;]|&&", text):
        line = line.strip().removeprefix("sudo ")
        if line and not line.startswith("#"):
            _pipeline(world, line)


def _computed(match: re.Match[str]) -> str:
    """``$((15*1024*1024))``: a product or a sum of numbers."""
    total = 0
    for term in match[1].replace(" ", "").split("+"):
        product = 1
        for factor in term.strip("()").split("*"):
            product *= int(factor)
        total += product
    return str(total)


def _pipeline(world: World, line: str) -> None:
    stages = [_words(part) for part in _split_pipes(line)]
    name = stages[0][0].rsplit("/", 1)[-1]
    source = _nothing if name.startswith("sysctl_restore") else SOURCES.get(name)
    if source is None:
        raise Refused(f"the command `{line}`")
    if name == "nstat" and len(stages) > 1:
        raise Refused(f"the kernel's counters (`{line}`)")
    lines = source(world, stages[0][1:], line)
    ok = True
    for words in stages[1:]:
        lines, ok = _filter(words, lines, line)
    if not ok:
        raise CommandFailed(f"`{line}` finds nothing")


def _split_pipes(line: str) -> list[str]:
    parts: list[str] = [""]
    quote = ""
    for letter in line:
        if letter in "'\"":
            quote = "" if quote == letter else quote or letter
        if letter == "|" and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _words(part: str) -> list[str]:
    try:
        words = shlex.split(part)
    except ValueError:
        raise Refused(f"the command `{part}`") from None
    for i in reversed(range(len(words))):
        if re.fullmatch(r"[12&]?>{1,2}", words[i]):
            del words[i : i + 2]
    words = [w for w in words if not re.fullmatch(r"[12&]?>.*", w)]
    if not words:
        raise Refused("an empty command in a pipe")
    return words


# ---- sources -------------------------------------------------------------------------------------


def _sysctl(world: World, words: list[str], line: str) -> list[str]:
    for word in words:
        if word.startswith("-"):
            continue
        name, is_set, value = word.partition("=")
        if not is_set:
            # To print a value tells nobody anything here, and what it would be piped to is refused.
            continue
        set_knob(world.layer, name, value)
    return []


def _set_sysctls(world: World, words: list[str], line: str) -> list[str]:
    """``set_sysctls.py /proc/sys/net/ipv4/tcp_x=1``: Google's own tool."""
    for word in words:
        path, _, value = word.partition("=")
        set_knob(world.layer, path.removeprefix("/proc/sys/").replace("/", "."), value)
    return []


def _sockets(world: World, words: list[str], line: str) -> list[str]:
    """One line for each connection and listener, with the words that sockstat, netstat and ss use."""
    port = words[words.index("-p") + 1] if "-p" in words and words.index("-p") + 1 < len(words) else ""
    held = world.owned()
    lines = [_row(world, pair.local_port, pair.remote_port, state, "packetdril") for pair, state in held]
    for pair, endpoint in world.layer.endpoints.items():
        if all(pair != other for other, _ in held):
            lines.append(_row(world, pair.local_port, pair.remote_port, endpoint.connection.state, "?"))
    if port.isdigit():
        lines = [text for text in lines if re.search(rf":{port}\b", text)]
    return lines


def _row(world: World, local: int, remote: int, state: int, owner: str) -> str:
    return f"root {owner} 1 3 tcp{world.version} local:{local} remote:{remote} {BSD_STATES[state]}"


def _tcpdrop(world: World, words: list[str], line: str) -> list[str]:
    """``tcpdrop -s STATE`` and ``tcpdrop -a``: reset connections from outside."""
    wanted = words[words.index("-s") + 1] if "-s" in words[:-1] else ""
    if not wanted and "-a" not in words:
        raise Refused(f"the command `{line}` (only -a and -s are known)")
    for endpoint in list(world.layer.endpoints.values()):
        if not wanted or BSD_STATES[endpoint.connection.state] == wanted:
            world.follow(world.layer.done(endpoint, endpoint.connection.abort(world.now)))
    return []


def _nothing(world: World, words: list[str], line: str) -> list[str]:
    if words and line.startswith("sleep"):
        raise Refused("the command `sleep`: time is virtual, and belongs to the script")
    return []


DEFAULTS = {
    "tcp_rmem": "4096 540000 15728640",
    "tcp_wmem": "4096 262144 4194304",
    "tcp_syn_retries": "5",
    "tcp_ecn": "0",
    "tcp_fastopen": "3",
    "tcp_syncookies": "1",
}
"""Where the settings that scripts for Linux begin with differ from Linux's own."""


def _defaults(world: World, words: list[str], line: str) -> list[str]:
    """``defaults.sh``: the settings that scripts for Linux begin with."""
    for name, value in DEFAULTS.items():
        set_knob(world.layer, f"net.ipv4.{name}", value)
    return []


SOURCES: dict[str, Callable[[World, list[str], str], list[str]]] = {
    "sysctl": _sysctl,
    "set_sysctls.py": _set_sysctls,
    "sockstat": _sockets,
    "netstat": _sockets,
    "tcpdrop": _tcpdrop,
    "ss": _sockets,
    "defaults.sh": _defaults,
    "sleep": _nothing,
    **dict.fromkeys(
        # modules, counters, offload and queues of an interface that is not there: nothing of it changes a segment here
        ("true", ":", "echo", "kldload", "kldunload", "kldstat", "modprobe", "sync", "uname", "tc", "ethtool", "nstat"),
        _nothing,
    ),
}


# ---- filters -------------------------------------------------------------------------------------


def _filter(words: list[str], lines: list[str], line: str) -> tuple[list[str], bool]:
    """grep, wc and the like; whether the command's exit code is 0."""
    name, rest = words[0], words[1:]
    if name in ("grep", "egrep", "fgrep"):
        return _grep(rest, lines)
    if name == "wc" and rest == ["-l"]:
        return [str(len(lines))], True
    if name in ("head", "tail", "sort", "cat", "uniq"):
        return lines, True
    raise Refused(f"the command `{name}` in `{line}`")


def _grep(words: list[str], lines: list[str]) -> tuple[list[str], bool]:
    flags = "".join(w[1:] for w in words if w.startswith("-"))
    patterns = [w for w in words if not w.startswith("-")]
    if len(patterns) != 1:
        raise Refused(f"grep with {len(patterns)} patterns")
    ignore = re.IGNORECASE if "i" in flags else 0
    found = [text for text in lines if bool(re.search(patterns[0], text, ignore)) != ("v" in flags)]
    if "c" in flags:
        return [str(len(found))], bool(found)
    return ([] if "q" in flags else found), bool(found)
