use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cuts text to `width` terminal columns, and says so with `mark` where something was cut.
pub fn fit(text: &str, width: usize, mark: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(mark.width());
    let mut taken = 0;
    let mut cut = String::new();
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if taken + wide > room {
            break;
        }
        taken += wide;
        cut.push(character);
    }
    if mark.width() <= width {
        cut.push_str(mark);
    }
    cut
}

/// Cut at the beginning: what is being typed is at the end.
pub fn fit_end(text: &str, width: usize, mark: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(mark.width());
    let mut taken = 0;
    let is_in = |(_, character): &(usize, char)| {
        taken += character.width().unwrap_or(0);
        taken <= room
    };
    let first = text.char_indices().rev().take_while(is_in).last();
    format!("{mark}{}", first.map_or("", |(at, _)| &text[at..]))
}

/// Cut in the middle: names and paths mostly differ at their ends.
pub fn fit_middle(text: &str, width: usize, mark: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(mark.width());
    let mut end = Vec::new();
    let mut taken = 0;
    for character in text.chars().rev() {
        let wide = character.width().unwrap_or(0);
        if taken + wide > room / 2 {
            break;
        }
        taken += wide;
        end.push(character);
    }
    let start = fit(text, room - taken, "");
    if mark.width() > width {
        return start;
    }
    start + mark + &end.into_iter().rev().collect::<String>()
}

/// Cut and filled up with spaces to exactly `width` columns.
pub fn column(text: &str, width: usize, mark: &str) -> String {
    let mut fitted = fit(text, width, mark);
    fitted.extend(std::iter::repeat_n(' ', width.saturating_sub(fitted.width())));
    fitted
}

/// Breaks text into pieces of at most `width` columns, at spaces where there are some near the end.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(4);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let wide = character.width().unwrap_or(0);
        if taken + wide > width {
            let rest = match line.rfind(' ') {
                Some(space) if space > line.len() / 2 => line.split_off(space + 1),
                _ => String::new(),
            };
            taken = rest.width();
            lines.push(std::mem::replace(&mut line, rest));
        }
        taken += wide;
        line.push(character);
    }
    lines.push(line);
    lines
}

/// The same, with what follows the first line set in: it cannot be taken for a line of its own.
pub fn wrap_under(text: &str, width: usize) -> Vec<String> {
    wrap_to(text, "  ", width)
}

/// The same, set in by `indent`.
pub fn wrap_to(text: &str, indent: &str, width: usize) -> Vec<String> {
    let marks = std::iter::once("").chain(std::iter::repeat(indent));
    let lines = wrap(text, width.saturating_sub(indent.len()));
    lines.into_iter().zip(marks).map(|(line, mark)| format!("{mark}{line}")).collect()
}

/// Writes pieces one after another on one row of `area`, and nothing beyond it.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    x: u16,
    y: u16,
    right: u16,
}

impl<'a> Pen<'a> {
    /// `row` counts from the top of `area`; a row below it is not drawn.
    pub fn at(buffer: &'a mut Buffer, area: Rect, row: u16) -> Self {
        let right = if row < area.height { area.right() } else { area.x };
        Self { buffer, x: area.x, y: area.y.saturating_add(row), right }
    }

    pub fn write(&mut self, text: &str, style: Style) -> &mut Self {
        let left = usize::from(self.right.saturating_sub(self.x));
        if left > 0 {
            let (x, _) = self.buffer.set_stringn(self.x, self.y, text, left, style);
            self.x = x;
        }
        self
    }

    /// Pieces of one line: where not all fit, the last that is seen ends with `mark`.
    pub fn line(&mut self, pieces: &[(&str, Style)], mark: &str) {
        let mut rest: usize = pieces.iter().map(|(text, _)| text.width()).sum();
        for (text, style) in pieces {
            rest -= text.width();
            let left = self.left();
            // Room for the mark is kept as long as something may follow that does not fit.
            let more = if text.width() + rest > left { mark.width().min(rest) } else { 0 };
            if text.width() + more <= left {
                self.write(text, *style);
            } else {
                let room = left.saturating_sub(mark.width());
                self.write(&fit(text, room, ""), *style).write(mark, *style);
                return;
            }
        }
    }

    pub fn left(&self) -> usize {
        usize::from(self.right.saturating_sub(self.x))
    }

    /// Fills the rest of the row.
    pub fn fill(&mut self, symbol: &str, style: Style) {
        while self.x < self.right {
            self.buffer.set_stringn(self.x, self.y, symbol, 1, style);
            self.x += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_never_wider_than_asked_and_shows_that_it_is_one() {
        assert_eq!(fit("日本語の名前", 7, "…"), "日本語…");
        assert_eq!(column("日本", 6, "…"), "日本  ");
        assert_eq!(fit("abc", 3, "…"), "abc");
        assert_eq!(fit("abcd", 0, "…"), "");
        assert_eq!(
            [fit_end("日本語の名前", 7, "…"), fit_end("abc", 3, "…"), fit_end("abcd", 1, "…")],
            ["…の名前", "abc", "…"]
        );
    }

    #[test]
    fn a_line_of_pieces_that_is_cut_says_so() {
        let drawn = |width: u16| {
            let area = Rect { x: 0, y: 0, width, height: 1 };
            let mut buffer = Buffer::empty(area);
            let plain = Style::default();
            Pen::at(&mut buffer, area, 0).line(&[("takes 2", plain), (" +1", plain), (" -3 delete", plain)], "…");
            buffer.content.iter().map(|cell| cell.symbol()).collect::<String>()
        };
        assert_eq!(drawn(20), "takes 2 +1 -3 delete");
        assert_eq!(drawn(19), "takes 2 +1 -3 dele…");
        assert_eq!(drawn(11), "takes 2 +1…");
        assert_eq!(drawn(10), "takes 2 +…");
        assert_eq!(drawn(7), "takes …");
        assert_eq!(drawn(1), "…");
    }

    #[test]
    fn a_name_keeps_both_its_ends() {
        assert_eq!(fit_middle("user-of-the-north-0417", 11, "…"), "user-…-0417");
        assert_eq!(fit_middle("日本語の名前", 8, "…"), "日本…前");
        assert_eq!(fit_middle("abc", 0, "…"), "");
    }

    #[test]
    fn wrapping_loses_nothing() {
        let text = "the quick brown fox jumps over a_very_long_word_without_any_space_in_it";
        let lines = wrap(text, 12);
        assert_eq!(lines.concat(), text);
        assert!(lines.iter().all(|line| line.width() <= 12), "{lines:?}");
    }
}
