//! A backup and a live side with one small document for each of many users.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rekindle::component::{Component, Limits, Unit};
use rekindle::components::documents::YamlAndJson;
use rekindle::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource};
use rekindle::model::{Document, KindSchema, Mode, Owner, Scope, TreePath};
use rekindle::reader::Reader;
use rekindle::stores::DirectoryStore;

use super::one_step::Accounts;
use super::slow::Slow;

pub struct Place {
    pub root: PathBuf,
    pub tasks: u32,
    pub source: Arc<dyn Reader>,
    pub component: Arc<dyn Component>,
    live: Option<PathBuf>,
}

pub fn scratch(name: &str) -> PathBuf {
    let root = std::env::var_os("REKINDLE_BENCH_DIR").map_or_else(std::env::temp_dir, PathBuf::from).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    root
}

fn text(user: u32, quota: u32) -> String {
    format!("name: user{user:05}\nshell: /bin/bash\nquota: {quota}\nmail: user{user:05}@example.org\n")
}

impl Place {
    pub fn slow(root: &Path, tasks: u32) -> Self {
        let documents = |quota: u32| -> HashMap<TreePath, Document> {
            let document = |user: u32| {
                let value = serde_json::json!({"name": name(user), "shell": "/bin/bash", "quota": quota});
                (TreePath::new(name(user)).unwrap(), Document::new(value))
            };
            (0..tasks).map(document).collect()
        };
        let limits = Limits { batch: 1, parallel: 8, unit: Unit::Change, reads_beside: false };
        Self {
            root: root.to_owned(),
            tasks,
            source: Arc::new(Slow::new(Duration::ZERO, limits, documents(10))),
            component: Arc::new(Slow::new(Duration::from_millis(1), limits, documents(3))),
            live: None,
        }
    }

    pub fn documents(root: &Path, tasks: u32) -> Self {
        let (backup, live) = (root.join(format!("backup-{tasks}")), root.join(format!("live-{tasks}")));
        if !backup.exists() {
            fs::create_dir_all(backup.join("accounts")).unwrap();
            for user in 0..tasks {
                fs::write(backup.join(format!("accounts/{}.yaml", name(user))), text(user, 10)).unwrap();
            }
        }
        let store = Arc::new(DirectoryStore::open(&backup).unwrap());
        let config = DocumentFilesConfig {
            syntax: &YamlAndJson,
            root: live.clone(),
            owner_field: None,
            schema: KindSchema::default(),
        };
        fs::create_dir_all(&live).unwrap();
        let place = Self {
            root: root.to_owned(),
            tasks,
            source: Arc::new(DocumentFilesSource::new(&YamlAndJson, store, None, KindSchema::default())),
            component: Arc::new(DocumentFiles::new(config)),
            live: Some(live),
        };
        place.damage();
        place
    }

    /// Every live document differs in one field.
    pub fn damage(&self) {
        if let Some(live) = &self.live {
            for user in 0..self.tasks {
                fs::write(live.join(format!("{}.yaml", name(user))), text(user, 3)).unwrap();
            }
            rustix::fs::sync();
        }
    }

    pub fn scope(&self, user: u32) -> Scope {
        let owner = Owner { set: "user".into(), name: name(user).into() };
        let below = if self.live.is_some() { "accounts" } else { "" };
        Scope { below: TreePath::new(below).unwrap(), to: TreePath::root(), owner: Some(owner) }
    }

    pub fn script(&self) -> Arc<Accounts> {
        let (source, component) = (self.source.clone(), self.component.clone());
        Arc::new(Accounts { source, component, below: self.scope(0).below, mode: Mode::Merge })
    }

    pub fn users(&self) -> Vec<String> {
        (0..self.tasks).map(name).collect()
    }
}

pub fn name(user: u32) -> String {
    format!("user{user:05}")
}
