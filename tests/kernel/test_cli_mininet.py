"""`nlab up` and `nlab exec` on a real network: two terminals, one network, nothing left afterwards."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from netlab.cli.findings import mininet, worlds

NLAB = [sys.executable, "-m", "netlab.cli.main"]


@pytest.fixture(scope="module", autouse=True)
def mininet_world() -> None:
    if not worlds(mininet())["mininet"]:
        pytest.skip("what 'nlab doctor --backend mininet' asks for makes this run")


@pytest.fixture
def own_runs(tmp_path: Path) -> dict[str, str]:
    """An environment in which the networks of other tests are not seen."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    return {**os.environ, "XDG_RUNTIME_DIR": str(folder)}


class Up:
    """A network in a first terminal, by its standard input and output."""

    def __init__(self, network: str, environment: dict[str, str]) -> None:
        self.environment = environment
        command = [*NLAB, "up", network, "--backend", "mininet"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdin and self.process.stdout
        self.keys: IO[str] = self.process.stdin
        self.screen: IO[str] = self.process.stdout
        self.first = self.screen.readline()

    def exec(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command from a second terminal."""
        command = [*NLAB, "exec", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=self.environment)

    def exit(self) -> str:
        """Leave the prompt; what else was on the screen."""
        self.keys.close()
        rest = self.screen.read()
        self.screen.close()
        assert self.process.wait(timeout=30) == 0
        return rest


@pytest.fixture
def up(own_runs: dict[str, str]) -> Iterator[Up]:
    """A line with one router, up."""
    network = Up("line,1", own_runs)
    yield network
    if network.process.poll() is None:
        network.process.terminate()
        network.process.wait(timeout=30)
    network.keys.close()
    network.screen.close()


def test_a_second_terminal_runs_commands_with_their_own_exit_codes(up: Up) -> None:
    assert up.first == "line is up in mininet: 2 hosts, 1 router, 2 links\n"
    done = up.exec("h1", "--", "ping", "-c", "1", "10.0.2.1")
    assert done.returncode == 0 and "1 received" in done.stdout
    assert up.exec("h1", "sh", "-c", "echo out; echo err >&2; exit 7").returncode == 7
    done = up.exec("r1", "--", "sh", "-c", "echo err >&2; kill -9 $$")
    assert (done.returncode, done.stdout, done.stderr) == (137, "", "err\n")
    up.exit()


def test_what_is_not_up_is_bad_input(up: Up) -> None:
    done = up.exec("h9", "--", "true")
    assert done.returncode == 2 and "no network with a node 'h9' is up; networks that are up: " in done.stderr
    done = up.exec("--network", "nowhere", "h1", "--", "true")
    assert done.returncode == 2 and "no network 'nowhere'" in done.stderr
    done = up.exec("h1", "--", "no-such-command-here")
    assert done.returncode in (2, 3, 127) and "no-such-command-here" in done.stderr
    up.exit()
    done = up.exec("h1", "--", "true")
    assert done.returncode == 2 and "--backend mininet'; in a simulated one no command can run" in done.stderr


def test_an_interrupt_goes_to_the_command_which_has_the_last_word(up: Up) -> None:
    command = [*NLAB, "exec", "h1", "--", "ping", "-i", "0.2", "10.0.2.1"]
    ping = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=up.environment)
    assert ping.stdout
    while "icmp_seq=2" not in ping.stdout.readline():
        assert ping.poll() is None
    ping.send_signal(signal.SIGINT)
    said = ping.stdout.read()
    ping.stdout.close()
    assert ping.wait(timeout=20) == 0
    assert "0% packet loss" in said
    up.exit()


def test_a_terminal_is_a_terminal_inside_as_well(up: Up) -> None:
    ours, theirs = pty.openpty()
    command = [*NLAB, "exec", "h1", "--", "sh", "-c", "test -t 0 && test -t 1 && echo it is"]
    shell = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=up.environment)
    os.close(theirs)
    assert shell.wait(timeout=30) == 0
    assert os.read(ours, 100) == b"it is\r\n"
    os.close(ours)
    up.exit()


def test_a_shell_at_the_prompt_has_a_terminal_and_so_job_control(own_runs: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    command = [*NLAB, "up", "pair", "--backend", "mininet"]
    network = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=own_runs)
    os.close(theirs)
    screen = _typed(ours, "pair> ", "h1 bash --norc -i\n")
    screen += _typed(ours, "$ " if os.getuid() else "# ", "case $- in *m*) echo jobs are $((40 + 2));; esac; exit 7\n")
    screen += _typed(ours, "pair> ", "exit\n")
    assert network.wait(timeout=30) == 0
    os.close(ours)
    assert "jobs are 42" in screen and "(exit code 7)" in screen
    assert "no job control" not in screen


def _typed(terminal: int, prompt: str, keys: str) -> str:
    """Wait for the prompt, then type; what was on the screen until then."""
    screen = ""
    while not screen.endswith(prompt):
        screen += os.read(terminal, 4096).decode()
    os.write(terminal, keys.encode())
    return screen


def test_lines_that_are_piped_in_run_on_the_nodes_and_are_not_eaten_by_them(up: Up) -> None:
    up.keys.write("h1 cat\nh1 ping -c 1 h2\nh1 false\npackets\n")
    said = up.exit()
    assert "1 received" in said
    assert "(exit code 1)" in said
    assert "h1 → r1 → h2" in said


def test_clean_leaves_what_is_up_alone(up: Up) -> None:
    done = subprocess.run([*NLAB, "clean"], capture_output=True, text=True, timeout=60, env=up.environment)
    assert done.returncode == 0
    assert "run folders: nothing to sweep" in done.stdout
    assert "still up, and left alone: " in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" nodes)")
    assert up.exec("h1", "--", "true").returncode == 0
    up.exit()


def test_clean_sweeps_the_folder_of_a_network_whose_keeper_was_killed(own_runs: dict[str, str]) -> None:
    dead = Path(own_runs["XDG_RUNTIME_DIR"]) / "netlab" / "1-1-zz"
    dead.mkdir(parents=True, mode=0o700)
    dead.parent.chmod(0o700)
    about = {"folder": str(dead), "keeper": 1, "keeper_start": 1, "owner": 1, "owner_start": 1, "suffix": "zz"}
    (dead / "run.json").write_text(json.dumps({**about, "plan": "pair", "nodes": ["h1"]}))
    done = subprocess.run([*NLAB, "clean", "--json"], capture_output=True, text=True, timeout=60, env=own_runs)
    assert json.loads(done.stdout)["run folders"] == ["1-1-zz"]
    assert not dead.exists()


def test_doctor_and_the_topologies_agree_that_mininet_works() -> None:
    done = subprocess.run([*NLAB, "doctor", "--backend", "mininet"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "mininet: works" in done.stdout
    shipped = ["pair", "line", "star", "dumbbell"]
    command = [*NLAB, "topo", "check", *shipped, "--backend", "mininet"]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0
