use std::sync::Arc;

use serde_json::Value;

use crate::components::keycloak::always_shown::{is_of_every_realm, says_all};
use crate::components::keycloak::kinds::Kind;
use crate::components::keycloak::live::RealmView;
use crate::model::{ResourceId, TreePath};

/// What the server makes with every realm, where a source says less than a server shows: a file that a person or an
/// older server wrote. That it lacks such a thing says nothing, so `mode: exact` does not remove it.
#[derive(Default)]
pub(super) struct Choices {
    view: Option<Arc<RealmView>>,
    is_short: bool,
}

impl Choices {
    /// `settings`: what the source says of the realm's settings; a source without them is taken as it is.
    pub fn of(settings: Option<&Value>, view: Arc<RealmView>) -> Self {
        let there = view.realm.as_ref().and_then(|realm| realm.resources.get(&Kind::RealmSettings.id::<&str>(&[]).key));
        let is_short = settings.zip(there).is_some_and(|(said, there)| !says_all(said, &there.document));
        Self { view: Some(view), is_short }
    }

    /// What the server has made with the realm: that a short file lacks it says nothing. And accounts of clients, which
    /// come and go with their clients alone.
    pub fn made_by_server(&self) -> Vec<ResourceId> {
        let all = self.view.iter().flat_map(|view| view.resources());
        let is_made = |key| (self.is_short && (is_of_every_realm(key) || is_of_authorization(key))) || is_account(key);
        all.filter(|(key, _)| is_made(key)).map(|(_, one)| one.id.clone()).collect()
    }
}

/// The role that a client's account gets with the client's authorization service.
fn is_of_authorization(key: &TreePath) -> bool {
    Kind::of_key(key).is_some_and(|(kind, names)| {
        kind == Kind::ClientRole && names.get(1).is_some_and(|name| name == "uma_protection")
    })
}

fn is_account(key: &TreePath) -> bool {
    Kind::of_key(key).is_some_and(|(kind, _)| kind == Kind::ServiceAccount)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::keycloak::canonical;

    #[test]
    fn what_every_realm_has_may_lack_in_a_short_file_and_accounts_of_clients_in_every_file() {
        let account = json!({"username": "service-account-app", "serviceAccountClientId": "app"});
        let realm = json!({"realm": "r", "accessTokenLifespan": 300, "clients": [{"clientId": "app"}, {"clientId": "account"}]});
        let mut made = canonical::realm(&realm).unwrap();
        let account = canonical::user(&account, &made.names, canonical::Side::Live).unwrap();
        made.resources.insert(account.id.key.clone(), account);
        let view = Arc::new(RealmView { realm: Some(made), ..RealmView::absent() });
        let keys = |settings: Option<Value>| -> Vec<String> {
            let choices = Choices::of(settings.as_ref(), Arc::clone(&view));
            choices.made_by_server().iter().map(|id| id.key.to_string()).collect()
        };
        let short = keys(Some(json!({"enabled": true})));
        assert!(short.contains(&"realm/clients/account".to_owned()), "{short:?}");
        assert!(!short.contains(&"realm/clients/app".to_owned()), "{short:?}");
        let accounts = ["realm/service-accounts/app"];
        assert_eq!(keys(Some(json!({"accessTokenLifespan": 60}))), accounts);
        assert_eq!(keys(None), accounts);
    }
}
