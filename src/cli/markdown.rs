//! Pages of Markdown on a terminal.

use termimad::crossterm::style::Color;
use termimad::{Alignment, MadSkin};

/// Lines break where the terminal ends, and tables fit into it. Without `color` it has no escape sequences.
pub fn laid_out(page: &str, columns: usize, color: bool) -> String {
    let mut skin = if color { coloured() } else { MadSkin::no_style() };
    skin.headers.iter_mut().for_each(|header| header.align = Alignment::Left);
    skin.text(&joined(page, color), Some(columns.max(NARROWEST))).to_string()
}

/// In less, the words of tables break.
const NARROWEST: usize = 60;

/// The terminal's own colours, for dark and light ones alike: no background.
fn coloured() -> MadSkin {
    let mut skin = MadSkin::default();
    skin.set_headers_fg(Color::DarkCyan);
    for style in [&mut skin.inline_code, &mut skin.code_block.compound_style] {
        style.object_style.background_color = None;
        style.set_fg(Color::DarkGreen);
    }
    skin
}

/// Each paragraph and each entry of a list in one line of its own, and lists marked as the layout knows them. Without
/// colours a heading has capital letters, as in a manual page.
fn joined(page: &str, color: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut is_code, mut goes_on) = (false, false);
    for line in page.lines() {
        let text = line.trim_start();
        let is_fence = text.starts_with("```");
        is_code ^= is_fence;
        if is_code || is_fence {
            lines.push(line.to_owned());
            goes_on = false;
            continue;
        }
        let is_block = text.is_empty() || text.starts_with(['#', '|']);
        let entry = text.strip_prefix("- ");
        match lines.last_mut() {
            Some(last) if goes_on && !is_block && entry.is_none() => *last += &format!(" {text}"),
            _ => lines.push(match entry {
                Some(entry) => format!("{}* {entry}", &line[..line.len() - text.len()]),
                None if !color && is_heading(line) => line.to_uppercase(),
                None => line.to_owned(),
            }),
        }
        goes_on = !is_block;
    }
    lines.join("\n")
}

/// Those below are names, as of kinds.
fn is_heading(line: &str) -> bool {
    line.starts_with("# ") || line.starts_with("## ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Files\n\nA directory\nof files.\n\n- one that\n  goes on\n- two\n\n```sh\n# all\nls\n  -l\n```\n\n\
                        | key | does |\n|---|---|\n| `enter` | opens what is there, and closes it once more when you are done |\n";

    #[test]
    fn broken_lines_become_one_but_for_code_and_tables() {
        let joined = joined(PAGE, true);
        assert!(joined.starts_with("# Files\n\nA directory of files.\n\n* one that goes on\n* two\n"), "{joined}");
        assert!(joined.contains("```sh\n# all\nls\n  -l\n```\n\n| key | does |\n|---|---|\n| `enter`"), "{joined}");
    }

    #[test]
    fn a_page_is_as_wide_as_the_terminal_and_has_every_word() {
        let shown = laid_out(PAGE, 60, false);
        assert!(shown.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 60), "{shown}");
        let words = ["FILES", "A directory of files.", "goes on", "# all", "ls", "  -l", "enter", "opens what"];
        assert!(words.iter().all(|word| shown.contains(word)), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown:?}");
        assert!(laid_out(PAGE, 60, true).contains('\u{1b}'));
    }
}
