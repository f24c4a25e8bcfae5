use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::canonical::{DEFAULT_ROLE, Names, default_role_of};
use super::super::escape::unescaped;
use super::super::kinds::Kind;
use super::super::live::RealmView;
use crate::model::{Error, ErrorKind, ResourceId, Result, TreePath, visible};

/// What the realm holds and by which ids the server knows it; as it was when the write began, with what the write has
/// made since.
#[derive(Clone)]
pub(super) struct Standing {
    view: Arc<RealmView>,
    ids: BTreeMap<TreePath, String>,
    gone: BTreeSet<TreePath>,
    /// Made by the server on its own while this write made something else: nobody's but ours to change.
    ours: BTreeSet<TreePath>,
    /// The default role's name, if this write changed it.
    default_role: Option<String>,
}

impl Standing {
    pub fn new(view: Arc<RealmView>) -> Self {
        let id = |document: &Value| document.get("id").and_then(Value::as_str).map(str::to_owned);
        let ids = view.resources().filter_map(|(key, one)| Some((key.clone(), id(&one.document)?))).collect();
        Self { view, ids, gone: BTreeSet::new(), ours: BTreeSet::new(), default_role: None }
    }

    /// Another look at the realm after something was made: what came with it is ours.
    pub fn looked_again(self, view: Arc<RealmView>) -> Self {
        let mut now = Self::new(view);
        let came = now.view.resources().map(|(key, _)| key).filter(|key| !self.has(key));
        let came: BTreeSet<TreePath> = came.cloned().collect();
        now.ours = self.ours.into_iter().chain(came).collect();
        now
    }

    pub fn is_there(&self) -> bool {
        self.view.realm.is_some()
    }

    pub fn view(&self) -> &Arc<RealmView> {
        &self.view
    }

    /// The realm's name, which is part of its default role's.
    pub fn realm(&self) -> &str {
        self.view.names().map_or("", |names| &names.realm)
    }

    pub fn realm_id(&self) -> Option<&str> {
        self.view.realm.as_ref().map(|realm| realm.id.as_str())
    }

    pub fn names(&self) -> Option<&Names> {
        self.view.names()
    }

    pub fn document(&self, key: &TreePath) -> Option<&Value> {
        let found = self.view.realm.as_ref()?.resources.get(key)?;
        (!self.gone.contains(key)).then_some(&found.document)
    }

    pub fn is_ours(&self, key: &TreePath) -> bool {
        self.ours.contains(key)
    }

    pub fn has(&self, key: &TreePath) -> bool {
        !self.gone.contains(key) && (self.ids.contains_key(key) || self.document(key).is_some())
    }

    pub fn note_made(&mut self, id: &ResourceId, server_id: Option<String>) {
        self.gone.remove(&id.key);
        self.ids.extend(server_id.map(|server_id| (id.key.clone(), server_id)));
    }

    pub fn note_gone(&mut self, id: &ResourceId) {
        self.ids.remove(&id.key);
        self.gone.insert(id.key.clone());
    }

    fn id_at(&self, kind: Kind, names: &[&str]) -> Option<&str> {
        self.ids.get(&kind.id(names).key).map(String::as_str)
    }

    /// The server's id of a resource.
    pub fn id(&self, kind: Kind, names: &[&str]) -> Result<&str> {
        self.id_at(kind, names).ok_or_else(|| missing(kind, &names.join("/")))
    }

    /// By the way that the canonical form writes: `/a/s%2Flash`.
    pub fn group(&self, way: &str) -> Result<&str> {
        let names = group_names(way);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.id_at(Kind::Group, &names).ok_or_else(|| missing(Kind::Group, way))
    }

    /// A realm role as mappings want it.
    pub fn realm_role(&self, name: &str) -> Result<Value> {
        Ok(json!({"id": self.id(Kind::RealmRole, &[name])?, "name": self.role_name(name)}))
    }

    pub fn client_role(&self, client: &str, name: &str) -> Result<Value> {
        Ok(json!({"id": self.id(Kind::ClientRole, &[client, name])?, "name": name, "clientRole": true}))
    }

    /// A realm role's name in this realm.
    pub fn role_name(&self, name: &str) -> String {
        let default = self.default_role.as_deref().or(self.names().map(|names| names.default_role.as_str()));
        match default.filter(|_| name == DEFAULT_ROLE) {
            Some(default) => default.to_owned(),
            None => default_role_in(self.realm(), name),
        }
    }

    /// The name that the default role is to have.
    pub fn note_default_role(&mut self, name: &str) {
        self.default_role = Some(default_role_in(self.realm(), name));
    }

    /// The user profile's rule for attributes that it does not name, and whether it names one.
    pub fn keeps_attribute(&self, name: &str) -> bool {
        let Some(profile) = self.document(&Kind::UserProfile.id::<&str>(&[]).key) else { return true };
        let text = |name: &str| profile.get(name).and_then(Value::as_str);
        let named = profile.get("attributes").and_then(Value::as_array).into_iter().flatten();
        let mut named = named.filter_map(|attribute| attribute.get("name").and_then(Value::as_str));
        matches!(text("unmanagedAttributePolicy"), Some("ENABLED" | "ADMIN_EDIT")) || named.any(|one| one == name)
    }

    /// Whether several users may have one e-mail.
    pub fn shares_emails(&self) -> bool {
        let settings = self.document(&Kind::RealmSettings.id::<&str>(&[]).key);
        settings.and_then(|settings| settings.get("duplicateEmailsAllowed")).and_then(Value::as_bool) == Some(true)
    }

    /// Attributes that an administrator must give to every user.
    pub fn required_attributes(&self) -> impl Iterator<Item = &str> {
        let profile = self.document(&Kind::UserProfile.id::<&str>(&[]).key);
        let all = profile.and_then(|profile| profile.get("attributes")?.as_array()).into_iter().flatten();
        let is_required = |attribute: &&Value| {
            let required = attribute.get("required");
            let roles = required.and_then(|required| required.get("roles")).and_then(Value::as_array);
            required.is_some() && roles.is_none_or(|roles| roles.iter().any(|role| role == "admin"))
        };
        all.filter(is_required).filter_map(|attribute| attribute.get("name")?.as_str())
    }
}

/// A realm role's name in a realm whose default role has the name that the server gives it.
pub(super) fn default_role_in(realm: &str, name: &str) -> String {
    match name == DEFAULT_ROLE {
        true => default_role_of(realm),
        false => name.to_owned(),
    }
}

/// Names of a group and of those above it.
pub(super) fn group_names(way: &str) -> Vec<String> {
    let parts = way.split('/').filter(|part| !part.is_empty());
    parts.map(|part| unescaped(part.as_bytes()).unwrap_or_else(|| part.to_owned())).collect()
}

/// The path that the server knows a group by, in which a `/` of a name is like any other.
pub(super) fn group_path(way: &str) -> String {
    group_names(way).iter().fold(String::new(), |path, name| path + "/" + name)
}

/// Something that is referred to and is not there. Nothing is made by side effect, so this is not written.
pub(super) fn missing(kind: Kind, name: &str) -> Error {
    let what = match kind {
        Kind::RealmRole => "realm role",
        Kind::ClientRole => "client role",
        Kind::ClientScope => "client scope",
        Kind::IdentityProvider => "identity provider",
        Kind::RequiredAction => "required action",
        other => other.name(),
    };
    let next = format!("restore it first, below {}, or leave out what refers to it", kind.folder());
    Error::new(ErrorKind::NotFound, format!("refer to the {what} {}", visible(name)), "the realm has none of that name")
        .next(next)
}
