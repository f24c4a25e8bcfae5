//! A screen as one text: every size, every look, and how each piece of it is styled.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::tui::fixtures::{Desk, ascii, mono, story};
use crate::tui::theme::{Palette, Role, Theme};

use super::SIZES;

/// Of two roles that look the same the first one's letter stands for both.
const LETTERS: [(Role, char); 13] = [
    (Role::Plain, '.'),
    (Role::Quiet, 'q'),
    (Role::Line, 'l'),
    (Role::Title, 'T'),
    (Role::Good, 'g'),
    (Role::Bad, 'B'),
    (Role::Attention, 'A'),
    (Role::Active, 'a'),
    (Role::Added, '+'),
    (Role::Removed, '-'),
    (Role::Key, 'K'),
    (Role::Danger, 'D'),
    (Role::Cursor, 'C'),
];

/// One row of the screen: its text, and below each place where the style changes the letter of the new one.
#[derive(Clone, PartialEq, Eq)]
struct Row {
    text: String,
    styles: String,
}

/// Asserts the snapshot `name` of the screen that `open` leads to.
pub fn snap(name: &str, open: impl Fn(&mut Desk)) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, all(&open)));
}

fn all(open: &dyn Fn(&mut Desk)) -> String {
    let light = Theme { palette: Palette::Light, ascii: false };
    let mut text = String::new();
    let mut strange = BTreeMap::new();
    for (width, height) in SIZES {
        let dark = rows(open, width, height, Theme::default(), &mut strange);
        text.push_str(&format!("== {width}x{height}\n"));
        dark.iter().for_each(|row| row.tell(&mut text, None));
        for (look, theme) in [("light", light), ("NO_COLOR", mono()), ("ascii", ascii())] {
            let other = rows(open, width, height, theme, &mut strange);
            let differ: Vec<usize> = (0..other.len()).filter(|at| other[*at] != dark[*at].as_seen_in(theme)).collect();
            let told = if differ.is_empty() { "as above" } else { "as above, but" };
            text.push_str(&format!("== {width}x{height} {look}: {told}\n"));
            differ.iter().for_each(|at| other[*at].tell(&mut text, Some(*at)));
        }
    }
    for (style, letter) in strange {
        text.push_str(&format!("{letter} = {style}\n"));
    }
    text
}

fn rows(
    open: &dyn Fn(&mut Desk),
    width: u16,
    height: u16,
    theme: Theme,
    strange: &mut BTreeMap<String, char>,
) -> Vec<Row> {
    let mut desk = Desk::with_theme(&story(), width, height, theme);
    open(&mut desk);
    let terminal = desk.draw();
    let buffer = terminal.backend().buffer();
    (0..height).map(|y| Row::of(buffer, y, theme, strange)).collect()
}

impl Row {
    fn of(buffer: &Buffer, y: u16, theme: Theme, strange: &mut BTreeMap<String, char>) -> Self {
        let (mut text, mut styles) = (String::new(), String::new());
        let mut former = '.';
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            text.push_str(cell.symbol());
            let letter = letter(cell.style(), theme, strange);
            styles.push(if letter == former { ' ' } else { letter });
            former = letter;
        }
        Self { text: text.trim_end().to_owned(), styles: styles.trim_end().to_owned() }
    }

    /// Without colours what differs by them alone is one style.
    fn as_seen_in(&self, theme: Theme) -> Self {
        let mut former = '.';
        let mut styles = String::new();
        let mut worn = '.';
        for letter in self.styles.chars() {
            worn = if letter == ' ' { worn } else { letter };
            let role = LETTERS.iter().find(|(_, of_role)| *of_role == worn).map(|(role, _)| *role);
            let seen = role.and_then(|role| first_like(theme.style(role), theme)).unwrap_or(worn);
            styles.push(if seen == former { ' ' } else { seen });
            former = seen;
        }
        Self { text: self.text.clone(), styles: styles.trim_end().to_owned() }
    }

    fn tell(&self, told: &mut String, number: Option<usize>) {
        let number = number.map_or_else(String::new, |number| format!("{number:>2}"));
        told.push_str(&format!("{number}|{}\n", self.text));
        if !self.styles.is_empty() {
            told.push_str(&format!("{}:{}\n", " ".repeat(number.len()), self.styles));
        }
    }
}

fn first_like(style: Style, theme: Theme) -> Option<char> {
    let same = |role: Role| {
        let of_role = theme.style(role);
        of_role.fg.unwrap_or_default() == style.fg.unwrap_or_default()
            && of_role.bg.unwrap_or_default() == style.bg.unwrap_or_default()
            && of_role.add_modifier == style.add_modifier
    };
    LETTERS.iter().find(|(role, _)| same(*role)).map(|(_, letter)| *letter)
}

/// A style that no role has by itself gets a digit, which is told at the end.
fn letter(style: Style, theme: Theme, strange: &mut BTreeMap<String, char>) -> char {
    first_like(style, theme).unwrap_or_else(|| {
        let told = format!("{:?} {:?}", style.fg.unwrap_or_default(), style.add_modifier);
        let next = char::from(b'1' + u8::try_from(strange.len()).unwrap_or(0));
        *strange.entry(told).or_insert(next)
    })
}

#[test]
fn what_the_letters_of_the_other_snapshots_look_like() {
    let mut told = String::new();
    for (look, palette) in [("dark", Palette::Dark), ("light", Palette::Light), ("NO_COLOR", Palette::Mono)] {
        for (role, letter) in LETTERS {
            let style = Theme { palette, ascii: false }.style(role);
            let colour = style.fg.map_or("-".to_owned(), |colour| format!("{colour:?}"));
            told.push_str(&format!(
                "{look:<9} {letter}  {:<10} {colour:<10} {:?}\n",
                format!("{role:?}"),
                style.add_modifier
            ));
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots");
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("theme", told));
}
