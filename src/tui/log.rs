use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use tui_logger::{ExtLogRecord, LogFormatter, TuiLoggerWidget, TuiTracingSubscriberLayer, TuiWidgetState};

use crate::model::visible;

use super::cells::wrap;
use super::theme::{Role, Theme};

/// Characters of one record; the log's file has all.
const MAX_MESSAGE: usize = 1_000;

/// Hands what is traced to the log pane; for the program's own `tracing` subscriber.
pub fn layer() -> TuiTracingSubscriberLayer {
    TuiTracingSubscriberLayer
}

/// Levels below `level` are not kept. The screen's loop moves the records on; no thread does.
pub fn start(level: log::LevelFilter) {
    tui_logger::set_default_level(level);
}

pub fn render(theme: Theme, level: log::LevelFilter, area: Rect, buffer: &mut Buffer) {
    let state = TuiWidgetState::new().set_default_display_level(level);
    TuiLoggerWidget::default().formatter(Box::new(Visible { theme })).state(&state).render(area, buffer);
}

/// Messages may quote names from outside, so each is shown with its control characters visible.
struct Visible {
    theme: Theme,
}

impl LogFormatter for Visible {
    fn min_width(&self) -> u16 {
        20
    }

    fn format(&self, width: usize, record: &ExtLogRecord) -> Vec<Line<'_>> {
        let role = match record.level {
            log::Level::Error => Role::Bad,
            log::Level::Warn => Role::Attention,
            _ => Role::Plain,
        };
        let time = record.timestamp.strftime("%H:%M:%S");
        let message = record.msg();
        let cut = message.char_indices().nth(MAX_MESSAGE).map_or(message, |(end, _)| &message[..end]);
        let text = format!("{time} {:<5}{}", record.level, visible(cut));
        let style: Style = self.theme.style(role);
        wrap(&text, width).into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
    }
}
