"""Writes docs/images/demo.svg, a recording of three steps of the demo: line after line, as a terminal shows them.

`make pictures` calls it. Ids, times and speeds are those of that one time; what is shown is held to the demo by
`tests/stories/test_demo.py`.
"""

from __future__ import annotations

import io
import os
import pty
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from support.demo import Demo

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "demo.svg"
WIDTH = 80
_STEPS = "234"
_LINE_S = 0.25
_TITLE = "make demo"


def story(said: str) -> str:
    """The steps that are shown, of all that a demo said."""
    steps = re.split(r"^(?=(?:\x1b\[\d+m)?\d  )", said, flags=re.MULTILINE)
    return "".join(step for step in steps if re.match(rf"(\x1b\[\d+m)?[{_STEPS}]  ", step))


def shown(svg: str) -> str:
    """The text that a picture shows."""
    lines: dict[int, str] = {}
    for number, text in re.findall(r'clip-path="url\(#demo-line-(\d+)\)">([^<]*)</text>', svg):
        lines[int(number)] = lines.get(int(number), "") + text
    text = "\n".join(lines.values())
    for sign, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("'", "&#x27;"),
        ('"', "&quot;"),
        (" ", "&#160;"),
    ):
        text = text.replace(entity, sign)
    return text


def gist(text: str) -> str:
    """What stays of a story when it is told once more: neither numbers, nor who told it, nor where lines end."""
    plain = re.sub(r"\x1b\[\d+m", "", text)
    return re.sub(r"\s+", " ", re.sub(r"[\d.,:TZ-]+", "0", re.sub(r" by \S+ at ", " by somebody at ", plain))).strip()


def _recorded() -> str:
    """All that a demo says to a terminal, in its colours."""
    ours, theirs = pty.openpty()
    said = b""
    with Demo(terminal=theirs) as demo:
        os.close(theirs)
        try:
            while more := os.read(ours, 4096):
                said += more
        except OSError:  # how a terminal ends
            os.close(ours)
        demo.process.wait()
    return said.decode().replace("\r\n", "\n")


def _drawn(text: str) -> str:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(text.rstrip()))
    svg = console.export_svg(title=_TITLE, unique_id="demo")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # nobody loads fonts into an image
    delays = "".join(
        f'[clip-path="url(#demo-line-{line})"]{{animation:demo-in 1ms {line * _LINE_S:g}s both}}\n'
        for line in range(text.count("\n") + 1)
    )
    moving = (
        f"@media (prefers-reduced-motion: no-preference) {{\n@keyframes demo-in {{from {{opacity:0}}}}\n{delays}}}\n"
    )
    return svg.replace("</style>", f"{moving}</style>", 1)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(_drawn(re.sub(r"by \S+ at", "by ann@web at", story(_recorded()))))
