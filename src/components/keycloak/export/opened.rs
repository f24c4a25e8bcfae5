use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Value, json};

use super::again;
use super::index::{Index, Indexer, Place};
use super::layout::Layout;
use super::notes::{self, Notes};
use super::people::People;
use super::yaml::AsJson;
use super::{ExportConfig, realm_file};
use crate::components::keycloak::always_shown::{CLIENTS, is_role_of_the_server};
use crate::components::keycloak::canonical::{self, Canonical, Realm};
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::older::{self, Version};
use crate::components::keycloak::place;
use crate::model::{Error, ErrorKind, Location, Resource, ResourceId, Result, Scope, Tree, TreePath, plural, visible};
use crate::stores::{Store, nothing_there};

/// An export that was looked through once: its realm is held, its people are found again.
pub(super) struct Opened {
    pub name: String,
    realm: Realm,
    /// Whether people are there, or files for them. Without them there may be nobody, or they are lost.
    has_people: bool,
    index: Index,
    people: People,
    federated: usize,
    masks: BTreeMap<TreePath, u64>,
    /// Clients that have a service account.
    accounts: Vec<ResourceId>,
}

/// The major version whose exports and whose API this was tried with.
const TRIED: u32 = 26;
const MAX_VERSION: usize = 40;
/// Why an export can hold nobody.
const NOBODY: &str = "its users files are missing, or it was made without users";

fn is_tried(version: &str) -> bool {
    Version::of(version).is_some_and(|Version(major, ..)| major == TRIED)
}

/// Threads that one pass may use.
const PARALLEL: usize = 2;

impl Opened {
    /// Reads all of it, once. Errors: what is not whole, is two exports, or is over a bound.
    pub fn open(store: &dyn Store, config: &ExportConfig) -> Result<Self> {
        let layout = Layout::find(store, &config.at, config.realm.as_deref())?;
        let tree =
            store.tree(&TreePath::root())?.ok_or_else(|| nothing_there(store, &TreePath::root(), "directory"))?;
        let tree: Arc<dyn Tree> = Arc::new(AsJson(tree));
        let wanted = layout.realm.as_deref().or(config.realm.as_deref());
        let part = realm_file::read(&layout.realm_file, tree.open(&layout.realm_file)?, wanted)
            .map_err(|error| of_its_name(&layout, error))?;
        notes::refuse_variables(&format!("read {}", layout.realm_file), &part.representation)?;
        let representation = older::converted(&part.representation);
        let mut realm =
            canonical::realm(&representation).map_err(|error| again(&format!("read {}", layout.realm_file), &error))?;
        if realm.resources.contains_key(&TreePath::root()) {
            let why = "something in it has a name that is longer than a name can be";
            return Err(Error::new(ErrorKind::Invalid, format!("read {}", layout.realm_file), why));
        }
        let name = realm.names.realm.clone();
        // The admin console writes service accounts into the realm file, and nobody else.
        let files: Vec<TreePath> =
            part.people_at.map(|_| &layout.realm_file).into_iter().chain(&layout.users).cloned().collect();
        let indexer = Indexer::new(&name, &realm.names, &files, part.people_at.is_some());
        if let Some(offset) = part.people_at {
            let mut from = tree.open(&layout.realm_file)?;
            std::io::copy(&mut std::io::Read::take(&mut from, offset), &mut std::io::sink())
                .map_err(|error| Error::io(format!("read {}", layout.realm_file), error))?;
            indexer.list_in(offset, from);
        }
        if !layout.users.is_empty() {
            tree.contents(&layout.users, PARALLEL, &indexer)?;
        }
        let mut index = indexer.finish()?;
        index.roles.extend(named_roles(&realm));
        add_named_roles(&mut realm, &index.roles);
        say_version(&mut realm);
        let has_people = index.people.keys().any(|key| place::touches(key, Kind::User)) || !layout.users.is_empty();
        let people = People::new(tree, files, std::mem::take(&mut index.ends));
        let masks = notes::masks(&part.representation);
        let accounts = accounts_in(&realm);
        Ok(Self { name, realm, has_people, index, people, federated: layout.federated.len(), masks, accounts })
    }

    pub fn owners(&self, folder: &TreePath) -> Result<Vec<String>> {
        Ok(place::owners_in(folder, self.keys_below(folder)))
    }

    pub fn list(&self, scope: &Scope) -> Result<Vec<Location>> {
        place::known(&scope.below)?;
        let below = meant(scope);
        self.whole_for(&below)?;
        let keys: Vec<Location> = self.keys_below(&below).filter_map(location).collect();
        if keys.is_empty() {
            return Err(self.nothing_at(&below));
        }
        Ok(keys)
    }

    pub fn read(&self, wanted: &[Location]) -> Vec<Result<Option<Resource>>> {
        let key = |location: &Location| meant_key(&location.at);
        let keys: Vec<TreePath> = wanted.iter().map(key).collect();
        let people: BTreeMap<&TreePath, &Place> =
            keys.iter().filter_map(|key| self.index.people.get_key_value(key)).collect();
        let read: HashMap<TreePath, Result<Resource>> = self.people.read(&people, &self.realm.names);
        let answer = |(key, location): (&TreePath, &Location)| {
            let found = match (self.realm.resources.get(key), read.get(key)) {
                (Some(found), _) => Some(found.resource()),
                (None, Some(read)) => Some(read.as_ref().map_err(|error| again("read the export", error))?.clone()),
                (None, None) => None,
            };
            Ok(found.map(|found| Resource { id: location.id.clone(), ..found }))
        };
        keys.iter().zip(wanted).map(answer).collect()
    }

    pub fn not_restored(&self, scope: &Scope) -> Vec<String> {
        let below = meant(scope);
        let mut notes = Notes::default();
        for (key, one) in below_in(&self.realm.resources, &below) {
            one.unknown.iter().for_each(|word| notes.add(key, word));
            notes::placeholders(&one.document).iter().for_each(|word| notes.add(key, word));
        }
        if place::touches(&below, Kind::RealmSettings) {
            let settings = Kind::RealmSettings.id::<&str>(&[]).key;
            self.realm.unknown.iter().for_each(|word| notes.add(&settings, word));
        }
        for (key, one) in below_in(&self.index.people, &below) {
            one.unknown.iter().flat_map(|words| words.iter()).for_each(|word| notes.add(key, word));
        }
        if let Some(version) = self.realm.version.as_deref().filter(|version| !is_tried(version)) {
            let shown: String = visible(version).chars().take(MAX_VERSION).collect();
            notes.say(match Version::of(version) {
                Some(Version(major, ..)) if major < TRIED => format!(
                    "what only Keycloak {shown}, which wrote it, means: it is converted as the server's own import does"
                ),
                _ => format!("what Keycloak {shown}, which wrote it, means otherwise than {TRIED}"),
            });
        }
        let masked: u64 = below_in(&self.masks, &below).map(|(_, count)| count).sum();
        if masked > 0 {
            notes.say(format!("{} masked when the file was made", plural_was(masked, "secret")));
        }
        let of_users = TreePath::new(Kind::User.folder()).is_ok_and(|users| users.relative_to(&below).is_some());
        if of_users && self.federated > 0 {
            let files = plural(self.federated as u64, "file");
            notes.say(format!("users of other providers, of whom the export holds roles and links: {files}"));
        }
        if !self.has_people && place::touches(&below, Kind::RealmSettings) {
            notes.say(format!("people, of whom the export holds none: {NOBODY}"));
        }
        let lost = |account: &&ResourceId| {
            account.key.relative_to(&below).is_some() && !self.index.people.contains_key(&account.key)
        };
        for account in self.accounts.iter().filter(lost) {
            let why = "roles and groups of the account, whose user the export lacks: the server gives it its defaults";
            notes.add(&account.key, why);
        }
        notes.finish()
    }

    fn keys_below<'s>(&'s self, below: &'s TreePath) -> impl Iterator<Item = &'s TreePath> {
        let realm = below_in(&self.realm.resources, below).map(|(key, _)| key);
        realm.chain(below_in(&self.index.people, below).map(|(key, _)| key))
    }

    /// Refuses an answer without people where there should be some: what a list lacks can become a delete.
    fn whole_for(&self, below: &TreePath) -> Result<()> {
        if self.has_people || !place::touches(below, Kind::User) {
            return Ok(());
        }
        let doing = format!("list {below} in the export of the realm {}", visible(&self.name));
        Err(Error::new(ErrorKind::Corrupt, doing, format!("it holds nobody: {NOBODY}")).next(
            "take a backup with all its files, or make the export again with --users different_files; \
             without people, restore the places below 'realm'",
        ))
    }

    fn nothing_at(&self, below: &TreePath) -> Error {
        let doing = format!("read {below} in the export of the realm {}", visible(&self.name));
        let parent = below.parent().unwrap_or_default();
        let wanted = below.to_string();
        let alike = |key: &&TreePath| strsim::jaro_winkler(&wanted, &key.to_string()) > 0.9;
        let near: Vec<String> = self.keys_below(&parent).filter(alike).take(3).map(ToString::to_string).collect();
        let made = Error::new(ErrorKind::NotFound, doing, "the export holds no such thing");
        match near.is_empty() {
            true => made.next("correct 'below' in the runbook, or take another backup"),
            false => made.next(format!("did you mean {}?", near.join(" or "))),
        }
    }
}

fn plural_was(count: u64, what: &str) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} that {verb}", plural(count, what))
}

fn location(key: &TreePath) -> Option<Location> {
    let (kind, _) = Kind::of_key(key)?;
    Some(Location { id: ResourceId { kind: kind.name().into(), key: key.clone() }, at: key.clone() })
}

/// A key as people write it, as keys are: a username in lower case.
fn meant_key(key: &TreePath) -> TreePath {
    Kind::of_key(key).map_or_else(|| key.clone(), |(kind, names)| kind.id(&names).key)
}

/// What a scope is about: one user, if it is an owner's and lies above them.
fn meant(scope: &Scope) -> TreePath {
    match (Kind::of_key(&scope.below), &scope.owner) {
        (None, Some(owner)) if Kind::User.folder().as_bytes() == scope.below.as_bytes() => {
            place::owner_id(&owner.name).key
        }
        _ => meant_key(&scope.below),
    }
}

fn below_in<'m, V>(map: &'m BTreeMap<TreePath, V>, below: &'m TreePath) -> impl Iterator<Item = (&'m TreePath, &'m V)> {
    map.range::<TreePath, _>((Bound::Included(below), Bound::Unbounded))
        .take_while(move |(key, _)| key.relative_to(below).is_some())
}

/// The settings say it to the server that makes the realm, which then converts what is not converted here.
fn say_version(realm: &mut Realm) {
    let Some(version) = realm.version.clone().filter(|version| Version::of(version).is_some()) else { return };
    if let Some(settings) = realm.resources.get_mut(&Kind::RealmSettings.id::<&str>(&[]).key) {
        settings.document["keycloakVersion"] = json!(version);
    }
}

/// Roles that groups and other roles hold, and that tokens of clients may hold.
fn named_roles(realm: &Realm) -> BTreeSet<TreePath> {
    let mut found = BTreeSet::new();
    for one in realm.resources.values() {
        let Ok((kind, _)) = Kind::of_id(&one.id) else { continue };
        let (of_realm, of_clients) = match kind {
            Kind::Group => ("/realmRoles", "/clientRoles"),
            Kind::RealmRole | Kind::ClientRole => ("/composites/realm", "/composites/client"),
            Kind::Client | Kind::ClientScope => ("/scopeMappings/realm", "/scopeMappings/client"),
            _ => continue,
        };
        let texts = |list: &Value| -> Vec<String> {
            list.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        let names = one.document.pointer(of_realm).map(texts).unwrap_or_default();
        found.extend(names.into_iter().map(|name| Kind::RealmRole.id(&[name]).key));
        for (client, list) in one.document.pointer(of_clients).and_then(Value::as_object).into_iter().flatten() {
            found.extend(texts(list).into_iter().map(|name| Kind::ClientRole.id(&[client, &name]).key));
        }
    }
    found
}

/// Roles that something in the file has and no list describes: the server's own import makes them of their names.
fn add_named_roles(realm: &mut Realm, named: &BTreeSet<TreePath>) {
    for key in named.iter().filter(|key| !is_role_of_the_server(key)) {
        let Some((kind, names)) = Kind::of_key(key) else { continue };
        let client = names.first().filter(|_| kind == Kind::ClientRole);
        let is_lost = client.is_some_and(|client| {
            !CLIENTS.contains(&client.as_str()) && !realm.resources.contains_key(&Kind::Client.id(&[client]).key)
        });
        if !is_lost && !realm.resources.contains_key(key) {
            let unknown = vec!["all but the name of a role: the file only says who has it".to_owned()];
            realm.resources.insert(key.clone(), Canonical { id: kind.id(&names), document: json!({}), unknown });
        }
    }
}

fn accounts_in(realm: &Realm) -> Vec<ResourceId> {
    let has_account = |one: &&Canonical| one.document.get("serviceAccountsEnabled") == Some(&json!(true));
    let account = |one: &Canonical| match Kind::of_id(&one.id).ok()? {
        (Kind::Client, names) => Some(Kind::ServiceAccount.id(&names)),
        _ => None,
    };
    realm.resources.values().filter(has_account).filter_map(account).collect()
}

/// A file that is called like one realm and holds another.
fn of_its_name(layout: &Layout, error: Error) -> Error {
    match (&layout.realm, error.kind()) {
        (Some(_), ErrorKind::NotFound) => {
            Error::new(ErrorKind::Corrupt, format!("read {}", layout.realm_file), error.chain())
                .next("its name must be that of its realm: find out which of them is right")
        }
        _ => error,
    }
}
