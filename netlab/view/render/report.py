"""A study as one HTML page that works with no network: its question, its charts with their captions, its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from netlab.experiment.study import StudyResult
from netlab.view.chart import charts
from netlab.view.figures import PUBLISHED, Figures, figures
from netlab.view.picture import Picture
from netlab.view.render.plot import figure

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
{library}
</head>
<body>
<main>
<h1>{title}</h1>
<p class="question">{says}</p>
{charts}
<h2>Numbers</h2>
{table}
{words}
</main>
{script}
</body>
</html>
"""

STYLE = """
body { margin: 0; background: #fff; color: #15181c; }
body { font: 17px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 24px 28px 60px; }
h1 { font-size: 30px; margin: 0 0 2px; }
h2 { font-size: 23px; margin: 34px 0 6px; }
.question { font-size: 20px; margin: 0; color: #454c55; }
figure { margin: 0 0 8px; }
figcaption { color: #454c55; font-size: 16px; max-width: 900px; }
figcaption p, .words p { margin: 2px 0; }
table { border-collapse: collapse; margin: 8px 0 14px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 0 4px 26px; font-weight: 400; }
th { vertical-align: bottom; font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: pre; }
thead tr:last-child th { border-bottom: 2px solid #15181c; }
.unit th { color: #454c55; font-weight: 400; padding-top: 0; }
tbody tr { border-top: 1px solid #e3e7eb; }
tbody tr.published { border-top: 0; color: #5d646d; }
"""


def report(result: StudyResult) -> str:
    """The whole page as text."""
    from bokeh.embed import components
    from bokeh.resources import Resources

    pictures = charts(result)
    script, divs = components([figure(picture) for picture in pictures]) if pictures else ("", ())
    return _PAGE.format(
        title=escape(f"{result.study}"),
        says=escape(result.says),
        style=STYLE,
        library=Resources(mode="inline", components=["bokeh"]).render_js() if pictures else "",
        charts="\n".join(_figure(picture, div) for picture, div in zip(pictures, divs, strict=True)),
        table=_table(figures(result)),
        words=_words(result),
        script=script,
    )


def _figure(picture: Picture, div: str) -> str:
    said = escape(" ".join(picture.narrative))
    own = f'<div role="img" aria-label="{said}">{div}</div>'
    note = [] if not picture.rows("published") else ["Hollow marks are what others measured."]
    caption = _paragraphs((*picture.caption, *note))
    return f"<figure><h2>{escape(picture.title)}</h2>{own}<figcaption>{caption}</figcaption></figure>"


def _table(shown: Figures) -> str:
    head = f"<tr>{_cells('th', shown.head)}</tr>"
    if any(shown.units):
        head += f'<tr class="unit">{_cells("th", shown.units)}</tr>'
    rows = (f"<tr{' class=published' if PUBLISHED in row[0] else ''}>{_cells('td', row)}</tr>" for row in shown.rows)
    sources = _paragraphs(f"{PUBLISHED} [{n}] {source}" for n, source in enumerate(shown.sources, 1))
    return f'<table><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table><div class="words">{sources}</div>'


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)


def _words(result: StudyResult) -> str:
    meanings = [f"{m.name}: {m.says}." for m in result.metrics if m.says]
    made = f"Seed {result.seed}; digest {result.digest()[:16]}."
    return f'<div class="words">{_paragraphs([*meanings, *result.notes, made])}</div>'


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts)
