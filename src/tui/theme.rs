use ratatui::style::{Color, Modifier, Style};

use crate::model::{Op, TaskStatus};

/// Which colours the terminal's own palette is asked for; never more than its sixteen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    #[default]
    Dark,
    Light,
    /// No colours at all: bold, dim, underline and reverse only.
    Mono,
}

impl Palette {
    /// A value of `NO_COLOR` that is there and not empty wins over any choice.
    pub fn or_none(self, no_color: Option<&std::ffi::OsStr>) -> Self {
        if no_color.is_some_and(|value| !value.is_empty()) { Self::Mono } else { self }
    }
}

/// What a piece of text is; the theme alone says how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Plain,
    Quiet,
    Title,
    Good,
    Bad,
    Attention,
    Active,
    Added,
    Removed,
    Key,
    Danger,
    /// The row under the cursor, all of it: its words say what else its colours would.
    Cursor,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Theme {
    pub palette: Palette,
    /// Only characters that every terminal and font has.
    pub ascii: bool,
}

impl Theme {
    pub fn style(self, role: Role) -> Style {
        let plain = Style::default();
        let coloured = |dark: Color, light: Color| match self.palette {
            Palette::Dark => plain.fg(dark),
            Palette::Light => plain.fg(light),
            Palette::Mono => plain,
        };
        match role {
            Role::Plain => plain,
            Role::Quiet if self.palette == Palette::Mono => plain.add_modifier(Modifier::DIM),
            Role::Quiet => coloured(Color::DarkGray, Color::DarkGray),
            Role::Title => plain.add_modifier(Modifier::BOLD),
            Role::Good => coloured(Color::Green, Color::Green),
            Role::Bad => coloured(Color::LightRed, Color::Red).add_modifier(Modifier::BOLD),
            Role::Attention => coloured(Color::Yellow, Color::Magenta).add_modifier(Modifier::BOLD),
            Role::Active => coloured(Color::LightCyan, Color::Blue),
            Role::Added => coloured(Color::Green, Color::Green),
            Role::Removed => coloured(Color::LightRed, Color::Red),
            Role::Key => coloured(Color::LightCyan, Color::Blue).add_modifier(Modifier::BOLD),
            Role::Danger => coloured(Color::LightRed, Color::Red).add_modifier(Modifier::BOLD | Modifier::REVERSED),
            Role::Cursor => plain.add_modifier(Modifier::REVERSED),
        }
    }

    pub fn status_role(self, status: TaskStatus) -> Role {
        match status {
            TaskStatus::Waiting | TaskStatus::Skipped => Role::Quiet,
            TaskStatus::Ready | TaskStatus::Undone => Role::Plain,
            TaskStatus::Unchanged | TaskStatus::Done => Role::Good,
            TaskStatus::Review | TaskStatus::Unknown => Role::Attention,
            TaskStatus::Approved | TaskStatus::Applying => Role::Active,
            TaskStatus::Failed => Role::Bad,
        }
    }

    /// One column wide, different for each status, and never alone: the word stands beside it
    /// or in the legend.
    pub fn glyph(self, status: TaskStatus) -> &'static str {
        match (status, self.ascii) {
            (TaskStatus::Waiting, _) => ".",
            (TaskStatus::Ready, _) => "o",
            (TaskStatus::Unchanged, _) => "=",
            (TaskStatus::Review, _) => "?",
            (TaskStatus::Approved, _) => "a",
            (TaskStatus::Applying, _) => "*",
            (TaskStatus::Done, true) => "+",
            (TaskStatus::Done, false) => "✓",
            (TaskStatus::Failed, true) => "x",
            (TaskStatus::Failed, false) => "✗",
            (TaskStatus::Unknown, _) => "!",
            (TaskStatus::Skipped, _) => "-",
            (TaskStatus::Undone, _) => "<",
        }
    }

    pub fn op_role(self, op: Op) -> Role {
        match op {
            Op::Create => Role::Added,
            Op::Update => Role::Attention,
            Op::Delete => Role::Removed,
        }
    }

    pub fn line(self) -> &'static str {
        if self.ascii { "-" } else { "─" }
    }

    pub fn upright(self) -> &'static str {
        if self.ascii { "|" } else { "│" }
    }

    /// Corners: top left, top right, bottom left, bottom right.
    pub fn corners(self) -> [&'static str; 4] {
        if self.ascii { ["+", "+", "+", "+"] } else { ["┌", "┐", "└", "┘"] }
    }

    pub fn cut(self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }

    pub fn arrow(self) -> &'static str {
        if self.ascii { "->" } else { "→" }
    }

    /// Stands for a secret.
    pub fn mask(self) -> &'static str {
        if self.ascii { "****" } else { "••••" }
    }

    pub fn dot(self) -> &'static str {
        if self.ascii { "*" } else { "●" }
    }

    /// A space at a line's end, which nobody would see.
    pub fn end_space(self) -> &'static str {
        if self.ascii { "_" } else { "·" }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn every_status_has_a_glyph_of_its_own() {
        for ascii in [false, true] {
            let theme = Theme { palette: Palette::Dark, ascii };
            let glyphs: HashSet<_> = TaskStatus::ALL.iter().map(|status| theme.glyph(*status)).collect();
            assert_eq!(glyphs.len(), TaskStatus::ALL.len());
            assert!(!ascii || glyphs.iter().all(|glyph| glyph.is_ascii()));
        }
    }

    #[test]
    fn without_colours_the_cursor_is_still_to_be_seen() {
        let mono = Theme { palette: Palette::Dark.or_none(Some(OsStr::new("1"))), ascii: false };
        assert_eq!(mono.palette, Palette::Mono);
        let cursor = mono.style(Role::Cursor);
        assert!(cursor.fg.is_none() && cursor.add_modifier.contains(Modifier::REVERSED));
        assert_eq!(Palette::Light.or_none(Some(OsStr::new(""))), Palette::Light);
    }
}
