use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle::component::Component;
use rekindle::components::documents::YamlAndJson;
use rekindle::components::dotenv::Dotenv;
use rekindle::components::files::{FilesComponent, FilesConfig, FilesSource};
use rekindle::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource, Syntax};
use rekindle::model::{KindSchema, Owner, Privileges, Scope, TreePath};
use rekindle::reader::Reader;
use rekindle::stores::Store;
use serde_json::Value;

/// What one resource holds, as far as the suite is concerned: each of these becomes one hunk.
pub type Fields = BTreeMap<String, String>;

pub fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// One adapter on a live system of its own. A new adapter adds one of these, and is held to the whole contract.
pub trait Live {
    fn component(&self) -> Arc<dyn Component>;

    /// Where the one resource of an owner is or would be.
    fn scope(&self, owner: &str) -> Scope;

    /// What [`rekindle::reader::Reader::owners`] is asked for, where everything's root has owners of several kinds.
    fn owners_kind(&self) -> Option<&'static str> {
        None
    }

    /// Where in the resource a field is.
    fn place(&self, field: &str) -> String {
        field.to_owned()
    }

    /// What a document holds, of what was laid there.
    fn fields_of(&self, document: &serde_json::Value) -> Fields {
        serde_json::from_value(document.clone()).unwrap()
    }

    /// The one file that the resource is, if it is one.
    fn file(&self, _owner: &str) -> Option<PathBuf> {
        None
    }

    /// A document as a person writes it into a runbook, and its place there: it holds these fields, and may leave out or write
    /// in a form of its own what a backup always has. `None`: this system's resources are trees.
    fn by_hand(&self, owner: &str, holds: &Fields) -> Option<(TreePath, Value)>;

    /// Behind the component's back: `None` takes the resource away.
    fn put(&self, owner: &str, holds: Option<&Fields>);

    /// Likewise, what is there now.
    fn see(&self, owner: &str) -> Option<Fields>;

    /// Changes whenever the resource is written, even with what it held: an effect that nobody asked for shows.
    fn witness(&self, owner: &str) -> String;

    /// The format of a backup of this system, over a store whose root holds what [`Live::lay`] laid there.
    fn source(&self, store: Arc<dyn Store>) -> Arc<dyn Reader>;

    /// Lays a resource into a directory as a backup has it.
    fn lay(&self, root: &Path, owner: &str, holds: &Fields);

    /// Another system answers at the same address from now on.
    fn put_another_in_its_place(&self);
}

/// Every adapter. A later one is added here.
pub fn all() -> Vec<(&'static str, Box<dyn Live>)> {
    vec![
        ("files", Box::new(Homes::new())),
        ("documents", Box::new(Laid::new(&YamlAndJson, ".yaml", ": "))),
        ("dotenv", Box::new(Laid::new(&Dotenv, ".env", "="))),
        ("keycloak", Box::new(crate::people::People::new())),
    ]
}

fn scope(owner: &str, below: &str, to: &str) -> Scope {
    Scope {
        below: TreePath::new(below).unwrap(),
        to: TreePath::new(to).unwrap(),
        owner: Some(Owner { set: "user".into(), name: owner.into() }),
    }
}

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(made.root()).unwrap();
        made
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    fn replace(&self) {
        fs::rename(self.root(), self.folder.path().join("former")).unwrap();
        fs::create_dir(self.root()).unwrap();
    }
}

fn witness(path: &Path) -> String {
    let meta = fs::symlink_metadata(path).unwrap();
    format!("{} {}.{}", meta.ino(), meta.mtime(), meta.mtime_nsec())
}

struct Homes(Place);

impl Homes {
    fn new() -> Self {
        Self(Place::new())
    }

    fn write(home: &Path, holds: &Fields) {
        if home.exists() {
            fs::remove_dir_all(home).unwrap();
        }
        fs::create_dir_all(home).unwrap();
        for (name, value) in holds {
            fs::write(home.join(name), value).unwrap();
        }
    }
}

impl Live for Homes {
    fn component(&self) -> Arc<dyn Component> {
        let config = FilesConfig { root: self.0.root(), ignore: Vec::new(), setuid: Privileges::Strip };
        Arc::new(FilesComponent::new(config))
    }

    fn scope(&self, owner: &str) -> Scope {
        scope(owner, &format!("users/{owner}"), owner)
    }

    fn by_hand(&self, _owner: &str, _holds: &Fields) -> Option<(TreePath, Value)> {
        None
    }

    fn put(&self, owner: &str, holds: Option<&Fields>) {
        match holds {
            Some(holds) => Self::write(&self.0.root().join(owner), holds),
            None => fs::remove_dir_all(self.0.root().join(owner)).unwrap(),
        }
    }

    fn see(&self, owner: &str) -> Option<Fields> {
        let files = fs::read_dir(self.0.root().join(owner)).ok()?.map(Result::unwrap);
        let seen = files.map(|file| {
            (file.file_name().into_string().unwrap(), String::from_utf8(fs::read(file.path()).unwrap()).unwrap())
        });
        Some(seen.collect())
    }

    fn witness(&self, owner: &str) -> String {
        let home = self.0.root().join(owner);
        let names = self.see(owner).unwrap();
        names.keys().map(|name| witness(&home.join(name))).collect::<Vec<_>>().join(", ")
    }

    fn source(&self, store: Arc<dyn Store>) -> Arc<dyn Reader> {
        Arc::new(FilesSource::new(store, KindSchema::default()))
    }

    fn lay(&self, root: &Path, owner: &str, holds: &Fields) {
        Self::write(&root.join("users").join(owner), holds);
    }

    fn put_another_in_its_place(&self) {
        self.0.replace();
    }
}

/// A directory in which each file is one document.
struct Laid {
    place: Place,
    syntax: &'static dyn Syntax,
    suffix: &'static str,
    /// Between a field's name and its value.
    between: &'static str,
}

impl Laid {
    fn new(syntax: &'static dyn Syntax, suffix: &'static str, between: &'static str) -> Self {
        Self { place: Place::new(), syntax, suffix, between }
    }

    fn write(&self, file: &Path, holds: &Fields) {
        let line = |(name, value): (&String, &String)| {
            format!("# about {name}\n{name}{}{value}  # said by hand\n", self.between)
        };
        fs::write(file, holds.iter().map(line).collect::<String>()).unwrap();
    }
}

impl Live for Laid {
    fn component(&self) -> Arc<dyn Component> {
        Arc::new(DocumentFiles::new(DocumentFilesConfig {
            syntax: self.syntax,
            root: self.place.root(),
            owner_field: None,
            schema: KindSchema::default(),
        }))
    }

    fn scope(&self, owner: &str) -> Scope {
        scope(owner, "users", "")
    }

    fn file(&self, owner: &str) -> Option<PathBuf> {
        Some(self.place.root().join(format!("{owner}{}", self.suffix)))
    }

    fn by_hand(&self, owner: &str, holds: &Fields) -> Option<(TreePath, Value)> {
        let mut document = serde_json::json!(holds);
        document["number"] = 8080.into();
        document["switch"] = true.into();
        document["quotes"] = "it's \"so\": $HOME\\n # no comment\nand on".into();
        document["like_a_quote"] = "\"so\"".into();
        document["none"] = "".into();
        Some((TreePath::new(owner).unwrap(), document))
    }

    fn put(&self, owner: &str, holds: Option<&Fields>) {
        let file = self.file(owner).unwrap();
        match holds {
            Some(holds) => self.write(&file, holds),
            None => fs::remove_file(file).unwrap(),
        }
    }

    fn see(&self, owner: &str) -> Option<Fields> {
        let text = fs::read_to_string(self.file(owner)?).ok()?;
        let plain = |line: &str| {
            let (name, value) = line.split('#').next()?.split_once(self.between)?;
            Some((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        };
        Some(text.lines().filter_map(plain).collect())
    }

    fn witness(&self, owner: &str) -> String {
        witness(&self.file(owner).unwrap())
    }

    fn source(&self, store: Arc<dyn Store>) -> Arc<dyn Reader> {
        Arc::new(DocumentFilesSource::new(self.syntax, store, None, KindSchema::default()))
    }

    fn lay(&self, root: &Path, owner: &str, holds: &Fields) {
        fs::create_dir_all(root.join("users")).unwrap();
        self.write(&root.join("users").join(format!("{owner}{}", self.suffix)), holds);
    }

    fn put_another_in_its_place(&self) {
        self.place.replace();
    }
}
