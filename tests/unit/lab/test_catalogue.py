"""Labs are found by folder, by number or by name, and loaded from their lab.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.errors import BadInput
from netlab.lab.catalogue import find_lab, find_labs, load_folder, load_lab

EMPTY = """
from netlab.lab.lab import Lab
LAB = Lab("{slug}", "Nothing", {{}}, (), (), lambda numbers: {{}})
"""


@pytest.fixture
def labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for slug in ("97-one", "98-two", "no-number", "99-without"):
        (tmp_path / slug).mkdir()
        if slug != "99-without":
            (tmp_path / slug / "lab.py").write_text(EMPTY.format(slug=slug))
    monkeypatch.setenv("NETLAB_LABS", str(tmp_path))
    return tmp_path


def test_a_lab_is_a_numbered_folder_with_a_lab_in_it(labs: Path) -> None:
    found = {lab.slug: lab.path for lab in find_labs()}
    assert found["97-one"] == labs / "97-one"
    assert "98-two" in found
    assert not {"no-number", "99-without"} & set(found)


@pytest.mark.parametrize("name", ["97", "97-one"])
def test_number_or_name_will_do(labs: Path, name: str) -> None:
    lab = load_lab(name)
    assert (lab.slug, lab.folder) == ("97-one", labs / "97-one")


def test_a_name_that_is_none_lists_those_that_are(labs: Path) -> None:
    with pytest.raises(BadInput) as caught:
        find_lab("97-on")
    assert str(caught.value).startswith("there is no lab '97-on'; labs are ")
    assert "97-one, 98-two" in str(caught.value)


def test_given_labs_come_before_the_projects_own(labs: Path) -> None:
    (labs / "01-packet-path").mkdir()
    (labs / "01-packet-path" / "lab.py").write_text(EMPTY.format(slug="01-packet-path"))
    assert load_lab("1").title == "Nothing"


def test_a_folder_without_a_lab_is_said(labs: Path) -> None:
    with pytest.raises(BadInput, match="holds no lab; a lab has a lab"):
        load_folder(labs / "99-without")
    (labs / "97-one" / "lab.py").write_text("x = 1")
    with pytest.raises(BadInput, match=r"it defines no LAB; end it with LAB = Lab\(\.\.\.\)"):
        load_lab("97")
