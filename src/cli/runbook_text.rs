use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::model::{Error, ErrorKind, Result, visible};
use crate::named_file;
use crate::runbook::{Findings, Runbook};

/// One byte more than a runbook may have, so that its reading says so.
const MOST: u64 = 4 * 1024 * 1024 + 1;

/// Reads a runbook and what it includes from files. The outer error: the file cannot be read; the inner
/// one: what is wrong with it.
pub fn read_runbook(path: &Path) -> Result<Result<(Runbook, Findings), Box<Findings>>> {
    let text = read_text(path, named_file::open_given)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let load = |included: &str| read_text(&folder.join(included), named_file::open);
    Ok(Runbook::parse(&path.to_string_lossy(), &text, &load))
}

fn read_text(path: &Path, open: fn(&Path) -> std::io::Result<File>) -> Result<String> {
    let doing = || format!("read the runbook {}", visible(path.as_os_str().as_encoded_bytes()));
    let mut raw = Vec::new();
    let next = "name a runbook file that can be read";
    let file = open(path).map_err(|error| Error::io(doing(), error).next(next))?;
    file.take(MOST).read_to_end(&mut raw).map_err(|error| Error::io(doing(), error).next(next))?;
    String::from_utf8(raw).map_err(|error| {
        let why = format!("byte {} is not UTF-8", error.utf8_error().valid_up_to());
        Error::new(ErrorKind::Invalid, doing(), why).next("save it as UTF-8")
    })
}
