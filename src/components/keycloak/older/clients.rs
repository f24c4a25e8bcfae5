use serde_json::{Value, json};

use super::super::canonical::text;
use super::{is_named, list_mut};

const ACCOUNT: &str = "account";
const ACCOUNT_CONSOLE: &str = "account-console";
const ADMIN_CONSOLE: &str = "security-admin-console";
const ADMIN_CLI: &str = "admin-cli";
const VIEW_GROUPS: &str = "view-groups";
const LIGHTWEIGHT: &str = "client.use.lightweight.access.token.enabled";

fn client_mut<'a>(realm: &'a mut Value, client_id: &str) -> Option<&'a mut serde_json::Map<String, Value>> {
    let found = list_mut(realm, "clients")?.iter_mut().find(|client| is_named(client, "clientId", client_id));
    found.and_then(Value::as_object_mut)
}

/// The consoles were below `/auth`, with the server's address in front.
pub(super) fn own_addresses(realm: &mut Value) {
    let name = text(realm, "realm").unwrap_or_default().to_owned();
    let mut put = |client_id: &str, root: &str, base: String| {
        if let Some(client) = client_mut(realm, client_id) {
            client.insert("rootUrl".to_owned(), json!(root));
            client.insert("redirectUris".to_owned(), json!([format!("{base}*")]));
            client.insert("baseUrl".to_owned(), json!(base));
        }
    };
    put(ACCOUNT, "${authBaseUrl}", format!("/realms/{name}/account/"));
    put(ADMIN_CONSOLE, "${authAdminUrl}", format!("/admin/{name}/console/"));
    if let Some(console) = client_mut(realm, ADMIN_CONSOLE) {
        console.insert("webOrigins".to_owned(), json!(["+"]));
    }
}

/// The role by which somebody sees their own groups.
pub(super) fn view_groups(realm: &mut Value) {
    if client_mut(realm, ACCOUNT).is_none() {
        return;
    }
    let Some(roles) = realm.get_mut("roles").and_then(|roles| roles.get_mut("client")) else { return };
    let Some(roles) = roles.as_object_mut() else { return };
    let roles = roles.entry(ACCOUNT).or_insert_with(|| json!([]));
    let Some(roles) = roles.as_array_mut() else { return };
    if roles.iter().any(|role| is_named(role, "name", VIEW_GROUPS)) {
        return;
    }
    roles.push(json!({"name": VIEW_GROUPS, "description": "${role_view-groups}"}));
    if client_mut(realm, ACCOUNT_CONSOLE).is_none() {
        return;
    }
    let Some(fields) = realm.as_object_mut() else { return };
    let mappings = fields.entry("clientScopeMappings").or_insert_with(|| json!({}));
    let Some(mappings) = mappings.as_object_mut() else { return };
    if let Some(of_account) = mappings.entry(ACCOUNT).or_insert_with(|| json!([])).as_array_mut() {
        of_account.push(json!({"client": ACCOUNT_CONSOLE, "roles": [VIEW_GROUPS]}));
    }
}

/// The realm's administrators work with tokens that hold no roles, and are looked up; without this they are refused.
pub(super) fn administration(realm: &mut Value) {
    for client_id in [ADMIN_CONSOLE, ADMIN_CLI] {
        let Some(client) = client_mut(realm, client_id) else { continue };
        client.insert("fullScopeAllowed".to_owned(), json!(true));
        let attributes = client.entry("attributes").or_insert_with(|| json!({}));
        if !attributes.is_object() {
            *attributes = json!({});
        }
        attributes[LIGHTWEIGHT] = json!("true");
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::canonical::list;
    use super::*;

    #[test]
    fn the_role_for_ones_own_groups_comes_with_its_mapping() {
        let mut realm = json!({"realm": "r", "clients": [{"clientId": ACCOUNT}, {"clientId": ACCOUNT_CONSOLE}],
            "roles": {"client": {}}, "clientScopeMappings": {ACCOUNT: [{"client": ACCOUNT_CONSOLE, "roles": ["manage-account"]}]}});
        view_groups(&mut realm);
        assert_eq!(list(&realm["roles"]["client"], ACCOUNT)[0]["name"], VIEW_GROUPS);
        let of_account = list(&realm["clientScopeMappings"], ACCOUNT);
        assert_eq!(of_account[1], json!({"client": ACCOUNT_CONSOLE, "roles": [VIEW_GROUPS]}));
        let once = realm.clone();
        view_groups(&mut realm);
        assert_eq!(realm, once);
    }
}
