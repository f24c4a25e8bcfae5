use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// What befell the platform, person by person.
pub fn strike(platform: &Path) -> io::Result<()> {
    let home = |path: &str| platform.join("home").join(path);
    let account = |name: &str| platform.join("accounts").join(format!("{name}.yaml"));

    edit(&home("bob/notes.txt"), "observation 482", "observation ###")?;
    edit(&home("bob/notes.txt"), " 30  bob: observation 1111\n", "")?;
    fs::remove_file(home("cyd/projects/model/weights.bin"))?;
    fs::remove_dir_all(home("dee"))?;
    fs::write(home("eli/data/after-the-backup.csv"), "row,value,by\n1,2,eli\n")?;
    edit(&account("ana"), "  - admin   # may approve shares\n", "")?;
    edit(&account("fay"), "  - editor\n", "  - editor\n  - guest   # given after the backup\n")?;
    edit(&account("gus"), "quota_gb: 50 ", "quota_gb: 5 ")?;
    edit(&account("hal"), "argon2id$v=19$m=7168", "argon2id$v=19$m=1024")?;
    fs::remove_file(account("ivy"))?;
    fs::set_permissions(home("jon/.ssh/id_ed25519"), fs::Permissions::from_mode(0o644))?;
    fs::remove_file(home("kim/current"))?;
    symlink("data", home("kim/current"))?;
    fs::remove_dir_all(home("lee/projects"))?;
    fs::remove_file(home("lee/notes.txt"))
}

/// A change that finds nothing to change would make the demo tell a story that is not so.
fn edit(path: &Path, from: &str, to: &str) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    if !text.contains(from) {
        return Err(io::Error::other(format!("{} does not hold {from:?}", path.display())));
    }
    fs::write(path, text.replacen(from, to, 1))
}

/// Where the second copy of what is lost lies, in the sandbox.
pub const ASIDE: &str = "second-copy";

/// One pack of the repository that is not where it should be.
pub struct LostPack {
    from: PathBuf,
    to: PathBuf,
}

impl LostPack {
    /// Takes the only pack among `packs` away into `aside`.
    pub fn lose(packs: &[PathBuf], aside: &Path) -> io::Result<Self> {
        let Some(from) = packs.iter().max_by_key(|pack| fs::metadata(pack).map_or(0, |found| found.len())) else {
            return Err(io::Error::other("the first backup made no pack"));
        };
        fs::create_dir_all(aside)?;
        let to = aside.join(from.file_name().unwrap_or_default());
        fs::rename(from, &to)?;
        Ok(Self { from: from.clone(), to })
    }

    /// The pack that a sandbox's second copy still has and its repository has not.
    pub fn still_lost(sandbox: &Path) -> Option<Self> {
        let to = fs::read_dir(sandbox.join(ASIDE)).ok()?.next()?.ok()?.path();
        let name = to.file_name()?.to_str()?;
        let from = sandbox.join("repository/data").join(name.get(..2)?).join(name);
        Some(Self { from, to })
    }

    /// Brings it back, as a second copy of the repository would.
    pub fn mend(&self) -> io::Result<()> {
        fs::rename(&self.to, &self.from)
    }

    pub fn name(&self) -> String {
        self.from.file_name().unwrap_or_default().to_string_lossy().chars().take(8).collect()
    }
}

/// Every pack of a local repository.
pub fn packs(repository: &Path) -> io::Result<Vec<PathBuf>> {
    let mut packs = Vec::new();
    for folder in fs::read_dir(repository.join("data"))? {
        let folder = folder?.path();
        if folder.is_dir() {
            for pack in fs::read_dir(folder)? {
                packs.push(pack?.path());
            }
        }
    }
    packs.sort();
    Ok(packs)
}
