use serde_json::{Map, Value};

use super::Canonical;
use super::fields::{Fields, set};
use super::names::{Names, list, text};
use crate::components::keycloak::kinds::Kind;

/// How deep groups may lie in one another.
const MAX_DEPTH: usize = 64;

/// A realm role, or a role of `client`.
pub(super) fn role(representation: &Value, client: Option<&str>, names: &Names) -> Canonical {
    let mut fields = Fields::of(representation);
    let name = fields.text("name").unwrap_or_default();
    let id = match client {
        Some(client) => Kind::ClientRole.id(&[client, name]),
        None => Kind::RealmRole.id(&[names.role(name)]),
    };
    fields.keep(&["id", "description"]);
    fields.keep_lists_by_name(&["attributes"]);
    let mut beyond = Vec::new();
    if let Some(composites) = fields.take("composites") {
        let mut made = Map::new();
        made.extend(names.roles(composites.get("realm")).map(|roles| ("realm".to_owned(), roles)));
        let of_clients = composites.get("client").and_then(super::fields::sets_by_name);
        made.extend(of_clients.map(|roles| ("client".to_owned(), roles)));
        fields.put("composites", (!made.is_empty()).then_some(Value::Object(made)));
        let mut of_others = Fields::of(composites);
        of_others.pass_over(&["realm", "client"]);
        beyond.extend(of_others.finish().1.into_iter().map(|field| format!("composites: {field}")));
    }
    fields.pass_over(&["name", "composite", "clientRole", "containerId", "scopeParamRequired"]);
    let (document, mut unknown) = fields.finish();
    unknown.extend(beyond);
    Canonical { id, document, unknown }
}

/// A group and all below it.
pub(super) fn groups(representations: &[Value], names: &Names, above: &[String], into: &mut Vec<Canonical>) {
    for representation in representations {
        let Some(name) = text(representation, "name") else { continue };
        let way: Vec<String> = above.iter().cloned().chain([name.to_owned()]).collect();
        into.push(group(representation, &way, names));
        if way.len() < MAX_DEPTH {
            groups(list(representation, "subGroups"), names, &way, into);
        }
    }
}

fn group(representation: &Value, way: &[String], names: &Names) -> Canonical {
    let mut fields = Fields::of(representation);
    fields.keep(&["id", "description"]);
    fields.keep_lists_by_name(&["attributes"]);
    fields.keep_sets_by_name(&["clientRoles"]);
    let roles = names.roles(fields.take("realmRoles"));
    fields.put("realmRoles", roles);
    fields.pass_over(&["name", "path", "parentId", "subGroups", "subGroupCount", "access"]);
    let (document, mut unknown) = fields.finish();
    if way.len() == MAX_DEPTH && !list(representation, "subGroups").is_empty() {
        unknown.push("groups that lie deeper than 64".to_owned());
    }
    Canonical { id: Kind::Group.id(way), document, unknown }
}

/// Paths of groups as a set of keys.
pub(super) fn group_set(value: Option<&Value>, names: &Names) -> Option<Value> {
    let paths = value?.as_array()?.iter().filter_map(Value::as_str);
    set(&Value::Array(paths.map(|path| Value::String(names.group(path))).collect()))
}
