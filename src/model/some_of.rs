/// The first names, and how many more there are: `ana, bob and 3 more`.
pub fn some_of<Name: AsRef<str>>(names: impl IntoIterator<Item = Name>, most: usize, between: &str) -> String {
    let mut names = names.into_iter();
    let mut text = String::new();
    for (at, name) in names.by_ref().take(most).enumerate() {
        if at > 0 {
            text.push_str(between);
        }
        text.push_str(name.as_ref());
    }
    match names.count() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn what_is_not_named_is_counted() {
        let names = |count: usize| (0..count).map(|at| format!("u{at}"));
        assert_eq!(some_of(names(2), 2, ", "), "u0, u1");
        assert_eq!(some_of(names(5), 2, " "), "u0 u1 and 3 more");
        assert_eq!(some_of(names(0), 2, ", "), "");
    }
}
