use std::sync::Arc;

use serde_json::Value;

use crate::components::keycloak::always_shown::{CLIENT_ALWAYS_SHOWN, SETTINGS_ALWAYS_SHOWN, is_of_every_realm};
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::RealmView;
use crate::diff::documents::filled_in;
use crate::model::{Body, Document, Resource, ResourceId, Schema, TreePath};

/// What the server has chosen where a source says less than a server shows: a file that a person or an older server
/// wrote. A field that such a file lacks says nothing, so `mode: exact` removes no field and nothing that the server
/// makes with every realm. What the file has of lists is still exact: an element that it lacks goes.
#[derive(Default)]
pub(super) struct Choices {
    view: Option<Arc<RealmView>>,
    is_short: bool,
}

impl Choices {
    /// `settings`: what the source says of the realm's settings; a source without them is taken as it is.
    pub fn of(settings: Option<&Value>, view: Arc<RealmView>) -> Self {
        let there = view.realm.as_ref().and_then(|realm| realm.resources.get(&Kind::RealmSettings.id::<&str>(&[]).key));
        let is_short = settings.zip(there).is_some_and(|(said, there)| {
            lacks(said, &there.document, SETTINGS_ALWAYS_SHOWN.iter().filter(|name| !name.contains('.')))
        });
        Self { view: Some(view), is_short }
    }

    /// The document with the server's choices in place of what it does not say.
    pub fn fill(&self, resource: Resource, schema: &Schema) -> Resource {
        let there = self.view.as_ref().and_then(|view| view.realm.as_ref()?.resources.get(&resource.id.key));
        let (Some(there), Some(said)) = (there, resource.document()) else { return resource };
        let known = schema.kind(&resource.id.kind);
        let is_client = &*resource.id.kind == Kind::Client.name();
        let is_short = self.is_short || (is_client && lacks(&said.value, &there.document, CLIENT_ALWAYS_SHOWN.iter()));
        if !known.fills_in || !is_short {
            return resource;
        }
        let filled = filled_in(Value::clone(&said.value), &there.document, known);
        Resource { id: resource.id, body: Body::Document(Document::new(filled)) }
    }

    /// What the server has made with the realm: that a short file lacks it says nothing. And accounts of clients, which
    /// come and go with their clients alone.
    pub fn made_by_server(&self) -> Vec<ResourceId> {
        let all = self.view.iter().flat_map(|view| view.resources());
        let is_made = |key| (self.is_short && is_of_every_realm(key)) || is_account(key);
        all.filter(|(key, _)| is_made(key)).map(|(_, one)| one.id.clone()).collect()
    }
}

fn is_account(key: &TreePath) -> bool {
    Kind::of_key(key).is_some_and(|(kind, _)| kind == Kind::ServiceAccount)
}

fn lacks<'n>(said: &Value, there: &Value, mut names: impl Iterator<Item = &'n &'static str>) -> bool {
    names.any(|name| said.get(name).is_none() && there.get(name).is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::keycloak::canonical;
    use crate::components::keycloak::config::Ids;
    use crate::components::keycloak::schema::schema;

    fn view() -> Arc<RealmView> {
        let client = json!({"clientId": "app", "enabled": true, "publicClient": false, "redirectUris": ["a", "b"],
            "attributes": {"own": "1"}});
        let realm = json!({"realm": "r", "accessTokenLifespan": 300, "clients": [client, {"clientId": "account"}]});
        Arc::new(RealmView { realm: Some(canonical::realm(&realm).unwrap()), ..RealmView::absent() })
    }

    fn filled(choices: &Choices, client: Value) -> Value {
        let id = Kind::Client.id(&["app"]);
        let resource = Resource { id, body: Body::Document(Document::new(client)) };
        Value::clone(&choices.fill(resource, &schema(Ids::Keep, &[])).document().unwrap().value)
    }

    #[test]
    fn a_short_file_says_nothing_by_what_it_lacks_and_all_by_the_lists_that_it_has() {
        let choices = Choices::of(Some(&json!({"enabled": true})), view());
        let made = filled(&choices, json!({"redirectUris": ["a"]}));
        assert_eq!(
            made,
            json!({"enabled": true, "publicClient": false, "redirectUris": ["a"], "attributes": {"own": "1"}})
        );
        let keys: Vec<String> = choices.made_by_server().iter().map(|id| id.key.to_string()).collect();
        assert!(keys.contains(&"realm/clients/account".to_owned()) && !keys.contains(&"realm/clients/app".to_owned()));
    }

    #[test]
    fn what_a_server_wrote_is_whole_but_for_a_client_that_a_person_added() {
        let choices = Choices::of(Some(&json!({"accessTokenLifespan": 60})), view());
        let whole = json!({"enabled": true, "publicClient": false});
        assert_eq!(filled(&choices, whole.clone()), whole);
        assert_eq!(filled(&choices, json!({"publicClient": false}))["attributes"], json!({"own": "1"}));
        assert!(choices.made_by_server().is_empty());
        assert!(Choices::of(None, view()).made_by_server().is_empty());
    }
}
