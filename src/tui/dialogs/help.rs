use crate::tui::keymap::{Context, Keymap};
use crate::tui::state::Tab;

/// Help is the keymap itself, the present tab's keys first.
pub fn lines(keymap: &Keymap, tab: Tab) -> Vec<(String, String)> {
    let others = Tab::ALL.iter().map(|other| other.context()).filter(|context| *context != tab.context());
    let order =
        [tab.context(), Context::Everywhere].into_iter().chain([Context::Groups, Context::Failure]).chain(others);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_key_that_does_something() {
        let keymap = Keymap::default();
        let lines = lines(&keymap, Tab::Review);
        assert_eq!(lines[0].1, "Review");
        for binding in &keymap.bindings {
            assert!(lines.iter().any(|(_, about)| about == binding.about), "{}", binding.about);
        }
    }
}
