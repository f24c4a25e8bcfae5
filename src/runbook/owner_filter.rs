use std::collections::HashSet;

use super::near::{near, suggestion};
use crate::model::{Error, ErrorKind, OwnerSet, Result, visible};

/// A list of owners may be a file; a larger one is refused by the caller's reading.
const MAX_NAMES: usize = 1_000_000;

/// Which owners a run takes: `--only user=ana,bob`, `--except user=cyd`, `--only user=@FILE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerFilter {
    only: Vec<OwnerSet>,
    except: Vec<OwnerSet>,
    /// Lists as they were given: one may be the name of one owner as well.
    lists: Vec<List>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct List {
    flag: &'static str,
    set: String,
    names: String,
}

impl OwnerFilter {
    /// `users` is short for `user=…` in `only`. `read_file` gives the text of a file of names, one a line.
    pub fn parse(
        only: &[String],
        except: &[String],
        users: &[String],
        read_file: &dyn Fn(&str) -> Result<String>,
    ) -> Result<Self> {
        let mut filter = Self::default();
        let users = users.iter().map(|names| format!("user={names}"));
        for (into, flag, given) in users
            .map(|given| (true, "--user", given))
            .chain(only.iter().map(|given| (true, "--only", given.clone())))
            .chain(except.iter().map(|given| (false, "--except", given.clone())))
        {
            let set = names(flag, &given, read_file)?;
            if let Some((name, names)) = given.split_once('=').filter(|(_, names)| names.contains(',')) {
                filter.lists.push(List { flag, set: name.to_owned(), names: names.to_owned() });
            }
            let into = if into { &mut filter.only } else { &mut filter.except };
            match into.iter_mut().find(|known| known.set == set.set) {
                Some(known) => known.names.extend(set.names),
                None => into.push(set),
            }
        }
        Ok(filter)
    }

    pub fn is_empty(&self) -> bool {
        self.only.is_empty() && self.except.is_empty()
    }

    /// The owners that are taken, in their order. A name or a set that is not there is an error: a typing
    /// error must not leave someone out, or take someone in.
    pub fn apply(&self, found: Vec<OwnerSet>) -> Result<Vec<OwnerSet>> {
        let is_one_name = |list: &&List| found.iter().any(|set| set.set == list.set && set.names.contains(&list.names));
        if let Some(List { flag, set, names }) = self.lists.iter().find(is_one_name) {
            let names = visible(names);
            let why = format!("there is a {set} '{names}', and a comma parts names here");
            return Err(Error::new(ErrorKind::Ambiguous, format!("take {flag} {names}"), why)
                .next(format!("write the names that you mean into a file, one a line, and give --only {set}=@FILE")));
        }
        self.as_found(&found).apply_as_written(found)
    }

    /// With each name as its set writes it.
    fn as_found(&self, found: &[OwnerSet]) -> Self {
        let written = |asked: &OwnerSet| {
            let set = found.iter().find(|set| set.set == asked.set);
            let known: HashSet<&str> = set.into_iter().flat_map(|set| &set.names).map(String::as_str).collect();
            let names = asked.names.iter().map(|name| owner_of(name, |name| known.contains(name))).collect();
            OwnerSet::new(&asked.set, names)
        };
        let (only, except) = (self.only.iter().map(written).collect(), self.except.iter().map(written).collect());
        Self { only, except, lists: Vec::new() }
    }

    fn apply_as_written(&self, found: Vec<OwnerSet>) -> Result<Vec<OwnerSet>> {
        let cannot = |set: &OwnerSet, name: &String| {
            let unusable = set.unusable.iter().find(|unusable| unusable.name == *name && !set.names.contains(name))?;
            let doing = format!("restore the {} '{name}'", set.set);
            Some(Error::new(ErrorKind::Unsupported, doing, unusable.why.clone()).next("ask for the others without it"))
        };
        for asked in &self.only {
            let set = found.iter().find(|set| set.set == asked.set);
            if let Some(error) = set.and_then(|set| asked.names.iter().find_map(|name| cannot(set, name))) {
                return Err(error);
            }
        }
        for asked in self.only.iter().chain(&self.except) {
            let Some(set) = found.iter().find(|set| set.set == asked.set) else {
                let sets = found.iter().map(|set| set.set.as_str());
                return Err(unknown("set of owners", &asked.set, sets));
            };
            let known: HashSet<&str> = set.names.iter().map(String::as_str).collect();
            let unusable: HashSet<&str> = set.unusable.iter().map(|unusable| unusable.name.as_str()).collect();
            let known = |name: &str| known.contains(name) || unusable.contains(name);
            if let Some(name) = asked.names.iter().find(|name| !known(name)) {
                return Err(unknown(&asked.set, name, set.names.iter().map(String::as_str)));
            }
        }
        let of = |list: &[OwnerSet], set: &str| -> Option<HashSet<String>> {
            list.iter().find(|asked| asked.set == set).map(|asked| asked.names.iter().cloned().collect())
        };
        let filtered = found.into_iter().map(|mut set| {
            let before = set.names.len();
            if let Some(only) = of(&self.only, &set.set) {
                set.names.retain(|name| only.contains(name));
                set.unusable.iter_mut().for_each(|unusable| unusable.is_wanted = false);
            }
            if let Some(except) = of(&self.except, &set.set) {
                set.names.retain(|name| !except.contains(name));
                let left = set.unusable.iter_mut().filter(|unusable| except.contains(&unusable.name));
                left.for_each(|unusable| unusable.is_wanted = false);
            }
            if set.names.is_empty() && before > 0 {
                let why = format!("--only and --except leave none of the {before} in the set '{}'", set.set);
                return Err(Error::new(ErrorKind::Invalid, "find the owners to restore", why)
                    .next("name fewer with --except, or more with --only"));
            }
            Ok(set)
        });
        filtered.collect()
    }
}

/// The owner that a person means by a name. An owner's name is that of one file, so a `/` in the name of a person or a
/// group stands there as `%2F`, a `%` as `%25`, and the dots of a name that is `.` or `..` as `%2E`; people type it as
/// they read it.
pub fn owner_of(name: &str, is_known: impl Fn(&str) -> bool) -> String {
    let escaped = match name {
        "." | ".." => name.replace('.', "%2E"),
        _ => name.replace('%', "%25").replace('/', "%2F"),
    };
    if !is_known(name) && is_known(&escaped) { escaped } else { name.to_owned() }
}

fn names(flag: &str, given: &str, read_file: &dyn Fn(&str) -> Result<String>) -> Result<OwnerSet> {
    let wrong = |why: &str| {
        Error::new(ErrorKind::Invalid, format!("take {flag} {}", visible(given)), why)
            .next(format!("write {flag} user=ana,bob or {flag} user=@FILE with one name a line"))
    };
    let (set, names) = given.split_once('=').ok_or_else(|| wrong("it names no set of owners"))?;
    let text;
    let names: Vec<&str> = match names.strip_prefix('@') {
        Some(path) => {
            text = read_file(path)?;
            // Editors of other systems begin a file with a mark and end its lines with two characters.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            text.lines().map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.is_empty()).collect()
        }
        None => names.split(',').filter(|name| !name.is_empty()).collect(),
    };
    if names.is_empty() {
        return Err(wrong("it names no owner"));
    }
    if names.len() > MAX_NAMES {
        return Err(wrong("it holds more than a million names"));
    }
    let names = names.into_iter().map(str::to_owned).collect();
    Ok(OwnerSet::new(set, names))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Error {
    let near: Vec<String> =
        near(name, known.clone(), 3).into_iter().map(|name| format!("'{}'", visible(name))).collect();
    let error = Error::new(
        ErrorKind::NotFound,
        format!("find the {what} '{}'", visible(name)),
        format!("it is none of the {} there are", known.clone().count()),
    );
    if near.is_empty() {
        match suggestion(name, known) {
            Some(names) => error.next(visible(&names)),
            None => error.next("look at where the runbook takes its owners from: it finds none"),
        }
    } else {
        error.next(format!("did you mean {}?", near.join(" or ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnusableOwner;

    fn users() -> Vec<OwnerSet> {
        vec![OwnerSet::new("user", ["ana", "bob", "cyd"].map(String::from).into())]
    }

    fn filter(only: &[&str], except: &[&str], user: &[&str]) -> Result<Vec<String>> {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let file = |_: &str| Ok("\u{feff}bob\r\n\ncyd\n".to_owned());
        let filter = OwnerFilter::parse(&owned(only), &owned(except), &owned(user), &file)?;
        Ok(filter.apply(users())?.remove(0).names)
    }

    #[test]
    fn flags_take_and_leave_owners_in_their_order() {
        assert_eq!(filter(&[], &[], &[]).unwrap(), ["ana", "bob", "cyd"]);
        assert_eq!(filter(&["user=cyd,ana"], &[], &[]).unwrap(), ["ana", "cyd"]);
        assert_eq!(filter(&["user=@list"], &["user=cyd"], &[]).unwrap(), ["bob"]);
        assert_eq!(filter(&[], &[], &["ana", "bob"]).unwrap(), ["ana", "bob"]);
    }

    #[test]
    fn a_name_that_no_file_can_have_is_typed_as_it_is_read() {
        let found = vec![OwnerSet::new("user", ["a%2Fb", "50%25", "%2E%2E"].map(String::from).into())];
        for typed in ["a/b", "a%2Fb", "50%", "50%25", "..", "%2E%2E"] {
            let filter = OwnerFilter::parse(&[], &[], &[typed.to_owned()], &|_| Ok(String::new())).unwrap();
            assert_eq!(filter.apply(found.clone()).unwrap()[0].names.len(), 1, "{typed}");
        }
    }

    #[test]
    fn a_list_that_is_the_name_of_one_owner_as_well_is_not_guessed() {
        let found = vec![OwnerSet::new("user", ["a", "a,b", "b"].map(String::from).into())];
        let taken = |user: &str, file: &'static str| {
            let filter = OwnerFilter::parse(&[], &[], &[user.to_owned()], &|_| Ok(file.to_owned())).unwrap();
            filter.apply(found.clone()).map(|mut found| found.remove(0).names)
        };
        let error = taken("a,b", "").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--only user=@FILE")));
        assert_eq!(taken("@list", "a,b\n").unwrap(), ["a,b"]);
        assert_eq!(taken("b,a", "").unwrap(), ["a", "b"]);
    }

    #[test]
    fn an_unknown_owner_is_an_error_that_names_near_ones() {
        let error = filter(&["user=anna"], &[], &[]).unwrap_err();
        assert_eq!(error.hint(), Some("did you mean 'ana'?"));
        assert!(filter(&[], &["user=zed"], &[]).is_err());
        assert_eq!(filter(&[], &[], &["zoe"]).unwrap_err().hint(), Some("there is ana, bob, cyd"));
        assert!(filter(&["group=ana"], &[], &[]).is_err());
        assert!(filter(&["user="], &[], &[]).is_err());
    }

    #[test]
    fn an_owner_who_cannot_be_walked_is_named_and_missed_only_where_everybody_was_asked_for() {
        let unusable = UnusableOwner::new(b"\xff", "its name is not UTF-8");
        let found = vec![OwnerSet { unusable: vec![unusable], ..users().remove(0) }];
        let apply = |only: &[&str], except: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            let filter = OwnerFilter::parse(&owned(only), &owned(except), &[], &|_| Ok(String::new())).unwrap();
            filter.apply(found.clone()).map(|mut found| found.remove(0))
        };
        let is_missed = |set: &OwnerSet| set.unusable.iter().any(|unusable| unusable.is_wanted);
        assert!(is_missed(&apply(&[], &[]).unwrap()));
        assert!(is_missed(&apply(&[], &["user=ana"]).unwrap()));
        for (only, except) in [(&["user=ana"][..], &[][..]), (&[], &["user=\\xff"])] {
            let set = apply(only, except).unwrap();
            assert_eq!((set.unusable.len(), is_missed(&set)), (1, false), "{only:?} {except:?}");
        }
        let error = apply(&["user=ana,\\xff"], &[]).unwrap_err();
        assert!(error.chain().contains("its name is not UTF-8"), "{}", error.chain());
    }

    #[test]
    fn flags_that_leave_nobody_are_told_as_such() {
        for (only, except) in [(&["user=ana"][..], &["user=ana"][..]), (&[], &["user=ana,bob,cyd"])] {
            let error = filter(only, except, &[]).unwrap_err();
            assert!(error.chain().contains("--only and --except leave none"), "{}", error.chain());
        }
    }
}
