use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::notes;
use super::pieces::Pieces;
use crate::components::keycloak::canonical::{Canonical, Names, Side, user};
use crate::components::keycloak::kinds::Kind;
use crate::model::{ContentSink, Error, ErrorKind, Result, TreePath, visible};

/// One person's representation.
const MAX_PERSON: usize = 4 * 1024 * 1024;
/// The index of so many takes about a gigabyte.
const MAX_PEOPLE: usize = 5_000_000;
/// Different lists of unknown fields that are told apart.
const MAX_UNKNOWN: usize = 1_000;

/// Where one person's representation lies, and what of it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Position among the export's files.
    pub file: u32,
    pub offset: u64,
    pub length: u32,
    pub unknown: Option<Arc<[String]>>,
}

/// Everybody by key, users and service accounts.
#[derive(Default)]
pub(super) struct Index {
    pub people: BTreeMap<TreePath, Place>,
    /// Where in each file the last person ends.
    pub ends: HashMap<u32, u64>,
    /// Every role that somebody has.
    pub roles: BTreeSet<TreePath>,
}

/// One person of one file, on the way into the index.
struct Found {
    key: TreePath,
    id: Option<[u8; 16]>,
    place: Place,
}

/// Parses one person's bytes.
pub(super) fn person(bytes: &[u8], doing: &str, names: &Names) -> Result<Canonical> {
    let bad =
        |why: String| Error::new(ErrorKind::Invalid, doing, why).next("make the export again, or take a whole one");
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| bad(format!("one of its people is not JSON: {error}")))?;
    notes::refuse_variables(doing, &value)?;
    let mut made = user(&value, names, Side::Backup)?;
    if made.id.key.is_root() {
        return Err(bad("somebody in it has a name that is longer than a name can be".to_owned()));
    }
    made.unknown.extend(notes::placeholders_in(bytes, &made.document));
    Ok(made)
}

/// Reads through files of people. Each is read once, in whatever order the store hands it over.
pub(super) struct Indexer<'n> {
    pub realm: &'n str,
    pub names: &'n Names,
    pub files: &'n [TreePath],
    /// The first of the files is the realm's own.
    with_realm_file: bool,
    read: Mutex<Vec<Option<Result<Vec<Found>>>>>,
    words: Mutex<HashMap<Vec<String>, Arc<[String]>>>,
    roles: Mutex<BTreeSet<TreePath>>,
}

impl<'n> Indexer<'n> {
    pub fn new(realm: &'n str, names: &'n Names, files: &'n [TreePath], with_realm_file: bool) -> Self {
        let read = Mutex::new(files.iter().map(|_| None).collect());
        Self { realm, names, files, with_realm_file, read, words: Mutex::default(), roles: Mutex::default() }
    }

    /// The people of the one file that holds the realm too; `from` begins with their list.
    pub fn list_in(&self, offset: u64, from: impl Read) {
        let found = match self.files.first() {
            None => return,
            Some(file) => {
                let mut pieces = Pieces::new(from, format!("read {file}"));
                self.list(0, offset, &mut pieces)
            }
        };
        self.keep(0, found);
    }

    fn keep(&self, file: usize, found: Result<Vec<Found>>) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = read.get_mut(file) {
            *slot = Some(found);
        }
    }

    fn list<R: Read>(&self, file: u32, before: u64, pieces: &mut Pieces<R>) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        pieces.expect(b'[')?;
        let mut first = true;
        let doing = format!("read {}", self.files.get(file as usize).cloned().unwrap_or_default());
        while pieces.next(b']', &mut first)? {
            pieces.peek()?;
            let offset = before + pieces.position();
            let bytes = pieces.value(MAX_PERSON)?;
            let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let made = person(&bytes, &doing, self.names)?;
            let id = made.document.get("id").and_then(Value::as_str).map(short_hash);
            self.note_roles(&made.document);
            let place = Place { file, offset, length, unknown: self.shared(made.unknown) };
            all.push(Found { key: made.id.key, id, place });
            if all.len() > MAX_PEOPLE {
                return Err(pieces.bad(format!("it holds more than {MAX_PEOPLE} people")));
            }
        }
        Ok(all)
    }

    /// `{"realm": …, "users": […]}`.
    fn users_file<R: Read>(&self, file: u32, pieces: &mut Pieces<R>) -> Result<Vec<Found>> {
        let mut people = None;
        let mut realm = None;
        pieces.expect(b'{')?;
        let mut first = true;
        while let Some(name) = pieces.field(&mut first)? {
            match name.as_str() {
                "users" if people.is_none() => people = Some(self.list(file, 0, pieces)?),
                "users" => return Err(pieces.bad("it has the field 'users' twice")),
                "realm" => {
                    let bytes = pieces.value(MAX_PERSON)?;
                    realm = serde_json::from_slice::<String>(&bytes).ok();
                }
                _ => pieces.skip()?,
            }
        }
        pieces.end()?;
        match (realm, people) {
            (Some(realm), Some(people)) if realm == self.realm => Ok(people),
            (Some(realm), Some(_)) => {
                let (theirs, ours) = (visible(&realm), visible(self.realm));
                let why = format!("it holds users of the realm {theirs}, and the realm file is that of {ours}");
                Err(pieces.bad(why).next("put each realm's export into a directory of its own"))
            }
            (None, _) => Err(pieces.bad("it does not say whose users it holds")),
            (_, None) => Err(pieces.bad("it holds no list of users")),
        }
    }

    fn note_roles(&self, person: &Value) {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        for name in texts(person.get("realmRoles")) {
            roles.insert(Kind::RealmRole.id(&[name]).key);
        }
        for (client, names) in person.get("clientRoles").and_then(Value::as_object).into_iter().flatten() {
            roles.extend(texts(Some(names)).map(|name| Kind::ClientRole.id(&[client.as_str(), name]).key));
        }
    }

    /// The same list of words is held once.
    fn shared(&self, unknown: Vec<String>) -> Option<Arc<[String]>> {
        if unknown.is_empty() {
            return None;
        }
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = words.get(&unknown) {
            return Some(Arc::clone(known));
        }
        let unknown = match words.len() < MAX_UNKNOWN {
            true => unknown,
            false => vec!["fields that are not known".to_owned()],
        };
        let shared: Arc<[String]> = unknown.clone().into();
        Some(Arc::clone(words.entry(unknown).or_insert(shared)))
    }

    /// Nobody may be there twice: then two exports are mixed, or somebody was at work while one was made.
    pub fn finish(self) -> Result<Index> {
        let roles = self.roles.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut index = Index { roles, ..Index::default() };
        let mut ids = HashSet::new();
        let read = self.read.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (at, (file, found)) in self.files.iter().zip(read).enumerate() {
            let is_realm_file = self.with_realm_file && at == 0;
            let mut found = found.unwrap_or_else(|| {
                Err(Error::new(ErrorKind::Corrupt, format!("read {file}"), "the store did not hand it over"))
            })?;
            // Where an account is in both, the realm file's was there first, and has less of it.
            found.retain(|one| match index.people.get(&one.key) {
                Some(other) if self.with_realm_file && other.file == 0 && is_account(&one.key) => {
                    ids.retain(|id| Some(*id) != one.id);
                    index.people.remove(&one.key);
                    true
                }
                _ => true,
            });
            if found.is_empty() && !is_realm_file && self.files.len() - usize::from(self.with_realm_file) > 1 {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("read {file}"),
                    "it holds nobody, among others that do",
                )
                .next("make the export again into an empty directory"));
            }
            for one in found {
                if one.id.is_some_and(|id| !ids.insert(id)) {
                    return Err(twice(file, &one.key, "somebody with the same id is there already"));
                }
                let end = one.place.offset + u64::from(one.place.length);
                let last = index.ends.entry(one.place.file).or_default();
                *last = end.max(*last);
                if let Some(other) = index.people.insert(one.key.clone(), one.place) {
                    let first = self.files.get(other.file as usize).cloned().unwrap_or_default();
                    return Err(twice(file, &one.key, &format!("{first} holds the same name")));
                }
            }
            if index.people.len() > MAX_PEOPLE {
                let why = format!("it holds more than {MAX_PEOPLE} people");
                return Err(Error::new(ErrorKind::Refused, "read the export", why));
            }
        }
        Ok(index)
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn is_account(key: &TreePath) -> bool {
    TreePath::new(Kind::ServiceAccount.folder()).is_ok_and(|folder| key.relative_to(&folder).is_some())
}

fn twice(file: &TreePath, key: &TreePath, why: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("take {key} from {file}"), why).next(
        "files of two exports lie together, or users changed while it was made: \
         make the export again into an empty directory",
    )
}

fn short_hash(id: &str) -> [u8; 16] {
    let mut short = [0; 16];
    let hash = blake3::hash(id.as_bytes());
    short.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    short
}

impl ContentSink for Indexer<'_> {
    fn content(&self, index: usize, content: Result<&mut (dyn Read + Send)>) -> bool {
        let index = index + usize::from(self.with_realm_file);
        let found = content.and_then(|from| {
            let doing = format!("read {}", self.files.get(index).cloned().unwrap_or_default());
            self.users_file(u32::try_from(index).unwrap_or(u32::MAX), &mut Pieces::new(from, doing))
        });
        let goes_on = found.is_ok();
        self.keep(index, found);
        goes_on
    }
}
