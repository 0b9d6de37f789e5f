"""A student's variant depends on lab, student and secret, and on nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

from netlab.lab.variant import PUBLIC, hidden_seeds, stream

PROGRAM = (
    "from netlab.lab.variant import stream\n"
    "numbers = stream('01-packet-path', 'ada', b'secret', 'variant')\n"
    "print([numbers.randrange(1000) for _ in range(5)], numbers.sample(range(100), 5))\n"
)


def test_the_numbers_are_the_same_in_every_process_and_for_every_hash_seed() -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert printed == {"[492, 721, 503, 389, 420] [33, 71, 27, 82, 1]\n"}


def test_each_of_lab_student_secret_and_purpose_matters() -> None:
    ways = [
        ("a", "b", b"c", "d"),
        ("x", "b", b"c", "d"),
        ("a", "x", b"c", "d"),
        ("a", "b", b"x", "d"),
        ("a", "b", b"c", "x"),
        ("ab", "", b"c", "d"),
        ("", "ab", b"c", "d"),
    ]
    assert len({stream(*way).random() for way in ways}) == len(ways)


def test_more_numbers_for_one_purpose_shift_none_of_another() -> None:
    seeds = hidden_seeds("lab", "ada", b"secret", 3)
    stream("lab", "ada", b"secret", "variant").random()
    assert hidden_seeds("lab", "ada", b"secret", 5)[:3] == seeds


def test_hidden_seeds_differ_between_students_and_from_the_public_ones() -> None:
    drawn = {hidden_seeds("lab", student, secret, 3) for student in ("ada", "bob") for secret in (PUBLIC, b"secret")}
    assert len(drawn) == 4
