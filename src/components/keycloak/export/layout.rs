use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::yaml::is_yaml;
use crate::model::{Entry, Error, ErrorKind, NodeKind, Result, TreePath, visible};
use crate::stores::Store;

/// Which files of a store make one realm's export.
#[derive(Debug)]
pub(super) struct Layout {
    /// The realm, and in the form of one file its people too.
    pub realm_file: TreePath,
    /// Whose files they are by their names; in the form of one file its content alone says so.
    pub realm: Option<String>,
    /// `R-users-0.json`, `R-users-1.json`, … without a gap.
    pub users: Vec<TreePath>,
    /// People whose profile lies elsewhere, in LDAP, and who have roles or links here.
    pub federated: Vec<TreePath>,
}

const REALM_FILE: &str = "-realm.json";
/// Directories with more in them are none that an export was written to.
const MAX_CHILDREN: usize = 500_000;
/// How many directories are looked through for a hint, and how many a hint names.
const MAX_LOOKED: usize = 2_000;
const MAX_NAMED: usize = 10;

impl Layout {
    /// `at` is the export's directory or its one file; `wanted` is the realm, needed where there are several.
    pub fn find(store: &dyn Store, at: &TreePath, wanted: Option<&str>) -> Result<Self> {
        let entry = store.entry(at)?;
        if !at.is_root() && entry.is_none() {
            return Err(absent(store, at, "nothing is there"));
        }
        if matches!(entry, Some(Entry { kind: NodeKind::File { .. }, .. })) {
            return Ok(Self { realm_file: at.clone(), realm: None, users: Vec::new(), federated: Vec::new() });
        }
        let Some(children) = store.children(at)? else { return Err(absent(store, at, "no directory is there")) };
        if children.len() > MAX_CHILDREN {
            return Err(Error::new(ErrorKind::Refused, doing(at), format!("more than {MAX_CHILDREN} files are there")));
        }
        Files::of(children).layout(store, at, wanted)
    }
}

fn doing(at: &TreePath) -> String {
    if at.is_root() { "find the export in the backup".to_owned() } else { format!("find the export at {at}") }
}

/// The files of a directory in JSON or YAML, by name.
struct Files(BTreeMap<String, Entry>);

impl Files {
    fn of(children: Vec<Entry>) -> Self {
        let named = children.into_iter().filter_map(|entry| {
            let name = String::from_utf8(entry.path.name()?.to_vec()).ok()?;
            (name.ends_with(".json") || is_yaml(name.as_bytes())).then_some((name, entry))
        });
        Self(named.collect())
    }

    fn realms(&self) -> Vec<&str> {
        self.0.keys().filter_map(|name| name.strip_suffix(REALM_FILE)).filter(|realm| !realm.is_empty()).collect()
    }

    fn layout(self, store: &dyn Store, at: &TreePath, wanted: Option<&str>) -> Result<Layout> {
        let realms = self.realms();
        let realm = match (wanted, realms.as_slice()) {
            (_, []) => return self.one_file(store, at),
            (Some(wanted), _) => realms.iter().find(|realm| **realm == wanted).copied().ok_or_else(|| {
                let why = format!("it holds no realm {}, but {}", visible(wanted), named(&realms));
                Error::new(ErrorKind::NotFound, doing(at), why).next("correct 'realm' at the source in the runbook")
            })?,
            (None, [realm]) => realm,
            (None, _) => return Err(ambiguous(at, &realms)),
        };
        let realm_file = self.file(&format!("{realm}{REALM_FILE}"))?;
        let users = self.numbered(&format!("{realm}-users-"))?;
        let missing: Vec<String> = missing(&users).take(MAX_NAMED).map(|n| format!("{realm}-users-{n}.json")).collect();
        if !missing.is_empty() {
            let why = format!("it is not whole: {} is missing", visible(&missing.join(", ")));
            return Err(Error::new(ErrorKind::Corrupt, doing(at), why)
                .next("take another backup of it, or make the export again into an empty directory"));
        }
        // A realm may be called like the files of another: staff-federated.
        let is_realm = realms.contains(&format!("{realm}-federated").as_str());
        let federated = match is_realm {
            true => BTreeMap::new(),
            false => self.numbered(&format!("{realm}-federated-users-"))?,
        };
        Ok(Layout {
            realm: Some(realm.to_owned()),
            realm_file,
            users: users.into_values().collect(),
            federated: federated.into_values().collect(),
        })
    }

    /// A directory with one such file in it holds the form of one file.
    fn one_file(&self, store: &dyn Store, at: &TreePath) -> Result<Layout> {
        // YAML beside JSON is something else: a deployment, the settings of a program.
        let (yaml, json): (Vec<&str>, Vec<&str>) =
            self.0.keys().map(String::as_str).partition(|name| is_yaml(name.as_bytes()));
        let names = if json.is_empty() { yaml } else { json };
        match names.as_slice() {
            [one] if !one.contains("-users-") => {
                let realm_file = self.file(one)?;
                Ok(Layout { realm_file, realm: None, users: Vec::new(), federated: Vec::new() })
            }
            [] => Err(absent(store, at, "no file there is one of an export")),
            some if some.iter().any(|name| name.contains("-users-")) => {
                let why = "there are files of users and no realm file: a part of it is missing";
                Err(Error::new(ErrorKind::Corrupt, doing(at), why)
                    .next("take another backup of it, or make the export again into an empty directory"))
            }
            several => Err(Error::new(
                ErrorKind::Ambiguous,
                doing(at),
                format!("none of {} is called REALM-realm.json", named(several)),
            )
            .next("name the file with 'export' at the source in the runbook")),
        }
    }

    fn file(&self, name: &str) -> Result<TreePath> {
        match self.0.get(name) {
            Some(Entry { kind: NodeKind::File { .. }, path, .. }) => Ok(path.clone()),
            _ => Err(Error::new(ErrorKind::Refused, format!("read {}", visible(name)), "it is not a regular file")
                .next("put the file itself there")),
        }
    }

    fn numbered(&self, start: &str) -> Result<BTreeMap<u32, TreePath>> {
        let numbers = self.0.keys().filter_map(|name| {
            let digits = name.strip_prefix(start)?.strip_suffix(".json")?;
            let number: u32 = digits.parse().ok()?;
            (number.to_string() == digits).then_some((number, name))
        });
        numbers.map(|(number, name)| Ok((number, self.file(name)?))).collect()
    }
}

/// Numbers below the highest that are not there.
fn missing(files: &BTreeMap<u32, TreePath>) -> impl Iterator<Item = u32> + '_ {
    let end = files.keys().next_back().copied().unwrap_or_default();
    (0..end).filter(|number| !files.contains_key(number))
}

pub(super) fn ambiguous(at: &TreePath, realms: &[&str]) -> Error {
    Error::new(ErrorKind::Ambiguous, doing(at), format!("it holds the realms {}", named(realms)))
        .next("name one with 'realm' at the source in the runbook")
}

fn named(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMED).map(|name| visible(*name)).collect();
    let more = if names.len() > MAX_NAMED { " …" } else { "" };
    shown.join(", ") + more
}

fn absent(store: &dyn Store, at: &TreePath, why: &str) -> Error {
    let near = exports_in(store);
    let next = if near.is_empty() {
        "choose another backup, or name its place with 'export' at the source in the runbook".to_owned()
    } else {
        format!("one lies at {}: write it as 'export' at the source in the runbook", near.join(" and at "))
    };
    Error::new(ErrorKind::NotFound, doing(at), why).next(next)
}

/// Directories of the store with a realm file in them, a few at most. Where it cannot be read there is no hint.
fn exports_in(store: &dyn Store) -> Vec<String> {
    let mut ahead = VecDeque::from([TreePath::root()]);
    let mut found = BTreeSet::new();
    for _ in 0..MAX_LOOKED {
        let Some(folder) = ahead.pop_front() else { break };
        for entry in store.children(&folder).ok().flatten().unwrap_or_default() {
            let is_realm_file = entry.path.name().is_some_and(|name| name.ends_with(REALM_FILE.as_bytes()));
            if entry.is_directory() {
                ahead.push_back(entry.path);
            } else if is_realm_file && found.len() < 3 {
                found.insert(folder.to_string());
            }
        }
    }
    found.into_iter().collect()
}
