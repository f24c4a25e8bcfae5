use serde_json::Value;

use super::super::kinds::Kind;
use super::standing::Standing;
use super::target::{field, text};
use crate::model::visible;

/// What the realm's user profile does not take of a user who is there, as far as that can be told from here: by the
/// names of its validators. Then the server refuses every change of that user's own fields and credentials, whatever it
/// is about.
pub(super) fn refusals(user: &Value, standing: &Standing) -> Vec<String> {
    let Some(profile) = standing.document(&Kind::UserProfile.id::<&str>(&[]).key) else { return Vec::new() };
    let settings = standing.document(&Kind::RealmSettings.id::<&str>(&[]).key);
    // A name that nobody can change is not looked at.
    let names_change = settings.is_some_and(|of| field(of, "editUsernameAllowed").as_bool() == Some(true));
    let mut found = Vec::new();
    for attribute in field(profile, "attributes").as_array().into_iter().flatten() {
        let Some(name) = text(attribute, "name").filter(|name| names_change || *name != "username") else { continue };
        let values = values(user, name);
        for (validator, options) in field(attribute, "validations").as_object().into_iter().flatten() {
            if values.iter().any(|value| !takes(validator, options, value)) {
                found.push(format!("{} ({})", visible(name), visible(validator)));
            }
        }
        if values.is_empty() && standing.required_attributes().any(|required| required == name) {
            found.push(format!("{} (required)", visible(name)));
        }
    }
    found
}

fn values<'a>(user: &'a Value, name: &str) -> Vec<&'a str> {
    let attribute = field(field(user, "attributes"), name).as_array();
    let several = attribute.into_iter().flatten().filter_map(Value::as_str);
    several.chain(text(user, name)).filter(|value| !value.is_empty()).collect()
}

/// Of the server's own validators those that need no more than the value. What is not known takes everything.
fn takes(validator: &str, options: &Value, value: &str) -> bool {
    let number = |name: &str| {
        let given = field(options, name);
        given.as_u64().or_else(|| given.as_str()?.parse().ok()).and_then(|number| usize::try_from(number).ok())
    };
    match validator {
        "length" => {
            let length = value.chars().count();
            number("min").is_none_or(|min| length >= min) && number("max").is_none_or(|max| length <= max)
        }
        "username-prohibited-characters" => !value
            .chars()
            .any(|one| one.is_control() || one.is_whitespace() || "<>&\"'$%!#?§,;:*~/\\|^=[]{}()`".contains(one)),
        "person-name-prohibited-characters" => {
            !value.chars().any(|one| one.is_control() || "<>&\"$%!#?§;*~/\\|^=[]{}()".contains(one))
        }
        "up-username-not-idn-homograph" => value.chars().all(|one| !one.is_alphabetic() || is_latin(one)),
        "email" => value.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@') && !value.contains(char::is_whitespace)
        }),
        "options" => field(options, "options")
            .as_array()
            .is_none_or(|all| all.iter().any(|option| option.as_str() == Some(value))),
        _ => true,
    }
}

fn is_latin(letter: char) -> bool {
    matches!(letter, '\0'..='\u{2b8}' | '\u{1d00}'..='\u{1d25}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}'
        | '\u{a722}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab64}' | '\u{fb00}'..='\u{fb06}' | '\u{ff21}'..='\u{ff5a}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_taken_as_the_server_takes_them() {
        let refused = [
            ("length", json!({"min": 3, "max": "5"}), vec!["ab", "abcdef"], "abc"),
            ("username-prohibited-characters", json!({}), vec!["a b", "o'neil", "100%", "team/lead"], "bob+x@y.org"),
            ("person-name-prohibited-characters", json!({}), vec!["a<b", "x;y"], "O'Neil, Jr."),
            ("up-username-not-idn-homograph", json!({}), vec!["зоя", "əlif.中文"], "dörte-1"),
            ("email", json!({}), vec!["nobody", "a b@c", "@x", "a@b@c"], "a@b.c"),
            ("options", json!({"options": ["red"]}), vec!["blue"], "red"),
        ];
        for (validator, options, bad, good) in refused {
            assert!(takes(validator, &options, good), "{validator} {good}");
            for value in bad {
                assert!(!takes(validator, &options, value), "{validator} {value}");
            }
        }
        assert!(takes("of a later version", &json!({}), "anything"));
    }
}
