use std::ops::Range;

use base64::Engine as _;
use zeroize::Zeroizing;

use crate::model::{COVERED, Secret};

/// Shorter lines of a secret of several lines are in many harmless ones too.
const SHORTEST_LINE: usize = 4;

/// Covers the secrets that are known in what a command prints: as they are, line by line, and as JSON, a URL or base64
/// would hold them.
#[derive(Clone, Default)]
pub struct Mask {
    /// The longest first: one may begin with another.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Mask {
    pub fn of(secrets: &[Secret]) -> Self {
        let mut forms: Vec<Zeroizing<Vec<u8>>> = Vec::new();
        for secret in secrets {
            let text = secret.expose();
            let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
            forms.extend(lines.map(|line| Zeroizing::new(line.as_bytes().to_vec())));
            let as_json = serde_json::Value::from(text).to_string();
            let as_base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
            let others = [text, as_json.trim_matches('"'), &percent(text), &as_base64];
            forms.extend(others.map(|form| Zeroizing::new(form.as_bytes().to_vec())));
        }
        forms.retain(|form| !form.is_empty());
        forms.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        forms.dedup();
        Self { forms }
    }

    /// In bytes.
    pub fn longest(&self) -> usize {
        self.forms.first().map_or(0, |form| form.len())
    }

    pub fn covered(&self, text: &[u8]) -> Vec<u8> {
        let mut covered = Vec::with_capacity(text.len());
        let mut at = 0;
        for found in self.places(text) {
            covered.extend_from_slice(text.get(at..found.start).unwrap_or_default());
            covered.extend_from_slice(COVERED.as_bytes());
            at = found.end;
        }
        covered.extend_from_slice(text.get(at..).unwrap_or_default());
        covered
    }

    /// How much of a text that goes on can be shown: what is left may be the beginning of a secret.
    pub fn complete(&self, text: &[u8]) -> usize {
        let end = text.len() - text.len().min(self.longest().saturating_sub(1));
        self.places(text).into_iter().find(|found| found.contains(&end)).map_or(end, |found| found.end)
    }

    fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            match self.forms.iter().find(|form| rest.starts_with(form)) {
                Some(form) => {
                    found.push(at..at + form.len());
                    at += form.len();
                }
                None => at += 1,
            }
        }
        found
    }
}

/// As a URL holds it.
fn percent(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(secrets: &[&str], text: &str) -> String {
        let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
        String::from_utf8(Mask::of(&secrets).covered(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_secret_is_covered_in_every_form_that_it_is_printed_in() {
        let secret = "pa\"ss w/ord";
        assert_eq!(covered(&[secret], "T=pa\"ss w/ord!"), "T=••••!");
        assert_eq!(covered(&[secret], r#"{"token":"pa\"ss w/ord"}"#), r#"{"token":"••••"}"#);
        assert_eq!(covered(&[secret], "?token=pa%22ss%20w%2Ford&x"), "?token=••••&x");
        assert_eq!(covered(&[secret], "cGEic3Mgdy9vcmQ="), "••••=");
        assert_eq!(covered(&["-----KEY\nabcdef\n-----"], "line abcdef of it"), "line •••• of it");
        assert_eq!(covered(&["pass", "password"], "password pass"), "•••• ••••");
        assert_eq!(covered(&["", "é"], "café"), "caf••••");
    }

    #[test]
    fn what_may_become_a_secret_is_not_complete_yet() {
        let mask = Mask::of(&[Secret::new("secret")]);
        let longest = mask.longest();
        assert_eq!(mask.complete(b"the sec"), "the sec".len().saturating_sub(longest - 1));
        assert_eq!(mask.complete(b"abcdefghijsecretkl"), "abcdefghijsecret".len(), "a whole one is not cut");
        assert_eq!(Mask::default().complete(b"abc"), 3);
    }
}
