#!/usr/bin/env python3
"""Draws the README's picture: the Review screen of `rekindle demo`, as it stood in a real terminal.

    tests/picture/draw.py [BINARY [OUTPUT]]

Needs tmux. It plays the demo in a terminal of its own, walks to a file's diff, and writes what the terminal
then holds as SVG. Nothing is drawn that was not on the screen.
"""

import os
import re
import subprocess
import sys
import time
import unicodedata
from html import escape
from pathlib import Path

COLUMNS, ROWS = 96, 29
CELL_WIDTH, CELL_HEIGHT, EDGE = 8.4, 18, 14
DEADLINE = 60
BACKGROUND, FOREGROUND = "#1b1e24", "#d5d8de"
# The sixteen colours of a terminal; which of them a word has is the program's choice.
COLOURS = [
    "#1b1e24", "#e06c6c", "#8cc570", "#dcae5a", "#6ca8e8", "#c58ae0", "#5cbfc4", "#c3c7cf",
    "#767d8a", "#f08a8a", "#a6dc8a", "#f0c674", "#8abdf5", "#d8a6f0", "#7fd6da", "#ffffff",
]
ESCAPE = re.compile(r"\x1b\[([0-9;:]*)m")


class Terminal:
    """A program in a tmux of its own, which goes when this does."""

    def __init__(self, command):
        self.socket = f"rekindle-picture-{os.getpid()}"
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), *command, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], check=False, stderr=subprocess.DEVNULL)

    def tmux(self, *arguments, env=None):
        called = subprocess.run(["tmux", "-L", self.socket, *arguments], check=True, capture_output=True, env=env)
        return called.stdout.decode()

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, *how):
        return self.tmux("capture-pane", "-p", *how)

    def wait(self, text):
        end = time.monotonic() + DEADLINE
        while text not in self.screen():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {text!r}:\n{self.screen()}")
            time.sleep(0.05)


class Style:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fore = self.back = None
        self.bold = self.dim = self.underlined = self.reversed = False

    def take(self, codes):
        """One escape sequence's numbers, as tmux writes them."""
        codes = [int(code or 0) for code in re.split("[;:]", codes)]
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.reset()
            elif code in (1, 2, 4, 7):
                setattr(self, {1: "bold", 2: "dim", 4: "underlined", 7: "reversed"}[code], True)
            elif code == 22:
                self.bold = self.dim = False
            elif code == 24:
                self.underlined = False
            elif code == 27:
                self.reversed = False
            elif 30 <= code <= 37 or 90 <= code <= 97:
                self.fore = COLOURS[code - 30 if code < 90 else code - 82]
            elif 40 <= code <= 47 or 100 <= code <= 107:
                self.back = COLOURS[code - 40 if code < 100 else code - 92]
            elif code == 39:
                self.fore = None
            elif code == 49:
                self.back = None
            elif code in (38, 48) and codes[:1] == [5] and len(codes) > 1 and codes[1] < 16:
                setattr(self, "fore" if code == 38 else "back", COLOURS[codes[1]])
                del codes[:2]
            else:
                raise SystemExit(f"a style that this script does not know: {code}")

    def colours(self):
        fore, back = self.fore or FOREGROUND, self.back or BACKGROUND
        return (back, fore) if self.reversed else (fore, back)


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def runs(line, style):
    """The line's pieces of one style each: the column they begin at, and their text."""
    column = 0
    for number, piece in enumerate(ESCAPE.split(line)):
        if number % 2:
            style.take(piece)
        elif piece:
            yield column, piece
            column += width(piece)


def draw(lines):
    full = (COLUMNS * CELL_WIDTH + 2 * EDGE, ROWS * CELL_HEIGHT + 2 * EDGE)
    boxes, words = [], []
    style = Style()
    for row, line in enumerate(lines):
        y = EDGE + row * CELL_HEIGHT
        for column, text in runs(line, style):
            fore, back = style.colours()
            x, wide = EDGE + column * CELL_WIDTH, width(text) * CELL_WIDTH
            if back != BACKGROUND:
                boxes.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{CELL_HEIGHT}" fill="{back}"/>')
            if not text.strip():
                continue
            how = f'fill="{fore}"'
            how += ' font-weight="bold"' if style.bold else ""
            how += ' opacity="0.65"' if style.dim else ""
            how += ' text-decoration="underline"' if style.underlined else ""
            # Each piece keeps to its columns, whatever font it is shown in.
            words.append(
                f'<text x="{x:.1f}" y="{y + 13}" textLength="{wide:.1f}" lengthAdjust="spacingAndGlyphs" {how}>'
                f"{escape(text)}</text>"
            )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full[0]:.0f} {full[1]}" width="{full[0]:.0f}" '
            f'height="{full[1]}" font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" '
            'font-size="14" xml:space="preserve">',
            "<title>rekindle: a file's diff between live and backup, before it is approved</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            *boxes,
            *words,
            "</svg>",
            "",
        ]
    )


def main():
    here = Path(__file__).resolve().parent
    target = Path(os.environ.get("CARGO_TARGET_DIR", here.parent.parent / "target"))
    binary = Path(sys.argv[1]) if len(sys.argv) > 1 else target / "release/rekindle"
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else here / "review.svg"
    with Terminal([str(binary.resolve(strict=True)), "demo"]) as terminal:
        terminal.wait("WAITS FOR YOU")
        terminal.press("/", "b", "o", "b", "Enter")
        terminal.wait("filter: bob")
        terminal.press("]", "3")
        terminal.wait("exact: what is shown")
        terminal.wait("home/bob")
        terminal.press("Enter")
        terminal.wait("observation ###")
        lines = terminal.screen("-e", "-N").split("\n")[:ROWS]
        output.write_text(draw(lines), encoding="utf-8")
        terminal.press("q")
        terminal.wait("Leave?")
    print(f"{output}: drawn from {len(lines)} lines of a real screen")


if __name__ == "__main__":
    main()
