"""A picture as one HTML file that works with no network: drawing, controls, words and table in it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from netlab.view.picture import Picture
from netlab.view.render.svg import STYLE, map_svgs, network_svg, packet_svgs, snapshot

HERE = Path(__file__).parent
MODULE = ("drawing.js", "player.js", "live.js")
CONTROLS = "controls.css"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{css}
</style>
</head>
<body>
<main class="netlab-page" id="netlab"><noscript>{plain}</noscript></main>
<script type="application/json" id="netlab-data">{data}</script>
<script type="module">{module}
const page = document.getElementById("netlab");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const theme = () => page.classList.toggle("dark", dark.matches);
dark.addEventListener("change", theme);
theme();
mount(page, JSON.parse(document.getElementById("netlab-data").textContent));
</script>
</body>
</html>
"""


def html_page(picture: Picture) -> str:
    """The whole page as text."""
    words = "".join(f"<p>{escape(line)}</p>" for line in (*picture.narrative, *picture.caption))
    return _PAGE.format(
        title=escape(picture.title),
        css=styles(),
        plain=f"<h1>{escape(picture.title)}</h1>{snapshot(picture)}{words}",
        data=_inert(json.dumps(payload(picture), ensure_ascii=False, separators=(",", ":"))),
        module=module(),
    )


def payload(picture: Picture) -> dict[str, Any]:
    """What the module needs: the picture's data, and its drawings."""
    paths, ends = packet_svgs(picture)
    drawings = {"network": network_svg(picture), "maps": map_svgs(picture), "paths": paths, "ends": ends}
    return {"picture": picture.to_data(), "svg": drawings}


def styles() -> str:
    """The style sheet of drawing and controls."""
    return STYLE.read_text(encoding="utf-8") + (HERE / CONTROLS).read_text(encoding="utf-8")


def module() -> str:
    """The ES module: its files, joined."""
    return "".join((HERE / name).read_text(encoding="utf-8") for name in MODULE)


def _inert(text: str) -> str:
    """JSON that cannot end the script element that it stands in."""
    return text.replace("<", "\\u003c")
