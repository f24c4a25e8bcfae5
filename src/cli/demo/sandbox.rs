use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::damage::{ASIDE, LostPack, packs, strike};
use super::people::{PEOPLE, settle};
use serde_json::Value;

use crate::model::{Error, ErrorKind, Result, Secret};
use crate::stores::restic::back_up;

/// A platform with its backup, in a temporary folder that goes when this does.
pub struct Sandbox {
    folder: Folder,
    lost: Arc<LostPack>,
}

enum Folder {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

/// Whether everybody has back what the backup holds, and how that was seen.
pub struct Proof {
    pub holds: bool,
    pub lines: Vec<String>,
}

impl Sandbox {
    /// Blocks for about a second: it makes the users, backs them up and damages them.
    pub fn build(keep: bool) -> Result<Self> {
        let made = tempfile::Builder::new().prefix("rekindle-demo-").tempdir().map_err(|error| {
            Error::io("make the demo's folder", error).next("set TMPDIR to a folder that you may write to")
        })?;
        let folder = if keep { Folder::Kept(made.keep()) } else { Folder::Temporary(made) };
        let root = folder.path().to_owned();
        let io = |doing: &str| {
            let doing = doing.to_owned();
            move |error| Error::io(doing.clone(), error)
        };
        let password = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex().to_string();
        fs::write(root.join("password"), &password).map_err(io("write the repository's password"))?;
        let (platform, repository) = (root.join("platform"), root.join("repository"));
        settle(&platform).map_err(io("settle the demo's people"))?;
        let password = Secret::new(password);
        // What is backed up first has a pack of its own, which can be lost without harm to the others.
        let first = platform.join("home/lee/projects");
        back_up(&repository, &password, &first, &["before"], "demo")?;
        let lost = packs(&repository).map_err(io("list the demo's packs"))?;
        back_up(&repository, &password, &platform, &["nightly"], "demo")?;
        fs::create_dir(root.join("truth")).map_err(io("keep a copy for the proof"))?;
        settle(&root.join("truth")).map_err(io("keep a copy for the proof"))?;
        strike(&platform).map_err(io("damage the demo's platform"))?;
        let lost = LostPack::lose(&lost, &root.join(ASIDE)).map_err(io("lose a pack"))?;
        Ok(Self { folder, lost: Arc::new(lost) })
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root().join(below)
    }

    /// Leaves it in place after all.
    pub fn keep(&mut self) {
        if let Folder::Temporary(folder) = &mut self.folder {
            folder.disable_cleanup(true);
            self.folder = Folder::Kept(folder.path().to_owned());
        }
    }

    pub fn is_kept(&self) -> bool {
        matches!(self.folder, Folder::Kept(_))
    }

    pub fn lost_pack(&self) -> Arc<LostPack> {
        self.lost.clone()
    }

    pub fn cause(&self) -> String {
        format!("pack {} of the repository was lost; it is brought back from the second copy", self.lost.name())
    }

    pub fn mend(&self) -> Result<()> {
        self.lost.mend().map_err(|error| Error::io("bring the lost pack back", error))
    }

    /// Compares every home byte by byte with what was there before the damage. What came after the backup stays,
    /// since the runbook merges.
    pub fn prove(&self) -> Result<Proof> {
        let mut proof = Proof { holds: true, lines: vec![String::new(), "proof, person by person:".to_owned()] };
        for name in PEOPLE {
            let mut files = 0_u64;
            let mut wrong = Vec::new();
            let (truth, live) = (self.path("truth/home").join(name), self.path("platform/home").join(name));
            compare(&truth, &live, &mut files, &mut wrong)
                .map_err(|error| Error::io(format!("prove the home of {name}"), error))?;
            let account = format!("{name}.yaml");
            if !holds(&self.account("platform", &account), &self.account("truth", &account)) {
                wrong.push(account);
            }
            proof.holds &= wrong.is_empty();
            proof.lines.push(if wrong.is_empty() {
                format!("  {name}: {files} files and the account are as they were before the damage")
            } else {
                format!("  {name}: not as before: {}", wrong.join(", "))
            });
        }
        if proof.holds && fs::metadata(self.path("platform/home/eli/data/after-the-backup.csv")).is_err() {
            return Err(Error::new(ErrorKind::NotMet, "prove the demo", "a file that came after the backup is gone"));
        }
        Ok(proof)
    }
}

impl Sandbox {
    fn account(&self, side: &str, file: &str) -> Value {
        let text = fs::read_to_string(self.path(side).join("accounts").join(file)).unwrap_or_default();
        serde_saphyr::from_str(&text).unwrap_or_default()
    }
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

/// Whether all of `was` is there; a role that was given after the backup may be there too.
fn holds(is: &Value, was: &Value) -> bool {
    match (is, was) {
        (Value::Object(is), Value::Object(was)) => {
            was.iter().all(|(name, was)| is.get(name).is_some_and(|is| holds(is, was)))
        }
        (Value::Array(is), Value::Array(was)) => was.iter().all(|one| is.contains(one)),
        (is, was) => is == was,
    }
}

fn compare(truth: &Path, live: &Path, files: &mut u64, wrong: &mut Vec<String>) -> std::io::Result<()> {
    let (was, is) = (fs::symlink_metadata(truth)?, fs::symlink_metadata(live));
    let Ok(is) = is else {
        wrong.push(live.display().to_string());
        return Ok(());
    };
    if was.is_dir() {
        for entry in fs::read_dir(truth)? {
            let name = entry?.file_name();
            compare(&truth.join(&name), &live.join(&name), files, wrong)?;
        }
        return Ok(());
    }
    *files += 1;
    let same = if was.is_symlink() {
        is.is_symlink() && fs::read_link(truth)? == fs::read_link(live)?
    } else {
        use std::os::unix::fs::PermissionsExt;
        is.is_file() && was.permissions().mode() == is.permissions().mode() && read(truth)? == read(live)?
    };
    if !same {
        wrong.push(live.display().to_string());
    }
    Ok(())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
