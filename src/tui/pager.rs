use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use tokio::process::Command;

use crate::model::{Error, ErrorKind, Result};

/// The first of these that is set; more words than one are its arguments. No shell reads them.
const CHOICES: [&str; 3] = ["REKINDLE_PAGER", "PAGER", "EDITOR"];
const DEFAULT: &str = "less";

/// Shows a copy of `text` that nobody else can read or write, until the operator has seen enough. `configured` goes
/// before what the environment names.
pub async fn show(text: &str, configured: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> Result<()> {
    let set = configured.map(str::to_owned);
    let set =
        set.or_else(|| CHOICES.iter().find_map(|name| environment(name).filter(|value| !value.trim().is_empty())));
    let command = set.unwrap_or_else(|| DEFAULT.to_owned());
    let failed = |error| Error::io(format!("view the diff with `{command}`"), error).next("set PAGER");
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return Err(Error::new(ErrorKind::NotFound, "view the diff", "PAGER is empty"));
    };
    let mut file = tempfile::Builder::new().prefix("rekindle-").suffix(".diff").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o400)).map_err(failed)?;
    let mut pager = Command::new(program);
    // A pager's own shell would run with the rights of a restore.
    pager.args(words).arg(file.path()).env("LESSSECURE", "1").kill_on_drop(true);
    pager.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let status = pager.status().await.map_err(failed)?;
    match status.success() || status.code().is_none() {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::NotMet, "view the diff", format!("`{command}` ended with {status}"))),
    }
}
