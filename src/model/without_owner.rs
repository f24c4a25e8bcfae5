/// `text` with `instead` wherever it names that owner as a whole word: `1` is not taken out of `10`.
pub fn without_owner(text: &str, owner: &str, instead: &str) -> String {
    if owner.is_empty() {
        return text.to_owned();
    }
    let touches = |one: Option<char>| one.is_some_and(char::is_alphanumeric);
    let mut left = String::with_capacity(text.len());
    let mut last = None;
    for (at, found) in text.match_indices(owner) {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + found.len()..).unwrap_or_default();
        let is_word = !touches(before.chars().next_back()) && !touches(after.chars().next());
        left.push_str(text.get(last.unwrap_or(0)..at).unwrap_or_default());
        left.push_str(if is_word { instead } else { owner });
        last = Some(at + found.len());
    }
    left.push_str(text.get(last.unwrap_or(0)..).unwrap_or_default());
    left
}

#[cfg(test)]
mod tests {
    use super::without_owner;

    #[test]
    fn only_whole_words_are_taken_out() {
        assert_eq!(without_owner("home/ana and ana-ana, banana", "ana", "…"), "home/… and …-…, banana");
        assert_eq!(without_owner("10 of 1", "1", "…"), "10 of …");
        assert_eq!(without_owner("öana ana", "ana", "…"), "öana …");
        assert_eq!(without_owner("ana", "", "…"), "ana");
    }
}
