use std::collections::{BTreeMap, HashMap};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::components::keycloak::canonical::{self, Canonical, Names, Realm, Side, key_of};
use crate::components::keycloak::http::{Http, segment, strange};
use crate::components::keycloak::kinds::Kind;
use crate::model::{ErrorKind, Result, TreePath};

/// Organizations, clients: at most this many a page.
const PAGE: u64 = 200;
const SIDE_BY_SIDE: usize = 4;

/// A realm but for its people, as it was at one moment: one call for nearly all of it.
pub(in crate::components::keycloak) struct RealmView {
    /// `None`: there is no realm of that name.
    pub realm: Option<Realm>,
    /// The server's ids by group key, client id, organization alias; realm roles' under no client.
    pub groups: BTreeMap<String, String>,
    pub clients: BTreeMap<String, String>,
    pub organizations: BTreeMap<String, String>,
    pub roles: BTreeMap<(Option<String>, String), String>,
    pub providers: Vec<String>,
    /// Whether attributes that the user profile does not name are hidden from an administrator's reads.
    pub hides_unmanaged: bool,
}

impl RealmView {
    pub async fn take(http: &Http) -> Result<Self> {
        let Some(secrets) = secrets(http).await? else { return Ok(Self::absent()) };
        let Some(mut representation) = export(http).await? else { return Ok(Self::absent()) };
        let (organizations, profile) =
            tokio::try_join!(organizations(http, &representation), http.get("/users/profile", &[]))?;
        fill_secrets(&mut representation, &secrets);
        if let Some(fields) = representation.as_object_mut() {
            fields.insert("organizations".to_owned(), Value::Array(organizations));
        }
        let mut realm = canonical::realm(&representation)?;
        let defaults = list(&representation, "defaultGroups").iter().filter_map(Value::as_str);
        if defaults.into_iter().any(|path| realm.names.is_ambiguous(path)) {
            // Which of several groups a path stands for is told by their ids alone.
            let groups = http.get("/default-groups", &[]).await?;
            let ids: Vec<&str> = groups.as_array().into_iter().flatten().filter_map(|one| text(one, "id")).collect();
            let ids = json!(ids);
            if let Some(fields) = representation.as_object_mut() {
                fields.insert("defaultGroups".to_owned(), ids);
            }
            realm = canonical::realm(&representation)?;
        }
        note_default_role(&mut realm);
        insert(&mut realm.resources, canonical::user_profile(&profile));
        for user in list(&representation, "users") {
            insert(&mut realm.resources, canonical::user(user, &realm.names, Side::Live)?);
        }
        let mut view = Self::absent();
        view.note_ids(&representation);
        view.hides_unmanaged =
            !matches!(text(&profile, "unmanagedAttributePolicy"), Some("ENABLED" | "ADMIN_EDIT" | "ADMIN_VIEW"));
        view.realm = Some(realm);
        Ok(view)
    }

    pub fn absent() -> Self {
        Self {
            realm: None,
            groups: BTreeMap::new(),
            clients: BTreeMap::new(),
            organizations: BTreeMap::new(),
            roles: BTreeMap::new(),
            providers: Vec::new(),
            hides_unmanaged: false,
        }
    }

    pub fn names(&self) -> Option<&Names> {
        self.realm.as_ref().map(|realm| &realm.names)
    }

    pub fn resources(&self) -> impl Iterator<Item = (&TreePath, &Canonical)> {
        self.realm.iter().flat_map(|realm| &realm.resources)
    }

    /// Whether it is a directory that was disabled.
    pub fn is_disabled(&self, directory: &str) -> bool {
        let found = self
            .realm
            .as_ref()
            .and_then(|realm| realm.resources.get(&Kind::Component.id(&[canonical::DIRECTORY, directory]).key));
        found.and_then(|found| found.document.pointer("/config/enabled/0")?.as_str()) == Some("false")
    }

    fn note_ids(&mut self, representation: &Value) {
        let mut open: Vec<(Vec<&str>, &Value)> =
            list(representation, "groups").iter().map(|group| (Vec::new(), group)).collect();
        while let Some((above, group)) = open.pop() {
            let (Some(id), Some(name)) = (text(group, "id"), text(group, "name")) else { continue };
            let way: Vec<&str> = above.into_iter().chain([name]).collect();
            self.groups.insert(key_of(&way), id.to_owned());
            open.extend(list(group, "subGroups").iter().map(|below| (way.clone(), below)));
        }
        let ids = |name: &str, key: &str| -> BTreeMap<String, String> {
            let pair = |one: &Value| Some((text(one, key)?.to_owned(), text(one, "id")?.to_owned()));
            list(representation, name).iter().filter_map(pair).collect()
        };
        self.clients = ids("clients", "clientId");
        self.organizations = ids("organizations", "alias");
        let roles = representation.get("roles").unwrap_or(&Value::Null);
        let of_clients = roles.get("client").and_then(Value::as_object).into_iter().flatten();
        let of_clients = of_clients.flat_map(|(client, roles)| {
            roles.as_array().into_iter().flatten().map(move |role| (Some(client.clone()), role))
        });
        let all = list(roles, "realm").iter().map(|role| (None, role)).chain(of_clients);
        self.roles = all
            .filter_map(|(client, role)| Some(((client, text(role, "name")?.to_owned()), text(role, "id")?.to_owned())))
            .collect();
        let aliases = list(representation, "identityProviders").iter().filter_map(|one| text(one, "alias"));
        self.providers = aliases.map(str::to_owned).collect();
    }
}

/// Its name is always told here: a backup that does not tell it asks for no change.
fn note_default_role(realm: &mut Realm) {
    let key = Kind::RealmRole.id(&[canonical::DEFAULT_ROLE]).key;
    let found = realm.resources.get_mut(&key).and_then(|role| role.document.as_object_mut());
    if let Some(fields) = found {
        fields.entry("name").or_insert_with(|| json!(canonical::DEFAULT_ROLE));
    }
}

async fn export(http: &Http) -> Result<Option<Value>> {
    let query = [("exportClients", "true"), ("exportGroupsAndRoles", "true")];
    match http.read(Method::POST, "/partial-export", &query).await {
        Ok(answer) => {
            let value = answer.json()?;
            match text(&value, "realm") == Some(&http.config.realm) {
                true => Ok(Some(value)),
                false => Err(strange("read the realm", "its answer is of another realm")),
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The export masks the secrets of clients; who may see clients sees them in the list. Before the export: read in pages
/// they are at the server's hand then. An export that has to fetch 1,000 of them itself takes half a minute instead of
/// four seconds.
async fn secrets(http: &Http) -> Result<Option<HashMap<String, Value>>> {
    let clients: Vec<Value> = match http.listed("/clients", &[], PAGE).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        listed => listed?,
    };
    let secret = |client: &Value| Some((text(client, "clientId")?.to_owned(), client.get("secret")?.clone()));
    Ok(Some(clients.iter().filter_map(secret).collect()))
}

fn fill_secrets(representation: &mut Value, secrets: &HashMap<String, Value>) {
    let clients = representation.get_mut("clients").and_then(Value::as_array_mut);
    for client in clients.into_iter().flatten() {
        let Some(secret) = text(client, "clientId").and_then(|id| secrets.get(id)).cloned() else { continue };
        if let Some(fields) = client.as_object_mut().filter(|fields| fields.contains_key("secret")) {
            fields.insert("secret".to_owned(), secret);
        }
    }
}

/// Organizations are in a whole export and not in the server's partial one.
async fn organizations(http: &Http, representation: &Value) -> Result<Vec<Value>> {
    if representation.get("organizationsEnabled").and_then(Value::as_bool) != Some(true) {
        return Ok(Vec::new());
    }
    let all: Vec<Value> = http.listed("/organizations", &[("briefRepresentation", "false")], PAGE).await?;
    let with_providers = stream::iter(all).map(|mut organization| async move {
        let id = text(&organization, "id").unwrap_or_default().to_owned();
        let path = format!("/organizations/{}/identity-providers", segment(&id));
        let providers = http.get(&path, &[]).await?;
        if let Some(fields) = organization.as_object_mut() {
            let aliases = providers.as_array().into_iter().flatten();
            let aliases: Vec<Value> = aliases.filter_map(|one| Some(json!({ "alias": text(one, "alias")? }))).collect();
            fields.insert("identityProviders".to_owned(), Value::Array(aliases));
        }
        Ok::<_, crate::model::Error>(organization)
    });
    with_providers.buffered(SIDE_BY_SIDE).try_collect().await
}

fn insert(resources: &mut BTreeMap<TreePath, Canonical>, one: Canonical) {
    resources.insert(one.id.key.clone(), one);
}

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}
