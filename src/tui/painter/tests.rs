use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::*;
use crate::tui::fixtures::{Desk, story};
use crate::tui::state::Model;
use crate::tui::theme::{Palette, Theme};

fn paint(painter: &mut Painter<Vec<u8>>, former: &Buffer, now: &Buffer) -> Vec<u8> {
    painter.widen(now.area.width);
    let updates = former.diff(now);
    painter.draw(updates.into_iter()).unwrap();
    painter.flush().unwrap();
    std::mem::take(&mut painter.output)
}

fn frame(model: &Model) -> Buffer {
    let area = Rect { x: 0, y: 0, width: model.width, height: model.height };
    let mut buffer = Buffer::empty(area);
    crate::tui::view::view(model, area, &mut buffer);
    buffer
}

/// What a terminal makes of the bytes: each cell's text, and how it looks.
fn cells(terminal: &vt100::Parser, area: Rect) -> Vec<(String, vt100::Color, [bool; 3])> {
    let places = (0..area.height).flat_map(|y| (0..area.width).map(move |x| (x, y)));
    let cell = |(x, y)| {
        let cell = terminal.screen().cell(y, x).unwrap();
        let text = if cell.contents().is_empty() { " " } else { cell.contents() };
        let is_blank = text == " " && !cell.inverse() && !cell.underline();
        let fg = if is_blank { vt100::Color::Default } else { cell.fgcolor() };
        (text.to_owned(), fg, [cell.bold() && !is_blank, cell.inverse(), cell.underline()])
    };
    places.map(cell).collect()
}

/// One frame after another through a real terminal's eyes looks as each would by itself.
#[test]
fn a_terminal_shows_what_the_frame_holds_whatever_was_there_before() {
    for theme in [Theme::default(), Theme { palette: Palette::Light, ascii: false }, crate::tui::fixtures::mono()] {
        for (width, height) in [(60, 15), (80, 24), (200, 60)] {
            let mut desk = Desk::with_theme(&story(), width, height, theme);
            let area = Rect { x: 0, y: 0, width, height };
            let size = |number| std::num::NonZero::new(number).unwrap();
            let mut terminal = vt100::Parser::new(size(height), size(width), 0);
            let mut painter = Painter::new(Vec::new());
            let mut former = Buffer::empty(area);
            for key in ["j", "j", "2", "l", "4", "?", "esc", "1", "G", "A", "esc", "/", "x", "esc", "g", "3"] {
                desk.press(key);
                let now = frame(&desk.model);
                terminal.process(&paint(&mut painter, &former, &now));
                let mut anew = vt100::Parser::new(size(height), size(width), 0);
                anew.process(&paint(&mut Painter::new(Vec::new()), &Buffer::empty(area), &now));
                let text =
                    |buffer: &Buffer| buffer.content.iter().map(|cell| cell.symbol().to_owned()).collect::<Vec<_>>();
                let seen = cells(&terminal, area);
                assert_eq!(seen.iter().map(|(text, ..)| text.clone()).collect::<Vec<_>>(), text(&now), "{key}");
                assert_eq!(seen, cells(&anew, area), "{key}");
                former = now;
            }
        }
    }
}

#[test]
fn looks_change_by_the_shorter_way() {
    let look = |style: Style| Look { fg: style.fg.unwrap_or_default(), bg: Color::Reset, modifier: style.add_modifier };
    let bold = look(Style::new().bold());
    let dim_red = look(Style::new().dim().red());
    assert_eq!(PLAIN.after(bold), "");
    assert_eq!(bold.after(PLAIN), "1");
    assert_eq!(dim_red.after(bold), "0;2;31");
    assert_eq!(look(Style::new().red()).after(look(Style::new().red().bold())), "22");
    assert_eq!(bold.after(look(Style::new().bold().dim())), "0;1");
    assert_eq!(look(Style::new().reversed()).after(dim_red), "0;7");
}

/// In every look: a slow link carries four of them a second. Where the next task is in another state, or in
/// another place, the keys that matter change too.
#[test]
fn moving_the_cursor_costs_few_bytes() {
    for palette in [Palette::Dark, Palette::Light, Palette::Mono] {
        for (width, height, most, most_elsewhere) in [(80, 24, 300, 400), (200, 60, 600, 900)] {
            let mut desk = Desk::with_theme(&story(), width, height, Theme { palette, ascii: false });
            desk.at("account/ana").press("j");
            let mut painter = Painter::new(Vec::new());
            let mut former = (frame(&desk.model), desk.model.cursor);
            for key in ["j", "j", "j", "j", "j", "j", "k", "k", "k", "k", "k", "k"] {
                desk.press(key);
                let now = (frame(&desk.model), desk.model.cursor);
                let bytes = paint(&mut painter, &former.0, &now.0);
                let run = &desk.model.run;
                let like = |id: crate::model::TaskId| (run.step_of(id), run.tasks[id.index()].status);
                let most = if former.1.map(like) == now.1.map(like) { most } else { most_elsewhere };
                println!("{palette:?} {width}x{height} {key}: {} bytes of {most}", bytes.len());
                assert!(bytes.len() <= most, "{}: {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
                former = now;
            }
            assert_eq!(paint(&mut painter, &former.0, &former.0), b"", "nothing changed");
        }
    }
}
