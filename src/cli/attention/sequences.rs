use super::Attention;
use super::call::Call;

/// Longer notes are cut by terminals.
const MOST: usize = 200;
/// Keeps the terminal's title, to be put back by the other.
const KEEP_TITLE: &str = "\x1b[22;2t";
const GIVE_TITLE_BACK: &str = "\x1b[23;2t";

/// What the terminal is sent for a call: it moves nothing on the screen.
pub fn of(attention: &Attention, call: &Call, is_first: bool) -> String {
    // No text ends its own sequence, and none has a field more.
    let text: String = call.text.chars().filter(|one| !one.is_control()).take(MOST).collect();
    let text = text.replace(';', ",");
    let mut sequences = String::new();
    if attention.title {
        let keep = if is_first { KEEP_TITLE } else { "" };
        sequences.push_str(&format!("{keep}\x1b]2;rekindle: {text}\x07"));
    }
    if attention.notification {
        sequences.push_str(&format!("\x1b]9;rekindle: {text}\x07\x1b]777;notify;rekindle;{text}\x07"));
    }
    if attention.bell {
        sequences.push('\x07');
    }
    sequences
}

/// After the last call.
pub fn end(attention: &Attention) -> &'static str {
    if attention.title { GIVE_TITLE_BACK } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Moment;

    #[test]
    fn a_text_can_neither_end_its_sequence_nor_add_a_field() {
        let call = Call { moment: Moment::Failure, text: "a\x07b;c\x1b]52;x".to_owned(), by_step: false };
        let attention = Attention { title: true, notification: true, bell: true, ..Attention::default() };
        let sent = of(&attention, &call, true);
        assert_eq!(
            sent,
            "\x1b[22;2t\x1b]2;rekindle: ab,c]52,x\x07\x1b]9;rekindle: ab,c]52,x\x07\
             \x1b]777;notify;rekindle;ab,c]52,x\x07\x07"
        );
        assert_eq!(of(&Attention { bell: true, ..Attention::default() }, &call, false), "\x07");
    }
}
