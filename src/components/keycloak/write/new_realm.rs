use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use super::super::canonical::{DEFAULT_ROLE, address_in, with_addresses};
use super::super::kinds::Kind;
use super::credential;
use super::nesting::{nested, place};
use super::new_user::texts;
use super::realm::{in_order, with_mail};
use super::standing::{default_role_in, group_path};
use super::target::{field, joined, text, without};

/// One resource of a realm that is not there: kind, names, what is wanted.
pub(super) type Wanted<'a> = (Kind, Vec<String>, &'a Value);

/// A realm's representation made of its resources, as `POST /admin/realms` takes it: the one call that keeps the ids
/// of all that lies in a realm.
pub(super) fn representation(realm: &str, wanted: &[Wanted<'_>], keeps_ids: bool) -> Value {
    let mut made = Map::new();
    let default = Kind::RealmRole.id(&[DEFAULT_ROLE]);
    let default = wanted.iter().find(|(kind, names, _)| kind.id(names) == default);
    let default = default.and_then(|(_, _, document)| text(document, "name")).unwrap_or(DEFAULT_ROLE);
    let mut lists = Lists::new(realm, default_role_in(realm, default));
    for (kind, names, document) in wanted {
        let kept = if keeps_ids { (*document).clone() } else { without(document, &["id"]) };
        match kind {
            Kind::RealmSettings => made.extend(with_mail(&kept).as_object().cloned().unwrap_or_default()),
            Kind::Bindings => bindings(&mut made, &kept),
            // They change every client that is written after them: they come last.
            Kind::ClientPolicies => {}
            kind => lists.add(*kind, names, kept),
        }
    }
    made.insert("realm".to_owned(), json!(realm));
    lists.finish(&mut made);
    made.retain(|_, value| !value.is_null());
    Value::Object(made)
}

/// Written once the roles and people are there that they name.
const OF_AUTHORIZATION: [&str; 4] = ["policies", "resources", "scopes", "authorizationSchema"];

fn bindings(made: &mut Map<String, Value>, document: &Value) {
    let groups: Vec<String> = texts(document, "defaultGroups").map(group_path).collect();
    made.extend(document.as_object().cloned().unwrap_or_default());
    made.insert("defaultGroups".to_owned(), json!(groups));
}

struct Lists<'a> {
    realm: &'a str,
    default_role_name: String,
    by_field: BTreeMap<&'static str, Vec<Value>>,
    texts: Map<String, Value>,
    of_clients: Map<String, Value>,
    client_mappings: Map<String, Value>,
    flows: HashSet<String>,
    flow_ids: BTreeMap<String, Value>,
    /// By alias: the ids of flows that lie in others, and whether they are the server's own.
    sub_flows: Map<String, Value>,
    default_role: Value,
    /// By names, each before those that lie in it.
    components: BTreeMap<Vec<String>, Value>,
    groups: BTreeMap<Vec<String>, Value>,
}

impl<'a> Lists<'a> {
    fn new(realm: &'a str, default_role_name: String) -> Self {
        Self {
            realm,
            default_role_name,
            by_field: BTreeMap::new(),
            texts: Map::new(),
            of_clients: Map::new(),
            client_mappings: Map::new(),
            flows: HashSet::new(),
            flow_ids: BTreeMap::new(),
            sub_flows: Map::new(),
            default_role: Value::Null,
            components: BTreeMap::new(),
            groups: BTreeMap::new(),
        }
    }

    fn role_name(&self, name: &str) -> String {
        if name == DEFAULT_ROLE { self.default_role_name.clone() } else { name.to_owned() }
    }

    fn push(&mut self, list: &'static str, one: Value) {
        self.by_field.entry(list).or_default().push(one);
    }

    fn add(&mut self, kind: Kind, names: &[String], document: Value) {
        let name = names.last().cloned().unwrap_or_default();
        match kind {
            Kind::Localization => {
                self.texts.insert(name, document);
            }
            Kind::UserProfile => self.profile(&document),
            Kind::Component => {
                self.components.insert(names.to_vec(), joined(document, "config", "secretConfig"));
            }
            Kind::RequiredAction => self.push("requiredActions", named(document, "alias", &name)),
            Kind::Flow => {
                self.flow_ids.extend(document.get("id").map(|id| (name.clone(), id.clone())));
                if document.get("id").is_some() {
                    let ids = document.get("subFlows").and_then(Value::as_object).cloned().unwrap_or_default();
                    self.sub_flows.extend(ids);
                }
                self.flow(&name, &document, true);
            }
            Kind::ClientScope => {
                self.mappings(&document, "clientScope", &name);
                let scope = joined(without(&document, &["scopeMappings"]), "attributes", "secretAttributes");
                self.push("clientScopes", named(scope, "name", &name));
            }
            Kind::IdentityProvider => self.provider(&document, &name),
            Kind::Client => {
                self.mappings(&document, "client", &name);
                let bare = without(&document, &["scopeMappings", "authorizationSettings"]);
                let mut client = joined(bare, "attributes", "secretAttributes");
                // How it decides, so that a creation that is cut short leaves nothing that somebody could have changed.
                let settings = without(field(&document, "authorizationSettings"), &OF_AUTHORIZATION);
                if settings.as_object().is_some_and(|settings| !settings.is_empty()) {
                    client["authorizationSettings"] = settings;
                }
                let client = with_addresses(&client, |address| address_in(self.realm, address));
                self.push("clients", named(client, "clientId", &name));
            }
            Kind::RealmRole => {
                let role = named(self.role(document), "name", &self.role_name(&name));
                if name == DEFAULT_ROLE {
                    self.default_role = without(&role, &["composites", "attributes"]);
                }
                self.push("roles", role);
            }
            Kind::ClientRole => {
                let role = named(self.role(document), "name", &name);
                let client = names.first().cloned().unwrap_or_default();
                if let Some(list) = self.of_clients.entry(client).or_insert_with(|| json!([])).as_array_mut() {
                    list.push(role);
                }
            }
            Kind::Group => {
                let mut group = named(document, "name", &name);
                self.rename_roles(&mut group, "realmRoles");
                self.groups.insert(names.to_vec(), group);
            }
            Kind::Organization => {
                let providers: Vec<Value> =
                    texts(&document, "identityProviders").map(|alias| json!({ "alias": alias })).collect();
                let mut made = named(document, "alias", &name);
                if let Some(fields) = made.as_object_mut() {
                    fields.insert("identityProviders".to_owned(), json!(providers));
                }
                self.push("organizations", made);
            }
            Kind::ServiceAccount => {
                let mut user = named(document, "serviceAccountClientId", &name);
                self.rename_roles(&mut user, "realmRoles");
                let groups: Vec<String> = texts(&user, "groups").map(group_path).collect();
                let credentials = credential::all(&user, &user, user.get("id").is_some()).unwrap_or_default();
                if let Some(fields) = user.as_object_mut() {
                    fields.insert("groups".to_owned(), json!(groups));
                    fields.insert("credentials".to_owned(), json!(credentials));
                    fields.remove("organizations");
                }
                self.push("users", user);
            }
            Kind::RealmSettings | Kind::Bindings | Kind::ClientPolicies | Kind::User => {}
        }
    }

    fn profile(&mut self, document: &Value) {
        // It would describe no attribute. The server makes its own, to which the rest is written.
        if document.get("attributes").is_none() {
            return;
        }
        let mut profile = document.clone();
        if text(&profile, "unmanagedAttributePolicy") == Some("DISABLED") {
            profile = without(&profile, &["unmanagedAttributePolicy"]);
        }
        if let Some(Value::Object(order)) = profile.as_object_mut().and_then(|fields| fields.remove("order")) {
            for (list, names) in order {
                let names = names.as_array().cloned().unwrap_or_default();
                let shown = names.into_iter().map(|name| json!({ "name": name })).collect();
                let sorted = in_order(Some(&Value::Array(shown)), field(&profile, &list));
                profile[list] = sorted;
            }
        }
        let component = json!({"providerId": "declarative-user-profile", "subComponents": {},
            "config": {"kc.user.profile.config": [profile.to_string()]}});
        self.push("org.keycloak.userprofile.UserProfileProvider", component);
    }

    fn flow(&mut self, alias: &str, flow: &Value, top: bool) {
        if !self.flows.insert(alias.to_owned()) {
            return;
        }
        let given = flow.get("executions").and_then(Value::as_array).cloned().unwrap_or_default();
        let executions: Vec<Value> = given.iter().map(|execution| self.execution(execution)).collect();
        let of_sub_flow = |name: &str| self.sub_flows.get(alias).filter(|_| !top).and_then(|known| known.get(name));
        let built_in = flow.get("builtIn").or_else(|| of_sub_flow("builtIn")).cloned().unwrap_or(json!(false));
        let made = json!({"id": flow.get("id").or_else(|| of_sub_flow("id")), "alias": alias, "description": flow.get("description"),
            "providerId": text(flow, "providerId").unwrap_or("basic-flow"), "topLevel": top, "builtIn": built_in,
            "authenticationExecutions": executions});
        self.push("authenticationFlows", made);
    }

    fn execution(&mut self, execution: &Value) -> Value {
        let mut made = without(execution, &["flow", "config"]);
        let below = execution.get("flow");
        let config = execution.get("config");
        if let Some(fields) = made.as_object_mut() {
            fields.insert("authenticatorFlow".to_owned(), json!(below.is_some()));
            fields.insert("userSetupAllowed".to_owned(), json!(false));
            fields.extend(below.map(|flow| ("flowAlias".to_owned(), field(flow, "alias").clone())));
            fields.extend(config.map(|config| ("authenticatorConfig".to_owned(), field(config, "alias").clone())));
        }
        if let Some(config) = config {
            let settings = config.get("config").filter(|settings| settings.is_object()).cloned();
            let alias = field(config, "alias").clone();
            self.push("authenticatorConfig", json!({"alias": alias, "config": settings.unwrap_or(json!({}))}));
        }
        if let Some(flow) = below {
            self.flow(text(flow, "alias").unwrap_or_default(), flow, false);
        }
        made
    }

    fn provider(&mut self, document: &Value, alias: &str) {
        for mapper in document.get("mappers").and_then(Value::as_array).into_iter().flatten() {
            self.push("identityProviderMappers", named(mapper.clone(), "identityProviderAlias", alias));
        }
        let made = joined(without(document, &["mappers", "id"]), "config", "secretConfig");
        let mut made = named(made, "alias", alias);
        if let (Some(fields), Some(id)) = (made.as_object_mut(), document.get("id")) {
            fields.insert("internalId".to_owned(), id.clone());
        }
        self.push("identityProviders", made);
    }

    fn role(&self, mut document: Value) -> Value {
        if let Some(composites) = document.get_mut("composites") {
            self.rename_roles(composites, "realm");
        }
        let composite = document.get("composites").is_some();
        if let Some(fields) = document.as_object_mut() {
            fields.insert("composite".to_owned(), json!(composite));
        }
        document
    }

    fn rename_roles(&self, of: &mut Value, list: &str) {
        let names: Vec<String> = texts(of, list).map(|name| self.role_name(name)).collect();
        if let Some(fields) = of.as_object_mut()
            && fields.contains_key(list)
        {
            fields.insert(list.to_owned(), json!(names));
        }
    }

    fn mappings(&mut self, document: &Value, holder: &str, name: &str) {
        let given = field(document, "scopeMappings");
        let of_realm: Vec<String> = texts(given, "realm").map(|role| self.role_name(role)).collect();
        if !of_realm.is_empty() {
            self.push("scopeMappings", json!({holder: name, "roles": of_realm}));
        }
        for (client, roles) in given.get("client").and_then(Value::as_object).into_iter().flatten() {
            let list = self.client_mappings.entry(client.clone()).or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.push(json!({holder: name, "roles": roles}));
            }
        }
    }

    fn finish(mut self, made: &mut Map<String, Value>) {
        let flow_ids = std::mem::take(&mut self.flow_ids);
        for client in self.by_field.entry("clients").or_default() {
            let flows = client.get_mut("authenticationFlowBindingOverrides").and_then(Value::as_object_mut);
            if let Some(flows) = flows {
                let id = |alias: &Value| flow_ids.get(alias.as_str()?).cloned();
                *flows = flows.iter().filter_map(|(name, alias)| Some((name.clone(), id(alias)?))).collect();
            }
        }
        let mut components = Map::new();
        for (names, component) in nested(self.components, "subComponents") {
            // The type stands in the document; the key has its last name only.
            let _ = names;
            place(&mut components, component);
        }
        if let Some(profile) = self.by_field.remove("org.keycloak.userprofile.UserProfileProvider") {
            components.insert("org.keycloak.userprofile.UserProfileProvider".to_owned(), json!(profile));
        }
        if !components.is_empty() {
            made.insert("components".to_owned(), Value::Object(components));
        }
        let groups: Vec<Value> = nested(self.groups, "subGroups").into_iter().map(|(_, group)| group).collect();
        made.insert("groups".to_owned(), json!(groups));
        let realm_roles = self.by_field.remove("roles").unwrap_or_default();
        made.insert("roles".to_owned(), json!({"realm": realm_roles, "client": self.of_clients}));
        made.insert("defaultRole".to_owned(), self.default_role);
        made.insert("localizationTexts".to_owned(), Value::Object(self.texts));
        made.insert("clientScopeMappings".to_owned(), Value::Object(self.client_mappings));
        let lists = self.by_field.into_iter().filter(|(_, list)| !list.is_empty());
        made.extend(lists.map(|(name, list)| (name.to_owned(), Value::Array(list))));
    }
}

fn named(mut of: Value, field: &str, name: &str) -> Value {
    if let Some(fields) = of.as_object_mut() {
        fields.insert(field.to_owned(), json!(name));
    }
    of
}
