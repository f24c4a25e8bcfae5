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
    /// What is read second.
    Quiet,
    /// Lines and frames, which nobody reads: on some terminals they are hardly to be seen.
    Line,
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
            // Dark grey, or dim, is as good as the background on many dark terminals: see the test.
            Role::Quiet => coloured(Color::Gray, Color::DarkGray),
            Role::Line if self.palette == Palette::Mono => plain.add_modifier(Modifier::DIM),
            Role::Line => coloured(Color::DarkGray, Color::DarkGray),
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
            (TaskStatus::Done, true) => "v",
            (TaskStatus::Done, false) => "✓",
            (TaskStatus::Failed, true) => "x",
            (TaskStatus::Failed, false) => "✗",
            (TaskStatus::Unknown, _) => "u",
            (TaskStatus::Skipped, _) => "s",
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

    /// What the signs mean that stand for themselves: each has one meaning wherever it is.
    pub fn signs(self) -> [(&'static str, &'static str); 8] {
        [
            ("-", "is live now, and goes"),
            ("+", "is in the backup, and comes"),
            ("~", if self.ascii { "is changed; at a line's end: it is longer" } else { "is changed" }),
            ("@", "lines that are equal on both sides, and not shown"),
            (self.arrow(), "from what is live now to what comes"),
            ("[y] [n]", "a hunk that is taken, one that is left out"),
            ("> #", "the cursor; what is marked"),
            ("!", "a warning"),
        ]
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

    /// Red, green, blue.
    type Rgb = [u8; 3];

    /// A terminal as it is set when it is new: its background, and the colours that a theme asks for.
    struct Terminal {
        name: &'static str,
        background: Rgb,
        colours: &'static [(Color, Rgb)],
    }

    const LIGHT: [Terminal; 5] = [
        Terminal {
            name: "xterm",
            background: [255, 255, 255],
            colours: &[
                (Color::Red, [205, 0, 0]),
                (Color::Blue, [0, 0, 238]),
                (Color::Magenta, [205, 0, 205]),
                (Color::DarkGray, [127, 127, 127]),
            ],
        },
        Terminal {
            name: "GNOME Terminal",
            background: [255, 255, 255],
            colours: &[
                (Color::Red, [192, 28, 40]),
                (Color::Blue, [18, 72, 139]),
                (Color::Magenta, [163, 71, 186]),
                (Color::DarkGray, [94, 92, 100]),
            ],
        },
        Terminal {
            name: "kitty",
            background: [255, 255, 255],
            colours: &[
                (Color::Red, [204, 4, 3]),
                (Color::Blue, [13, 115, 204]),
                (Color::Magenta, [203, 30, 209]),
                (Color::DarkGray, [118, 118, 118]),
            ],
        },
        Terminal {
            name: "Windows Terminal",
            background: [255, 255, 255],
            colours: &[
                (Color::Red, [197, 15, 31]),
                (Color::Blue, [0, 55, 218]),
                (Color::Magenta, [136, 23, 152]),
                (Color::DarkGray, [118, 118, 118]),
            ],
        },
        Terminal {
            name: "Solarized light",
            background: [253, 246, 227],
            colours: &[
                (Color::Red, [220, 50, 47]),
                (Color::Blue, [38, 139, 210]),
                (Color::Magenta, [211, 54, 130]),
                (Color::DarkGray, [0, 43, 54]),
            ],
        },
    ];

    const DARK: [Terminal; 5] = [
        Terminal {
            name: "xterm",
            background: [0, 0, 0],
            colours: &[
                (Color::Green, [0, 205, 0]),
                (Color::Yellow, [205, 205, 0]),
                (Color::Gray, [229, 229, 229]),
                (Color::DarkGray, [127, 127, 127]),
                (Color::LightRed, [255, 0, 0]),
                (Color::LightCyan, [0, 255, 255]),
            ],
        },
        Terminal {
            name: "the Linux console",
            background: [0, 0, 0],
            colours: &[
                (Color::Green, [0, 170, 0]),
                (Color::Yellow, [170, 85, 0]),
                (Color::Gray, [170, 170, 170]),
                (Color::DarkGray, [85, 85, 85]),
                (Color::LightRed, [255, 85, 85]),
                (Color::LightCyan, [85, 255, 255]),
            ],
        },
        Terminal {
            name: "GNOME Terminal",
            background: [23, 20, 33],
            colours: &[
                (Color::Green, [38, 162, 105]),
                (Color::Yellow, [162, 115, 76]),
                (Color::Gray, [208, 207, 204]),
                (Color::DarkGray, [94, 92, 100]),
                (Color::LightRed, [246, 97, 81]),
                (Color::LightCyan, [51, 199, 222]),
            ],
        },
        Terminal {
            name: "Windows Terminal",
            background: [12, 12, 12],
            colours: &[
                (Color::Green, [19, 161, 14]),
                (Color::Yellow, [193, 156, 0]),
                (Color::Gray, [204, 204, 204]),
                (Color::DarkGray, [118, 118, 118]),
                (Color::LightRed, [231, 72, 86]),
                (Color::LightCyan, [97, 214, 214]),
            ],
        },
        Terminal {
            // Four of its bright colours are greys, and bright black is its background.
            name: "Solarized dark",
            background: [0, 43, 54],
            colours: &[
                (Color::Green, [133, 153, 0]),
                (Color::Yellow, [181, 137, 0]),
                (Color::Gray, [238, 232, 213]),
                (Color::DarkGray, [0, 43, 54]),
                (Color::LightRed, [203, 75, 22]),
                (Color::LightCyan, [147, 161, 161]),
            ],
        },
    ];

    /// Solarized's own reds and blues have no more on its own backgrounds.
    const LEAST: f64 = 3.3;

    /// As WCAG 2 counts it: from 1, which nobody can read, to 21.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let linear = |part: u8| (f64::from(part) / 255.0).powf(2.2);
        let light = |[red, green, blue]: Rgb| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
        let (one, other) = (light(one) + 0.05, light(other) + 0.05);
        one.max(other) / one.min(other)
    }

    impl Terminal {
        fn contrast_of(&self, colour: Color) -> f64 {
            let known = self.colours.iter().find(|(asked, _)| *asked == colour);
            let (_, shown) = known.unwrap_or_else(|| panic!("nobody looked what {colour} is in {}", self.name));
            contrast(*shown, self.background)
        }
    }

    #[test]
    fn every_colour_of_a_word_can_be_read_on_the_terminals_of_its_theme() {
        use Role as R;
        let words = [R::Quiet, R::Good, R::Bad, R::Attention, R::Active, R::Added, R::Removed, R::Key, R::Danger];
        for (palette, terminals) in [(Palette::Light, &LIGHT), (Palette::Dark, &DARK)] {
            let theme = Theme { palette, ascii: false };
            for role in words {
                let asked = theme.style(role);
                assert!(!asked.add_modifier.contains(Modifier::DIM), "{role:?}");
                for terminal in terminals {
                    let found = terminal.contrast_of(asked.fg.unwrap());
                    assert!(found >= LEAST, "{palette:?} {role:?} in {}: {found:.1}", terminal.name);
                }
            }
            assert_ne!(theme.style(R::Added), theme.style(R::Removed));
        }
        assert!(DARK.iter().any(|terminal| terminal.contrast_of(Color::DarkGray) < 1.1), "words in it are not there");
        assert!(contrast([0, 205, 0], [255, 255, 255]) < 2.5, "xterm's green on white");
    }

    #[test]
    fn without_colours_only_lines_are_dim() {
        let mono = Theme { palette: Palette::Mono, ascii: false };
        assert!(mono.style(Role::Line).add_modifier.contains(Modifier::DIM));
        assert_eq!(mono.style(Role::Quiet), Style::default());
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
