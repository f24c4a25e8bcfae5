use std::ops::Range;

/// The text with each of these places replaced. New text has `\n` for a line break, and gets those of the text; whether the
/// text ends in one stays as it is. What comes to one place comes in the order given. `None`: two of the places overlap, or
/// one is not in the text.
pub fn spliced(text: &str, mut pieces: Vec<(Range<usize>, String)>) -> Option<String> {
    pieces.sort_by_key(|(place, _)| (place.start, place.end));
    let has_returns = text.contains("\r\n");
    let is_open = !text.is_empty() && !text.ends_with('\n');
    let (mut made, mut at) = (String::with_capacity(text.len()), 0);
    for (place, new) in pieces {
        made.push_str(text.get(at..place.start)?);
        if place.start == text.len() && is_open && !made.ends_with('\n') {
            made.push_str(if has_returns { "\r\n" } else { "\n" });
        }
        let new = if has_returns { new.replace("\r\n", "\n").replace('\n', "\r\n") } else { new };
        made.push_str(&new);
        at = place.end;
    }
    made.push_str(text.get(at..)?);
    if is_open {
        made.truncate(made.trim_end_matches(['\r', '\n']).len());
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(text: &str, pieces: &[(Range<usize>, &str)]) -> Option<String> {
        spliced(text, pieces.iter().map(|(place, new)| (place.clone(), (*new).to_owned())).collect())
    }

    #[test]
    fn line_breaks_and_the_end_stay_as_they_are() {
        assert_eq!(splice("a\r\nb\r\n", &[(3..4, "x\ny"), (0..0, "n\n")]).unwrap(), "n\r\na\r\nx\r\ny\r\n");
        assert_eq!(splice("a\nb", &[(3..3, "c\n"), (3..3, "d\n")]).unwrap(), "a\nb\nc\nd");
        assert_eq!(splice("a\nb", &[(2..3, "")]).unwrap(), "a");
        assert_eq!(splice("a\n", &[(0..2, ""), (0..0, "b\n")]).unwrap(), "b\n");
        assert_eq!(splice("", &[(0..0, "a\n")]).unwrap(), "a\n");
        assert_eq!(splice("abc", &[(0..2, ""), (1..3, "")]), None);
        assert_eq!(splice("é", &[(1..2, "")]), None);
    }
}
