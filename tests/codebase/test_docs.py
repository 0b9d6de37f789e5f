"""What the documentation shows at a Python prompt is what happens there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "netlab" / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted(page.name for page in DOCS.glob("*.md") if ">>> " in page.read_text(encoding="utf-8"))


def examples(page: str) -> str:
    """The blocks of a page with a prompt in them, at their own lines: a page's later blocks go on from its earlier."""
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = [""] * (text.count("\n") + 1)
    for block in BLOCK.finditer(text):
        if ">>> " in block[1]:
            first = text.count("\n", 0, block.start(1))
            body = block[1].splitlines()
            lines[first : first + len(body)] = body
    return "\n".join(lines) + "\n"


def test_there_are_pages_with_examples() -> None:
    assert PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_do_what_it_says(page: str) -> None:
    test = doctest.DocTestParser().get_doctest(examples(page), {}, page, str(DOCS / page), 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert outcome.attempted and not outcome.failed, "".join(said)


@pytest.mark.parametrize("page", PAGES)
def test_every_prompt_stands_in_a_block_that_is_run(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text.count("\n>>> ") == examples(page).count("\n>>> ")
