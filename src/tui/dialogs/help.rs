use crate::tui::keymap::{Context, Keymap};

/// Help is the keymap itself, the keys that are meant here first.
pub fn lines(keymap: &Keymap, here: Context) -> Vec<(String, String)> {
    use Context as C;
    let others = [C::Groups, C::Failure, C::Steps, C::Matrix, C::Review, C::Evidence];
    let order = [here, C::Everywhere].into_iter().chain(others.into_iter().filter(|context| *context != here));
    let mut lines = Vec::new();
    for context in order {
        if !lines.is_empty() {
            lines.push((String::new(), String::new()));
        }
        lines.push((String::new(), context.title().to_owned()));
        for binding in keymap.bindings.iter().filter(|binding| binding.context == context) {
            let names: Vec<_> = binding.keys.iter().map(|(name, _)| name.as_str()).collect();
            lines.push((names.join(" "), binding.about.to_owned()));
        }
    }
    lines
}

/// Of these lines those with that text, under their headings; all of them without one.
pub fn with(lines: Vec<(String, String)>, text: &str) -> Vec<(String, String)> {
    let text = text.trim().to_lowercase();
    if text.is_empty() {
        return lines;
    }
    let mut found = Vec::new();
    let mut heading = None;
    for (key, about) in lines {
        if key.is_empty() {
            heading = Some((key, about)).filter(|(_, about)| !about.is_empty());
        } else if format!("{key} {about}").to_lowercase().contains(&text) {
            found.extend(heading.take());
            found.push((key, about));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_key_that_does_something() {
        let keymap = Keymap::default();
        let lines = lines(&keymap, Context::Review);
        assert_eq!(lines[0].1, "Review");
        for binding in &keymap.bindings {
            assert!(lines.iter().any(|(_, about)| about == binding.about), "{}", binding.about);
        }
    }

    #[test]
    fn a_search_keeps_what_it_finds_under_its_heading() {
        let found = with(lines(&Keymap::default(), Context::Steps), "Way back");
        assert_eq!(found[0].1, "Steps");
        assert!(found[1].1.contains("way back"), "{found:?}");
        assert!(!found.iter().any(|(_, about)| about.contains("Zoom") || about == "Matrix"), "{found:?}");
        assert!(with(lines(&Keymap::default(), Context::Steps), "no such key").is_empty());
    }
}
