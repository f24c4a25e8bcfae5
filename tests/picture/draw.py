#!/usr/bin/env python3
"""Draws the README's pictures: every screen of `rekindle demo`, as it stood in a real terminal.

    tests/picture/draw.py [BINARY]           draws them anew
    tests/picture/draw.py --check [BINARY]   plays the same, and tells which picture shows another screen by now

Needs tmux. It plays the demo in a terminal of its own and writes what the terminal then holds as SVG. Nothing is
drawn that was not on the screen.
"""

import difflib
import os
import re
import subprocess
import sys
import time
import unicodedata
from html import escape, unescape
from pathlib import Path

COLUMNS, ROWS = 96, 29
CELL_WIDTH, CELL_HEIGHT, EDGE = 8.4, 18, 14
DEADLINE = 60
PLAYS = 3
# Lines break elsewhere by another machine's name: this one is the program's alone, the machine keeps its own.
AS_ROOT = [] if os.geteuid() == 0 else ["--map-root-user"]
ON_THE_HOST = ["unshare", "--uts", *AS_ROOT, "sh", "-c", 'echo bastion >/proc/sys/kernel/hostname && exec "$0" "$@"']
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
        self.socket = f"rekindle-picture-{time.monotonic_ns()}"
        unset = ("TMUX", "NO_COLOR", "SUDO_USER", "TMPDIR", "XDG_CONFIG_HOME")
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        environment |= {"USER": "ana", "TZ": "UTC", "XDG_CONFIG_HOME": "/nonexistent"}
        size = ("-x", str(COLUMNS), "-y", str(ROWS))
        self.tmux("-f", "/dev/null", "new-session", "-d", *size, *ON_THE_HOST, *command, env=environment)

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

    def wait(self, *texts):
        """Until all of them are on the screen; one that begins with ! until it is gone."""
        end = time.monotonic() + DEADLINE
        while not all((text[1:] not in screen) if text[0] == "!" else (text in screen) for screen in [self.screen()] for text in texts):
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {texts}:\n{self.screen()}")
            time.sleep(0.05)

    def go(self, task):
        """Puts the cursor on a task, by its name."""
        self.press(":")
        self.wait(" : _")
        self.press("-l", task)
        self.wait(f" : {task}_", "> go to")
        self.press("Enter")
        self.wait("! : ")

    def approve(self):
        """Asks, and says yes once the question listens; what is to be typed, it says itself."""
        self.wait("a approve")
        self.press("a")
        self.wait("Esc goes back")
        asked = re.search(r"Type (\S+) ", self.screen())
        time.sleep(0.5)
        self.press(*(["-l", asked[1]] if asked else ["y"]))
        if asked:
            self.press("Enter")
        self.wait("!Esc goes back")


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


def draw(lines, title):
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
            f"<title>rekindle: {escape(title)}</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
            *boxes,
            *words,
            "</svg>",
            "",
        ]
    )


def play(terminal):
    """Every screen: its picture's name, and what is on it."""
    terminal.wait("WAITS FOR YOU")
    yield "steps", "the run's tasks, step by step"
    terminal.go("home/lee")
    terminal.press("2")
    terminal.wait("TOTAL")
    yield "matrix", "users and steps"
    terminal.go("account/ivy")
    terminal.press("3")
    terminal.wait("exact: what is shown", "account/ivy")
    yield "review-document", "an account that is gone, field by field, before it is approved"
    terminal.go("home/bob")
    terminal.wait("exact: what is shown", "home/bob")
    terminal.press("Enter")
    terminal.wait("observation ###")
    yield "review", "a file's diff between live and backup, before it is approved"
    terminal.press("a")
    terminal.wait("Esc goes back")
    yield "confirm", "what an approval says yes to"
    terminal.press("Escape")
    terminal.wait("!Esc goes back")
    terminal.approve()
    terminal.wait("Applied and read back")
    terminal.go("home/lee")
    terminal.wait("home/lee", "CANNOT BE READ")
    terminal.approve()
    terminal.wait("failed 1")
    terminal.press("1")
    terminal.wait("by step")
    terminal.press("Enter")
    terminal.wait("home/lee failed", "Decide later")
    yield "failure", "a task that failed: why, what is there now, and what can be done"
    terminal.press("Escape")
    terminal.wait("!Decide later")
    terminal.go("home/bob")
    terminal.press("4")
    terminal.wait("on record", "of content")
    yield "evidence", "what is on record of a task, and the log"
    terminal.press("u")
    terminal.wait("UNDO", "exact: what is shown")
    yield "undo", "the way back is a plan like any other"
    terminal.press("q")
    terminal.wait("Leave?")


# What differs from run to run: names of folders and runs, times, identities, digests, numbers of events.
VARIES = [
    (r"\d{6}-\d{6}(-\d+)?-", "RUN-"),
    (r"demo-\w{6}", "demo-SANDBOX"),
    (r"\d{4}-\d\d-\d\d", ""),
    (r"T?\d\d:\d\d:\d\d(\.\d+)?Z?", "TIME"),
    (r"ana@[\w.-]+", "OPERATOR"),
    # Left out on a screen that it does not fit.
    (r"\([0-9a-f]{16}:\d+\)", ""),
    # A pack's name may be broken over two lines anywhere.
    (r"data/[0-9a-f/\s]*`", "data/`"),
    (r"data/[0-9a-f]{2}/", "data/"),
    # Broken over two lines it is two.
    (r"\b([0-9a-f]{8}|[0-9a-f]{10,})\b", ""),
    (r"#\d+", "#"),
    (r"[\s│─┌┐└┘]+", ""),
]


def words(svg):
    """What a picture says, whatever its lines were broken for."""
    said = " ".join(unescape(text) for text in re.findall(r"<text [^>]*>([^<]*)</text>", svg))
    for varies, placeholder in VARIES:
        said = re.sub(varies, placeholder, said)
    return said


def differs(name, former, now):
    former, now = words(former), words(now)
    if former == now:
        return False
    print(f"{name} shows another screen by now: run tests/picture/draw.py")
    for how, a, b, c, d in difflib.SequenceMatcher(None, former, now, autojunk=False).get_opcodes():
        if how != "equal":
            print(f"  was {former[max(0, a - 20):b + 20]!r}\n  is  {now[max(0, c - 20):d + 20]!r}")
    return True


def main():
    here = Path(__file__).resolve().parent
    target = Path(os.environ.get("CARGO_TARGET_DIR", here.parent.parent / "target"))
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    is_check = len(arguments) < len(sys.argv[1:])
    binary = Path(arguments[0]) if arguments else target / "release/rekindle"
    # A moment may be met before or after its last event: another screen is one that is another each time.
    for _ in range(PLAYS if is_check else 1):
        stale, drawn = [], 0
        with Terminal([str(binary.resolve(strict=True)), "demo"]) as terminal:
            for name, title in play(terminal):
                # The last of a burst of frames is the one to draw.
                time.sleep(0.3)
                lines = terminal.screen("-e", "-N").split("\n")[:ROWS]
                picture, output = draw(lines, title), here / f"{name}.svg"
                drawn += 1
                if not is_check:
                    output.write_text(picture, encoding="utf-8")
                elif not output.exists() or differs(output.name, output.read_text(encoding="utf-8"), picture):
                    stale.append(name)
        if not stale:
            break
    print(f"{drawn} screens, {len(stale)} of them another than their picture" if is_check else f"{drawn} pictures drawn")
    sys.exit(1 if stale else 0)


if __name__ == "__main__":
    main()
