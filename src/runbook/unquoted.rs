use super::finding::Span;

/// The first `${` between brackets and outside quotes: the brace begins a map there, and what the reader then misses,
/// it misses at the end of the file.
pub(super) fn variable_between_brackets(file: u16, text: &str) -> Option<Span> {
    let (mut depth, mut quote, mut before) = (0_usize, None, ' ');
    let mut rest = text.char_indices().peekable();
    while let Some((at, one)) = rest.next() {
        let begins_a_word = before.is_whitespace() || "[{,:".contains(before);
        match (quote, one) {
            (Some('"'), '\\') => drop(rest.next()),
            (Some(open), _) if open == one => quote = None,
            (Some(_), _) => {}
            (None, '#') if before.is_whitespace() => while rest.next_if(|(_, one)| *one != '\n').is_some() {},
            (None, '"' | '\'') if begins_a_word => quote = Some(one),
            (None, '$') if depth > 0 && text.get(at..)?.starts_with("${") => {
                let length = text.get(at..)?.find('}').map_or(2, |end| end + 1);
                return Some(Span { file, start: at, length });
            }
            (None, '[' | '{') if depth > 0 || begins_a_word => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = one;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_that_quotes_do_not_hold_is_found() {
        let found =
            |text: &str| variable_between_brackets(0, text).map(|at| text[at.start..at.start + at.length].to_owned());
        assert_eq!(found("sources: { s: { tar: ${root}/x } }"), Some("${root}".to_owned()));
        assert_eq!(found("run: [echo, \"${a}\", '${b}', it's, ${c}]"), Some("${c}".to_owned()));
        assert_eq!(found("below: ${user} # [ ${x}\nrun: [a, \"${b}\"]\nsays: a [ or so"), None);
        assert_eq!(found("a: [\"\\\"${b}\", x]"), None);
    }
}
