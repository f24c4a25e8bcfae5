use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::model::{Error, ErrorKind, Result, visible};

use super::keymap::{Context, Key, Keymap};

/// Nobody binds so many keys.
const MOST_BYTES: u64 = 64 * 1024;

/// Where an operator's own keys are looked for: `rekindle/keys.toml` below `XDG_CONFIG_HOME`, or `~/.config`.
pub fn path(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("rekindle/keys.toml"))
}

/// The keys of that file, where there is one.
pub fn load(path: &Path) -> Result<Option<Keymap>> {
    let reading = || format!("read the keys in {}", visible(path.as_os_str().as_encoded_bytes()));
    let mut text = String::new();
    let file = match crate::named_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(reading(), error)),
    };
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| Error::io(reading(), error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Error::new(ErrorKind::Invalid, reading(), "it is larger than 64 KB"));
    }
    parse(&text).map(Some).map_err(|found| {
        let place = format!("{}:{}", visible(path.as_os_str().as_encoded_bytes()), found.line);
        let error = Error::new(ErrorKind::Invalid, reading(), format!("{place}: {}", found.what));
        error.next(found.next)
    })
}

/// What is wrong in a file of settings, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub line: usize,
    pub what: String,
    pub next: String,
}

impl Finding {
    /// `at`: a byte of `text`.
    pub fn at(text: &str, at: usize, what: String, next: String) -> Self {
        Self { line: 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count(), what, next }
    }
}

fn parse(text: &str) -> std::result::Result<Keymap, Finding> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = visible(error.message()).into_owned();
        Finding::at(text, at, what, "mend the file's form; it is TOML".to_owned())
    })?;
    keymap_of(text, table.get_ref())
}

/// One table for each place, in it actions with the key or the keys that they have instead of their own:
/// `[steps]`, `skip = "ctrl-s"`, `retry = ["r", "f5"]`.
pub fn keymap_of(text: &str, table: &DeTable<'_>) -> std::result::Result<Keymap, Finding> {
    let finding = |at: usize, what: String, next: String| Finding::at(text, at, what, next);
    let mut keymap = Keymap::default();
    let mut changed = Vec::new();
    for (place, actions) in table {
        let (at, name) = (place.span().start, place.get_ref().as_ref());
        let Some(context) = Context::ALL.into_iter().find(|context| context.name() == name) else {
            let names = Context::ALL.map(Context::name);
            return Err(finding(at, format!("there is no place [{}]", visible(name)), nearest_name(name, &names)));
        };
        let DeValue::Table(actions) = actions.get_ref() else {
            let next = format!("write [{name}], and below it: skip = \"ctrl-s\"");
            return Err(finding(at, format!("{name} is no table of actions"), next));
        };
        for (action, keys) in actions {
            let (at, name) = (action.span().start, action.get_ref().as_ref());
            let names: Vec<_> =
                keymap.bindings.iter().filter(|one| one.context == context).map(|one| one.action.name()).collect();
            let here = keymap.bindings.iter_mut().find(|one| one.context == context && one.action.name() == name);
            let Some(binding) = here else {
                let what = format!("[{}] has no action {}", context.name(), visible(name));
                return Err(finding(at, what, nearest_name(name, &names)));
            };
            binding.keys = read_keys(keys.get_ref()).map_err(|what| {
                let next =
                    "name keys as help does: \"a\", \"A\", \"ctrl-s\", \"enter\", \"f5\", or several: [\"k\", \"up\"]";
                finding(at, what, next.to_owned())
            })?;
            changed.push((context, binding.action, at));
        }
    }
    if let Some((one, other, key)) = keymap.conflict() {
        let of = |binding: &super::keymap::Binding| {
            changed.iter().find(|(context, action, _)| (*context, *action) == (binding.context, binding.action))
        };
        let at = of(other).or_else(|| of(one)).map_or(0, |(.., at)| *at);
        let name = |binding: &super::keymap::Binding| format!("{}.{}", binding.context.name(), binding.action.name());
        let what = format!("the key {key} is bound to both {} and {}", name(one), name(other));
        return Err(finding(at, what, format!("give {} or {} another key", name(one), name(other))));
    }
    Ok(keymap)
}

fn read_keys(value: &DeValue<'_>) -> std::result::Result<Vec<(String, Key)>, String> {
    let one = |value: &DeValue<'_>| {
        let DeValue::String(name) = value else { return Err("a key is named in quotes".to_owned()) };
        let key = Key::parse(name).ok_or_else(|| format!("there is no key \"{}\"", visible(name.as_ref())))?;
        Ok((name.to_string(), key))
    };
    match value {
        DeValue::Array(all) if all.is_empty() => Err("an action without a key could not be reached".to_owned()),
        DeValue::Array(all) => all.iter().map(|value| one(value.get_ref())).collect(),
        value => Ok(vec![one(value)?]),
    }
}

/// The name that was probably meant, or all of them.
pub fn nearest_name(given: &str, names: &[&str]) -> String {
    let near = names.iter().map(|name| (strsim::osa_distance(given, name), *name)).min();
    match near.filter(|(distance, name)| *distance <= name.len().max(given.len()) / 2) {
        Some((_, name)) => format!("did you mean {name}?"),
        None => format!("one of: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keymap::Action;
    use super::*;

    fn refused(text: &str) -> (usize, String, String) {
        let found = parse(text).unwrap_err();
        (found.line, found.what, found.next)
    }

    #[test]
    fn a_key_of_the_operators_own_replaces_the_one_that_came_with_it() {
        let keymap = parse("# mine\n[steps]\nskip = \"ctrl-s\"\nretry = [\"r\", \"f5\"]\n").unwrap();
        let does = |name| keymap.action(Context::Steps, Key::parse(name).unwrap());
        assert_eq!(does("ctrl-s"), Some(Action::Skip));
        assert_eq!((does("s"), does("f5"), does("r")), (None, Some(Action::Retry), Some(Action::Retry)));
        assert!(parse("").unwrap().action(Context::Steps, Key::parse("s").unwrap()).is_some());
    }

    #[test]
    fn what_no_key_would_do_is_refused_with_its_line_and_the_nearest_name() {
        let (line, what, next) = refused("[steps]\n\nskpi = \"s\"\n");
        assert_eq!((line, what.as_str(), next.as_str()), (3, "[steps] has no action skpi", "did you mean skip?"));
        assert_eq!(refused("[stps]").2, "did you mean steps?");
        assert!(refused("[steps]\nskip = \"hyper-s\"").1.contains("no key \"hyper-s\""));
        assert!(refused("[steps]\nskip = []").1.contains("could not be reached"));
        assert_eq!(refused("[steps]\nskip = \n").0, 2);
        assert_eq!(refused("steps = 1").0, 1);
    }

    #[test]
    fn a_key_with_two_meanings_is_refused_where_it_was_given() {
        let (line, what, _) = refused("[steps]\nretry = \"f5\"\nundo = \"s\"\n");
        assert_eq!(line, 3);
        assert!(what.contains("steps.skip") && what.contains("steps.undo"), "{what}");
        let (line, what, _) = refused("[review]\ntake = \"q\"");
        assert!(line == 2 && what.contains("everywhere.quit"), "{what}");
        assert!(parse("[failure]\nskip = \"q\"").is_ok(), "behind that dialog nothing else is meant");
    }

    #[test]
    fn a_file_that_is_not_there_means_the_keys_that_come_with_it_and_a_broken_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = path(|name| (name == "XDG_CONFIG_HOME").then(|| folder.path().into())).unwrap();
        assert!(load(&file).is_ok());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "[steps]\nopne = \"o\"\n").unwrap();
        let error = load(&file).unwrap_err();
        assert!(error.to_string().contains("keys.toml:2: [steps] has no action opne"), "{error}");
        assert_eq!(error.hint(), Some("did you mean open?"));
    }
}
