use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Writes frames in as few bytes as a terminal of the last forty years understands: a slow link shows a key's
/// effect the sooner for it. Each frame is one write inside synchronized output, so that no half-drawn screen is
/// seen. Where the cursor is shown or hidden is the [`super::terminal::Screen`]'s to say, once.
pub struct Painter<W> {
    output: W,
    frame: Vec<u8>,
    worn: Look,
    /// Where the terminal's cursor is, if that is sure.
    at: Option<(u16, u16)>,
    /// Columns, as the last frame had them.
    width: u16,
    /// What is on the screen, as far as it is known.
    lines: Vec<Vec<Option<Cell>>>,
    /// Bytes, since somebody asked.
    written: usize,
}

/// How a cell looks beside its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Look = Look { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };
/// What shows on a cell without text.
const SEEN_ON_BLANKS: Modifier =
    Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT).union(Modifier::SLOW_BLINK);
/// Each with its code, and the code that ends it.
const CODES: [(Modifier, u8, u8); 7] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];
/// A leap over two or more columns takes four bytes.
const LEAP: usize = 3;
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// From this many on blanks to the end of what is on the line are cheaper as one code.
const CHEAPER: u16 = 4;

impl Look {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// On blanks nothing of it is seen.
    fn is_bare(self) -> bool {
        self.bg == Color::Reset && !self.modifier.intersects(SEEN_ON_BLANKS)
    }

    fn codes(self) -> Vec<u8> {
        let mut codes: Vec<u8> =
            CODES.iter().filter(|(one, ..)| self.modifier.contains(*one)).map(|(_, on, _)| *on).collect();
        if self.fg != Color::Reset {
            codes.push(code(self.fg));
        }
        if self.bg != Color::Reset {
            codes.push(code(self.bg).saturating_add(10));
        }
        codes
    }

    /// What turns `former` into this, by changing what differs or from the beginning, whichever is shorter.
    fn after(self, former: Self) -> String {
        let mut changes = Vec::new();
        let ended = former.modifier - self.modifier;
        let mut begun = self.modifier - former.modifier;
        for (one, _, off) in CODES.iter().filter(|(one, ..)| ended.contains(*one)) {
            changes.push(*off);
            // One code ends both bold and dim.
            if (Modifier::BOLD | Modifier::DIM).contains(*one) {
                begun |= self.modifier & (Modifier::BOLD | Modifier::DIM);
            }
        }
        changes.extend(CODES.iter().filter(|(one, ..)| begun.contains(*one)).map(|(_, on, _)| *on));
        if self.fg != former.fg {
            changes.push(code(self.fg));
        }
        if self.bg != former.bg {
            changes.push(code(self.bg).saturating_add(10));
        }
        let text = |codes: &[u8]| codes.iter().map(u8::to_string).collect::<Vec<_>>().join(";");
        let anew = self.codes();
        let (changed, anew) =
            (text(&changes), if anew.is_empty() { String::new() } else { format!("0;{}", text(&anew)) });
        if anew.len() < changed.len() { anew } else { changed }
    }
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Look::of(cell).is_bare()
}

/// Of the terminal's own sixteen colours; the theme asks for no others.
fn code(color: Color) -> u8 {
    match color {
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => 39,
    }
}

impl<W: Write> Painter<W> {
    pub fn new(output: W) -> Self {
        Self { output, frame: Vec::new(), worn: PLAIN, at: None, width: 0, lines: Vec::new(), written: 0 }
    }

    fn put(&mut self, text: &str) {
        self.frame.extend_from_slice(text.as_bytes());
    }

    fn go(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && x > from && self.between(from, x, y).is_some() => {
                let text = self.between(from, x, y).unwrap_or_default();
                self.put(&text);
            }
            Some((from, row)) if row == y && x > from && x - from < 10 => {
                let by = x - from;
                self.put(&if by == 1 { "\x1b[C".to_owned() } else { format!("\x1b[{by}C") });
            }
            _ => self.put(&match (x, y) {
                (0, 0) => "\x1b[H".to_owned(),
                (0, y) => format!("\x1b[{}H", u32::from(y) + 1),
                (x, y) => format!("\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1),
            }),
        }
        self.at = Some((x, y));
    }

    fn wear(&mut self, look: Look) {
        if look != self.worn {
            let codes = look.after(self.worn);
            self.put(&format!("\x1b[{codes}m"));
            self.worn = look;
        }
    }

    /// Blanks of which nothing is seen but that they are blank.
    fn blanks(&mut self, x: u16, y: u16, count: u16) {
        if count == 0 {
            return;
        }
        if !self.worn.is_bare() {
            self.wear(PLAIN);
        }
        self.go(x, y);
        let to = x.saturating_add(count);
        (x..to).for_each(|column| self.keep(column, y, Some(Cell::EMPTY)));
        if count >= CHEAPER && self.is_blank_from(to, y) {
            self.put("\x1b[K");
            return;
        }
        self.frame.extend(std::iter::repeat_n(b' ', usize::from(count)));
        self.moved(count, true);
    }

    fn text(&mut self, x: u16, y: u16, cell: &Cell) {
        let symbol = cell.symbol();
        self.wear(Look::of(cell));
        self.go(x, y);
        self.put(symbol);
        self.keep(x, y, Some(cell.clone()));
        let behind = x.saturating_add(u16::try_from(symbol.width()).unwrap_or(1));
        (x.saturating_add(1)..behind).for_each(|column| self.keep(column, y, None));
        self.moved(1, symbol.is_ascii());
    }

    fn keep(&mut self, x: u16, y: u16, cell: Option<Cell>) {
        let line = self.lines.get_mut(usize::from(y));
        if let Some(place) = line.and_then(|line| line.get_mut(usize::from(x))) {
            *place = cell;
        }
    }

    /// What stands in a gap too small for a code that leaps over it, if it can be written again as the pen is.
    fn between(&self, from: u16, to: u16, y: u16) -> Option<String> {
        let line = self.lines.get(usize::from(y))?;
        let gap = line.get(usize::from(from)..usize::from(to)).filter(|gap| gap.len() <= LEAP)?;
        let again = gap.iter().map(|cell| {
            let cell = cell.as_ref().filter(|cell| cell.symbol().len() == 1)?;
            let is_worn = Look::of(cell) == self.worn || (is_blank(cell) && self.worn.is_bare());
            is_worn.then_some(cell.symbol())
        });
        again.collect()
    }

    fn is_blank_from(&self, x: u16, y: u16) -> bool {
        let rest = self.lines.get(usize::from(y)).and_then(|line| line.get(usize::from(x)..));
        x >= self.width || rest.is_some_and(|rest| rest.iter().all(|cell| cell.as_ref().is_some_and(is_blank)))
    }

    /// Terminals differ in how wide some characters are, and in where the cursor is behind the last column.
    fn moved(&mut self, by: u16, is_sure: bool) {
        let moved = self.at.map(|(x, y)| (x.saturating_add(by), y));
        self.at = moved.filter(|(x, _)| is_sure && *x < self.width);
    }
}

impl<W: Write> Backend for Painter<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut blank: Option<(u16, u16, u16)> = None;
        for (x, y, cell) in content {
            let is_blank = is_blank(cell);
            match &mut blank {
                Some((from, row, count)) if is_blank && *row == y && from.saturating_add(*count) == x => *count += 1,
                _ => {
                    if let Some((from, row, count)) = blank.take() {
                        self.blanks(from, row, count);
                    }
                    if is_blank {
                        blank = Some((x, y, 1));
                    } else {
                        self.text(x, y, cell);
                    }
                }
            }
        }
        if let Some((from, row, count)) = blank {
            self.blanks(from, row, count);
        }
        self.wear(PLAIN);
        Ok(())
    }

    /// Hidden as long as the screen is up: nothing to do for each frame.
    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.at.map_or(Position::ORIGIN, Position::from))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        self.go(x, y);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.wear(PLAIN);
        let known = matches!(region, ClearType::All).then_some(Cell::EMPTY);
        let width = usize::from(self.width);
        self.lines.iter_mut().for_each(|line| *line = vec![known.clone(); width]);
        self.put(match region {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let (width, height) = crossterm::terminal::size()?;
        Ok(Size { width, height })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let frame = [BEGIN, &self.frame, END].concat();
        self.frame.clear();
        // Others write to the terminal between two frames.
        self.at = None;
        self.written += frame.len();
        self.output.write_all(&frame)?;
        self.output.flush()
    }
}

impl<W: Write> Painter<W> {
    /// How many bytes went out since this was asked last.
    pub fn take_written(&mut self) -> usize {
        std::mem::take(&mut self.written)
    }

    /// Frames from here on have that size; a change of it clears the screen.
    pub fn measure(&mut self, width: u16, height: u16) {
        let before = (usize::from(self.width), self.lines.len());
        if before != (usize::from(width), usize::from(height)) {
            self.width = width;
            self.lines = vec![vec![None; usize::from(width)]; usize::from(height)];
        }
    }
}

#[cfg(test)]
mod tests;
