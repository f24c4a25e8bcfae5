//! Writing a real realm from its own export.

use std::collections::BTreeSet;
use std::sync::Arc;

use rekindle::component::{Approved, Component, Effect};
use rekindle::components::keycloak::{ExportConfig, Keycloak, KeycloakExport};
use rekindle::diff::documents;
use rekindle::model::{DigestKey, Location, Mode, Resource, ResourceId, Result, Scope, TreePath};
use rekindle::reader::{Reader, Wanted};
use rekindle::stores::DirectoryStore;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, server};
use crate::no_ledger::NoLedger;
use crate::sample::Sample;

mod cascades;
mod directory;
mod everything;
mod hostile;
mod people;
mod realm;
mod refused;
mod second_factors;
mod truth;

/// A realm on the real server, and its export of before whatever happens to it.
pub struct Story {
    pub sample: Sample,
    pub admin: Admin,
    pub component: Keycloak,
    backup: Vec<Resource>,
}

fn key() -> DigestKey {
    DigestKey::new([7; 32])
}

impl Story {
    pub async fn of(name: &str, people: usize) -> Self {
        Self::with(name, people, false).await
    }

    /// With what few realms have, or without.
    pub async fn with(name: &str, people: usize, rare: bool) -> Self {
        let sample = Sample::new(name, people);
        let admin = Admin::new(server());
        sample.make(&admin).await;
        let mut story = Self { sample, admin, component: server().component(name), backup: Vec::new() };
        if rare {
            everything::furnish(&story).await;
        }
        story.back_up(&server().export(name, "50")).await;
        story
    }

    /// From now on the backup is what these files hold.
    async fn back_up(&mut self, files: &tempfile::TempDir) {
        let store = Arc::new(DirectoryStore::open(files.path()).unwrap());
        let export = KeycloakExport::new(store, ExportConfig { at: TreePath::root(), realm: None });
        let everything = Scope { below: TreePath::root(), to: TreePath::root(), owner: None };
        let listed = export.list(&[everything]).await.pop().unwrap().unwrap();
        self.backup =
            export.read(&Wanted::alone(&listed)).await.into_iter().map(|read| read.unwrap().unwrap()).collect();
    }

    /// The same without an export, which takes a server of its own: the realm as it shows itself, its people as they
    /// were made. What a server masks is not in it.
    pub async fn seen(name: &str, people: usize) -> Self {
        use rekindle::components::keycloak::canonical::{self, Names, Side};
        let sample = Sample::new(name, people);
        let admin = Admin::new(server());
        sample.make(&admin).await;
        let mut story = Self { sample, admin, component: server().component(name), backup: Vec::new() };
        story.look().await;
        let path = story.at("/partial-export?exportClients=true&exportGroupsAndRoles=true");
        let mut shown = story.admin.call(Method::POST, &path, None).await.1;
        // Whose members are in a whole export alone.
        shown["organizations"] =
            json!([{"alias": "acme", "members": [{"username": crate::sample::people::username(0)}]}]);
        let names = Names::of(&shown);
        let people = (0..people).map(|position| crate::sample::people::user(&story.sample, position));
        let people = people.map(|one| canonical::user(&one, &names, Side::Backup).unwrap().resource());
        story.backup.extend(people);
        story
    }

    /// What is there of the realm itself is what is wanted from now on.
    async fn look(&mut self) {
        let realm = TreePath::new("realm").unwrap();
        let below = Scope { below: realm.clone(), to: realm.clone(), owner: None };
        let reader = server().component(&self.sample.name);
        let listed = reader.list(&[below]).await.pop().unwrap().unwrap();
        self.backup.retain(|one| one.id.key.relative_to(&realm).is_none());
        self.backup.extend(reader.read(&Wanted::alone(&listed)).await.into_iter().map(|read| read.unwrap().unwrap()));
    }

    pub fn below(&self, place: &str) -> Vec<Resource> {
        let place = TreePath::new(place).unwrap();
        self.backup.iter().filter(|one| one.id.key.relative_to(&place).is_some()).cloned().collect()
    }

    pub fn one(&self, place: &str) -> Resource {
        let place = TreePath::new(place).unwrap();
        self.backup.iter().find(|one| one.id.key == place).unwrap_or_else(|| panic!("no {place}")).clone()
    }

    async fn now(&self, desired: &[Resource]) -> Vec<Option<Resource>> {
        // A reader of its own: what the administrator did behind its back is not in what it knows of before.
        read_by(&server().component(&self.sample.name), desired).await
    }

    /// As who wrote them reads them back.
    async fn read_back(&self, desired: &[Resource]) -> Vec<Option<Resource>> {
        read_by(&self.component, desired).await
    }

    /// What would be approved if everything were, but for hunks at these places.
    pub async fn plan(&self, desired: &[Resource], leave: &[&str]) -> Vec<Approved> {
        let live = self.now(desired).await;
        let pairs = desired.iter().zip(live);
        pairs
            .filter_map(|(desired, live)| self.change(&desired.id, live, Some(desired.clone()), Mode::Merge, leave))
            .collect()
    }

    fn change(
        &self,
        id: &ResourceId,
        live: Option<Resource>,
        desired: Option<Resource>,
        mode: Mode,
        leave: &[&str],
    ) -> Option<Approved> {
        let schema = self.component.schema().kind(&id.kind);
        let (now, wanted) = (live.as_ref().and_then(Resource::document), desired.as_ref().and_then(Resource::document));
        let change = documents::changes(id, now, wanted, schema, mode, &key())?;
        let left_out: BTreeSet<u32> = change
            .hunks
            .iter()
            .enumerate()
            .filter(|(_, hunk)| leave.contains(&hunk.place().as_str()))
            .map(|(at, _)| u32::try_from(at).unwrap())
            .collect();
        assert_eq!(left_out.len(), leave.len(), "{:?}", change.hunks.iter().map(|one| one.place()).collect::<Vec<_>>());
        let expected = documents::apply(now, wanted, &change, &left_out, schema, mode, &key()).unwrap();
        let expected =
            expected.map(|document| Resource { id: id.clone(), body: rekindle::model::Body::Document(document) });
        Some(Approved { run: "run".into(), change: Arc::new(change), left_out, live, desired, expected })
    }

    /// The way back of what was written: from what is there now to what was there before.
    async fn undo(&self, written: &[Approved]) -> Vec<Approved> {
        let ids: Vec<Resource> = written.iter().map(|one| one.live.clone().or(one.desired.clone()).unwrap()).collect();
        let now = self.now(&ids).await;
        let pairs = written.iter().zip(now);
        pairs.filter_map(|(one, now)| self.change(&one.change.id, now, one.live.clone(), Mode::Exact, &[])).collect()
    }

    /// What was changed is as it was, and what was made is gone.
    async fn undo_leads_back(&self, changes: &[Approved]) {
        let former: Vec<Resource> = changes.iter().filter_map(|change| change.live.clone()).collect();
        self.write_all(&self.undo(changes).await).await;
        assert_eq!(self.differences(&former).await, Vec::<String>::new());
        let made: Vec<Resource> =
            changes.iter().filter(|one| one.live.is_none()).filter_map(|one| one.desired.clone()).collect();
        let left: Vec<_> = self.now(&made).await.into_iter().flatten().map(|one| one.id.to_string()).collect();
        assert_eq!(left, Vec::<String>::new());
    }

    pub async fn write(&self, changes: &[Approved]) -> Vec<Result<Effect>> {
        self.component.write(changes, &NoLedger).await
    }

    pub async fn write_all(&self, changes: &[Approved]) {
        let failed: Vec<String> =
            self.write(changes).await.into_iter().filter_map(|done| Some(done.err()?.chain())).collect();
        assert_eq!(failed, Vec::<String>::new());
    }

    /// Where the live realm is otherwise than `desired`, in words; without attributes of which only the order differs: a
    /// table with gaps gives an attribute's values back in another order now and then, also those that rekindle did not write.
    pub async fn differences(&self, desired: &[Resource]) -> Vec<String> {
        let live = self.now(desired).await;
        let of = |(desired, live): (&Resource, Option<Resource>)| {
            let change = self.change(&desired.id, live, Some(desired.clone()), Mode::Exact, &[])?;
            let hunks = change.change.hunks.iter().filter(|hunk| !is_of_order(hunk));
            let places: Vec<String> = hunks.map(|hunk| format!("{:?} {}", hunk.op, hunk.place())).collect();
            (!places.is_empty()).then(|| format!("{}: {}", desired.id, places.join(", ")))
        };
        desired.iter().zip(live).filter_map(of).collect()
    }

    pub fn at(&self, path: &str) -> String {
        format!("/{}{path}", self.sample.name)
    }

    pub async fn id_of(&self, username: &str) -> String {
        self.admin.id_of(&self.sample.name, username).await
    }

    pub async fn remove(&self, path: &str) {
        let (status, answer) = self.admin.call(Method::DELETE, &self.at(path), None).await;
        assert_eq!(status, 204, "DELETE {path}: {answer}");
    }

    pub async fn put(&self, path: &str, body: Value) {
        self.admin.done(Method::PUT, &self.at(path), body).await;
    }

    async fn post(&self, path: &str, body: Value) {
        self.admin.done(Method::POST, &self.at(path), body).await;
    }

    /// The user of a name that no path can hold as it is.
    fn backup_of(&self, username: &str) -> Resource {
        let id = rekindle::components::keycloak::kinds::Kind::User.id(&[username]);
        self.backup.iter().find(|one| one.id == id).unwrap_or_else(|| panic!("no {username}")).clone()
    }

    /// As the login by an organization's provider does it, which no call can.
    async fn make_managed(&self, organization: &str, user: &str) {
        server().sql(&format!(
            "update user_group_membership set membership_type = 'MANAGED' where user_id = '{user}' and group_id in \
             (select group_id from org where id = '{organization}')"
        ));
        self.post("/clear-user-cache", json!({})).await;
        self.post("/clear-realm-cache", json!({})).await;
    }

    pub async fn logs_in(&self, username: &str) -> bool {
        self.admin.logs_in(&self.sample.name, username, crate::sample::people::PASSWORD).await
    }
}

async fn read_by(reader: &Keycloak, desired: &[Resource]) -> Vec<Option<Resource>> {
    let wanted: Vec<Location> = desired.iter().map(|one| Location::of(&one.id)).collect();
    let with: Vec<Option<Resource>> = desired.iter().cloned().map(Some).collect();
    reader.read(&Wanted::beside(&wanted, &with)).await.into_iter().map(|read| read.unwrap()).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

/// Whether a hunk gives an attribute the same values in another order.
fn is_of_order(hunk: &rekindle::model::Hunk) -> bool {
    use rekindle::model::{HunkAt, Shown};
    let HunkAt::Field { before: Some(Shown::Plain(before)), after: Some(Shown::Plain(after)), .. } = &hunk.at else {
        return false;
    };
    let sorted = |values: &Value| {
        let mut words: Vec<String> = values.as_array()?.iter().map(Value::to_string).collect();
        words.sort();
        Some(words)
    };
    hunk.place().starts_with("attributes.") && sorted(before).is_some() && sorted(before) == sorted(after)
}
