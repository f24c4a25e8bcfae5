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
            // On white many terminals' green cannot be read, and their blue always can.
            Role::Good => coloured(Color::Green, Color::Blue),
            Role::Bad => coloured(Color::LightRed, Color::Red).add_modifier(Modifier::BOLD),
            Role::Attention => coloured(Color::Yellow, Color::Magenta).add_modifier(Modifier::BOLD),
            Role::Active => coloured(Color::LightCyan, Color::Blue),
            Role::Added => coloured(Color::Green, Color::Blue),
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

    /// Red, green, blue of a terminal's own colours, as they are set when it is new.
    type Colours = [(Color, [u8; 3]); 4];
    const WITH_WHITE: [Colours; 4] = [
        // xterm, GNOME Terminal, kitty, Windows Terminal.
        [
            (Color::Red, [205, 0, 0]),
            (Color::Blue, [0, 0, 238]),
            (Color::Magenta, [205, 0, 205]),
            (Color::DarkGray, [127, 127, 127]),
        ],
        [
            (Color::Red, [192, 28, 40]),
            (Color::Blue, [18, 72, 139]),
            (Color::Magenta, [163, 71, 186]),
            (Color::DarkGray, [94, 92, 100]),
        ],
        [
            (Color::Red, [204, 4, 3]),
            (Color::Blue, [13, 115, 204]),
            (Color::Magenta, [203, 30, 209]),
            (Color::DarkGray, [118, 118, 118]),
        ],
        [
            (Color::Red, [197, 15, 31]),
            (Color::Blue, [0, 55, 218]),
            (Color::Magenta, [136, 23, 152]),
            (Color::DarkGray, [118, 118, 118]),
        ],
    ];

    /// As WCAG 2 counts it: from 1, which nobody can read, to 21.
    fn contrast_with_white([red, green, blue]: [u8; 3]) -> f64 {
        let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
        1.05 / (0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue) + 0.05)
    }

    #[test]
    fn every_colour_of_the_light_theme_can_be_read_on_white() {
        let light = Theme { palette: Palette::Light, ascii: false };
        use Role as R;
        let roles = [R::Quiet, R::Good, R::Bad, R::Attention, R::Active, R::Added, R::Removed, R::Key, R::Danger];
        for role in roles {
            let asked = light.style(role).fg.unwrap();
            for terminal in &WITH_WHITE {
                let shown = terminal.iter().find(|(colour, _)| *colour == asked);
                let (_, parts) =
                    shown.unwrap_or_else(|| panic!("{role:?} asks for {asked}, which is not known to be dark"));
                assert!(contrast_with_white(*parts) >= 3.9, "{role:?} {asked}: {:.1}", contrast_with_white(*parts));
            }
        }
        assert_ne!(light.style(R::Added), light.style(R::Removed));
        assert!(contrast_with_white([0, 205, 0]) < 2.5, "xterm's green");
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
