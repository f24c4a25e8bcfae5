//! The operator's own settings: `config.toml`, read once and the same for every verb.
//!
#![doc = include_str!("README.md")]

mod keys;
mod reading;
mod schema;
mod settings;

pub use schema::json_schema;
pub use settings::Config;

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::model::{Error, ErrorKind, Result, visible};

static CHOSEN: OnceLock<Config> = OnceLock::new();

/// A larger file is no configuration.
const MOST_BYTES: u64 = 64 * 1024;

/// `--config`, else `REKINDLE_CONFIG`, else `rekindle/config.toml` below `XDG_CONFIG_HOME` or `~/.config`.
pub fn path(given: Option<&Path>, environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = given.map(Path::to_path_buf).or_else(|| set("REKINDLE_CONFIG")) {
        return Some(path);
    }
    let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("rekindle/config.toml"))
}

/// Reads the settings for the whole process. A file that was named must be there.
pub fn choose(given: Option<&Path>) -> Result<()> {
    let Some(path) = path(given, |name| std::env::var_os(name)) else { return Ok(()) };
    let config = load(&path, given.is_some())?;
    let _ = CHOSEN.set(config);
    Ok(())
}

/// The settings of this process; those that come with rekindle where nothing was chosen.
pub fn chosen() -> Config {
    CHOSEN.get().cloned().unwrap_or_default()
}

fn load(path: &Path, must_be_there: bool) -> Result<Config> {
    let shown = visible(path.as_os_str().as_encoded_bytes()).into_owned();
    let reading = || format!("read the settings in {shown}");
    let mut text = String::new();
    let file = match crate::named_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_be_there => return Ok(Config::default()),
        Err(error) => return Err(Error::io(reading(), error)),
    };
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| Error::io(reading(), error))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Error::new(ErrorKind::Invalid, reading(), "it is larger than 64 KB"));
    }
    settings::parse(&text).map_err(|found| {
        let why = format!("{shown}:{}: {}", found.line, found.what);
        Error::new(ErrorKind::Invalid, reading(), why).next(found.next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_no_error_unless_it_was_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = path(None, |name| (name == "XDG_CONFIG_HOME").then(|| folder.path().into())).unwrap();
        assert!(file.ends_with("rekindle/config.toml"));
        assert!(load(&file, false).is_ok() && load(&file, true).is_err());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "ascii = true\nthme = \"light\"\n").unwrap();
        let error = load(&file, false).unwrap_err();
        assert!(error.to_string().contains("config.toml:2: there is no setting thme"), "{error}");
        assert_eq!(error.hint(), Some("did you mean theme?"));
    }
}
