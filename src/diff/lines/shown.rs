use crate::model::visible;

/// A line as a terminal may show it: control characters, CR and spaces at its end are visible,
/// its line break is not.
pub fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\r');
    let kept = line.len() - line.iter().rev().take_while(|byte| is_space(byte)).count();
    let (text, end) = line.split_at(kept);
    let mut shown = visible(text).into_owned();
    shown.extend(visible(end).chars().map(|character| if character == ' ' { '·' } else { character }));
    shown
}
