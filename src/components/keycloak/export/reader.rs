use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::again;
use super::opened::Opened;
use crate::blocking::blocking;
use crate::components::keycloak::config::Ids;
use crate::components::keycloak::place;
use crate::components::keycloak::schema::schema;
use crate::model::{FoundOwners, Location, Resource, Result, Schema, Scope, TargetIdentity, TreePath, visible};
use crate::reader::{Reader, Wanted};
use crate::stores::Store;

/// Where in a store an export lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportConfig {
    /// The directory that `kc.sh export --dir` wrote, or the file of `--file`.
    pub at: TreePath,
    /// Needed where it holds several.
    pub realm: Option<String>,
}

/// The format `keycloak-export`: one realm as `kc.sh export` wrote it, in either form, in any store.
///
/// All of it is looked through when it is first asked for something, and refused unless it is whole. The realm is
/// held then, its people are not: they are read from where they lie. Nothing is expanded in it.
///
/// Errors: `NotFound` no export there; `Ambiguous` several realms, or two exports in one; `Corrupt` files that are
/// missing, or belong to different exports; `Invalid` broken or over a bound (a realm's own part 64 MiB, a person
/// 4 MiB, 100 levels, 5 million people); `Conflict` it was written to meanwhile.
pub struct KeycloakExport(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    config: ExportConfig,
    schema: Schema,
    opened: Mutex<Option<Arc<Opened>>>,
}

impl KeycloakExport {
    pub fn new(store: Arc<dyn Store>, config: ExportConfig) -> Self {
        Self(Arc::new(Inner { store, config, schema: schema(Ids::Keep, &[]), opened: Mutex::default() }))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &Opened) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        blocking("read the Keycloak export", move || work(&inner, &*inner.opened()?)).await
    }
}

impl Inner {
    /// A backup does not change while it is read. Who asks while it is opened waits.
    fn opened(&self) -> Result<Arc<Opened>> {
        let mut held = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = held.as_ref() {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(Opened::open(&*self.store, &self.config)?);
        *held = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

#[async_trait]
impl Reader for KeycloakExport {
    fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The store's own, with the realm's name for people: an export is what lies in that store.
    async fn identity(&self) -> Result<TargetIdentity> {
        self.blocking(|inner, opened| {
            let store = inner.store.identity()?;
            Ok(TargetIdentity {
                system: format!("export of the realm {} in {}", visible(&opened.name), store.system),
                ..store
            })
        })
        .await
    }

    async fn owners(&self, below: &TreePath, kind: Option<&str>) -> Result<FoundOwners> {
        let folder = match kind {
            Some(kind) => place::folder_of(kind)?,
            None => below.clone(),
        };
        place::known(&folder)?;
        self.blocking(move |_, opened| opened.owners(&folder).map(FoundOwners::from)).await
    }

    /// A realm whose people are all in a directory has none in its file; the plan of the realm says so.
    fn can_have_no_owners(&self) -> bool {
        true
    }

    async fn list(&self, scopes: &[Scope]) -> Vec<Result<Vec<Location>>> {
        let asked = scopes.to_vec();
        let listed = self.blocking(move |_, opened| Ok(asked.iter().map(|scope| opened.list(scope)).collect())).await;
        answers(listed, scopes.len())
    }

    async fn read(&self, wanted: &[Wanted<'_>]) -> Vec<Result<Option<Resource>>> {
        let asked = Wanted::locations(wanted);
        answers(self.blocking(move |_, opened| Ok(opened.read(&asked))).await, wanted.len())
    }

    async fn not_restored(&self, scopes: &[Scope]) -> Vec<Vec<String>> {
        let asked = scopes.to_vec();
        let said = self.blocking(move |_, opened| Ok(asked.iter().map(|scope| opened.not_restored(scope)).collect()));
        // Why it cannot be read is the answer of `list`.
        said.await.unwrap_or_else(|_| scopes.iter().map(|_| Vec::new()).collect())
    }
}

fn answers<T>(made: Result<Vec<Result<T>>>, count: usize) -> Vec<Result<T>> {
    made.unwrap_or_else(|error| (0..count).map(|_| Err(again("read the Keycloak export", &error))).collect())
}
