use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rekindle::component::Component;
use rekindle::components::keycloak::{ExportConfig, KeycloakExport};
use rekindle::model::{Owner, Scope, TreePath};
use rekindle::reader::Reader;
use rekindle::stores::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::keycloak::{Admin, server};
use crate::live::{Fields, Live};

/// A realm of a real Keycloak: each owner is a user, each field an attribute of theirs.
pub struct People {
    realm: String,
}

impl People {
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let made = Self { realm: format!("people-{}", MADE.fetch_add(1, Ordering::Relaxed)) };
        made.make_realm();
        made
    }

    fn make_realm(&self) {
        let realm = &self.realm;
        block(async {
            let admin = Admin::new(server());
            let events = json!({"realm": realm, "enabled": true, "adminEventsEnabled": true});
            admin.make_realm(&events).await;
            let mut profile = admin.get(&format!("/{realm}/users/profile")).await;
            profile["unmanagedAttributePolicy"] = json!("ENABLED");
            admin.done(Method::PUT, &format!("/{realm}/users/profile"), profile).await;
        });
    }

    fn user(&self, owner: &str, holds: &Fields) -> Value {
        let attributes: serde_json::Map<String, Value> =
            holds.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let of = |text: &str| text.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        json!({
            "id": format!("{:08x}-0000-4000-8000-0000{:08x}", of(&self.realm), of(owner)), "username": owner,
            "enabled": true, "emailVerified": false, "createdTimestamp": 1_600_000_000_000_i64, "attributes": attributes,
            "realmRoles": [format!("default-roles-{}", self.realm)]
        })
    }

    fn path(&self, below: &str) -> String {
        format!("/{}{below}", self.realm)
    }
}

/// The suite's own calls are plain ones; each is made beside whatever runtime the test has.
fn block<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime().block_on(work)).join().unwrap()
    })
}

async fn found(admin: &Admin, realm: &str, owner: &str) -> Option<Value> {
    let path = format!("/{realm}/users?exact=true&briefRepresentation=false&username={owner}");
    admin.get(&path).await.as_array().unwrap().first().cloned()
}

impl Live for People {
    fn component(&self) -> Arc<dyn Component> {
        Arc::new(server().component(&self.realm))
    }

    fn scope(&self, owner: &str) -> Scope {
        let at = TreePath::new(format!("users/{owner}")).unwrap();
        Scope { below: at.clone(), to: at, owner: Some(Owner { set: "user".into(), name: owner.into() }) }
    }

    fn owners_kind(&self) -> Option<&'static str> {
        Some("user")
    }

    fn place(&self, field: &str) -> String {
        format!("attributes.{field}")
    }

    fn by_hand(&self, owner: &str, holds: &Fields) -> Option<(TreePath, Value)> {
        let attributes: serde_json::Map<String, Value> =
            holds.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        let user = json!({"username": owner, "enabled": true, "attributes": attributes});
        Some((TreePath::new(format!("users/{owner}")).unwrap(), user))
    }

    fn put(&self, owner: &str, holds: Option<&Fields>) {
        block(async {
            let admin = Admin::new(server());
            let there = found(&admin, &self.realm, owner).await;
            let at = |user: &Value| self.path(&format!("/users/{}", user["id"].as_str().unwrap()));
            match (there, holds) {
                (None, None) => {}
                (Some(user), None) => {
                    let (status, answer) = admin.call(Method::DELETE, &at(&user), None).await;
                    assert_eq!(status, 204, "{answer}");
                }
                (None, Some(holds)) => {
                    let body = json!({"ifResourceExists": "FAIL", "users": [self.user(owner, holds)]});
                    admin.done(Method::POST, &self.path("/partialImport"), body).await;
                }
                (Some(mut user), Some(holds)) => {
                    user["attributes"] = self.user(owner, holds)["attributes"].clone();
                    let path = at(&user);
                    admin.done(Method::PUT, &path, user).await;
                }
            }
        });
    }

    fn see(&self, owner: &str) -> Option<Fields> {
        let user = block(async { found(&Admin::new(server()), &self.realm, owner).await })?;
        Some(self.fields_of(&user))
    }

    fn fields_of(&self, user: &Value) -> Fields {
        let attributes = user["attributes"].as_object().cloned().unwrap_or_default();
        let plain = |(name, values): (String, Value)| {
            assert_eq!(values.as_array().map(Vec::len), Some(1), "{name}: {values}");
            (name, values[0].as_str().unwrap().to_owned())
        };
        attributes.into_iter().map(plain).collect()
    }

    /// The realm's own record of what administrators did, without what reads leave there: nothing.
    fn witness(&self, _owner: &str) -> String {
        let path = self.path("/admin-events?max=10000");
        let events = block(async { Admin::new(server()).get(&path).await });
        events.as_array().unwrap().len().to_string()
    }

    fn source(&self, store: Arc<dyn Store>) -> Arc<dyn Reader> {
        Arc::new(KeycloakExport::new(store, ExportConfig { at: TreePath::new("users").unwrap(), realm: None }))
    }

    /// The server's own partial export stands for the realm file, which this suite does not look into.
    fn lay(&self, root: &Path, owner: &str, holds: &Fields) {
        let root = root.join("users");
        std::fs::create_dir_all(&root).unwrap();
        let of_realm = root.join(format!("{}-realm.json", self.realm));
        if !of_realm.exists() {
            let path = self.path("/partial-export?exportClients=true&exportGroupsAndRoles=true");
            let (status, mut realm) = block(async { Admin::new(server()).call(Method::POST, &path, None).await });
            assert_eq!(status, 200);
            realm.as_object_mut().unwrap().remove("users");
            std::fs::write(of_realm, realm.to_string()).unwrap();
        }
        let of_users = root.join(format!("{}-users-0.json", self.realm));
        let laid =
            std::fs::read(&of_users).unwrap_or_else(|_| json!({"realm": self.realm, "users": []}).to_string().into());
        let mut laid: Value = serde_json::from_slice(&laid).unwrap();
        let users = laid["users"].as_array_mut().unwrap();
        users.retain(|user| user["username"] != json!(owner));
        users.push(self.user(owner, holds));
        std::fs::write(of_users, laid.to_string()).unwrap();
    }

    fn put_another_in_its_place(&self) {
        self.make_realm();
    }
}
