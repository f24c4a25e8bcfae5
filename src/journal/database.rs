use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, limits::Limit, types::FromSql};

use super::load::unbegun;
use super::private_file::create_private;
use crate::model::{Error, ErrorKind, Result};

/// No row is longer: a header with a million owners fits.
pub(super) const MAX_ROW_BYTES: usize = 64 * 1024 * 1024;

const FREE_BYTES_THAT_ARE_NONE: u64 = 256 * 1024;

/// Makes a new one with these tables, for this user alone. Its file is durable once the caller has synced the folder,
/// its tables with the first commit: SQLite would sync it nine times on the way, before anybody has been told of it.
pub(super) fn make_to_write(path: &Path, tables: &str) -> Result<Connection> {
    create_private(path)?;
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA synchronous=OFF").map_err(|error| failed("make", path, error))?;
    log_ahead(&connection, path)?;
    connection.execute_batch(&format!("BEGIN; {tables}; COMMIT;")).map_err(|error| failed("write", path, error))?;
    // Without a first page SQLite would take the log for a former file's, and remove it.
    let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| Error::io(format!("make {} durable", path.display()), error))?;
    settle(&connection, path)?;
    Ok(connection)
}

pub(super) fn open_to_write(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    log_ahead(&connection, path)?;
    settle(&connection, path)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed("open", path, error))?;
    guard(&connection).map_err(|error| failed("open", path, error))?;
    Ok(connection)
}

fn log_ahead(connection: &Connection, path: &Path) -> Result<()> {
    let mode: Vec<String> =
        to_the_end(connection, "PRAGMA journal_mode=WAL").map_err(|error| failed("open", path, error))?;
    if mode != ["wal"] {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("open {}", path.display()),
            "this file system cannot hold a write-ahead log",
        )
        .next("set REKINDLE_STATE to a folder on a local disk"));
    }
    Ok(())
}

fn settle(connection: &Connection, path: &Path) -> Result<()> {
    // Checkpoints are made by hand: SQLite's own swallow a failed fsync.
    connection
        .execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;",
        )
        .map_err(|error| failed("open", path, error))
}

/// The first column of every row. A statement that writes commits after its last row: stopping at the first one,
/// as `query_row` does, loses that commit's error.
pub(super) fn to_the_end<T: FromSql>(connection: &Connection, pragma: &str) -> rusqlite::Result<Vec<T>> {
    connection.prepare(pragma)?.query_map([], |row| row.get(0))?.collect()
}

/// Opens for reading only. Nothing in the file is changed, not even by closing it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let open = |name: &OsStr, flags| -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(name, flags)?;
        guard(&connection)?;
        connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        Ok(connection)
    };
    let opened = match open(path.as_os_str(), flags) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && path.exists() && !has_log(path) => {
            // On a read-only mount the log's index cannot be made, and is not needed: nobody writes there.
            open(&immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        other => other,
    };
    opened.map_err(|error| match error.sqlite_error() {
        // Only the making of the file, before its first event, is guarded by a rollback journal.
        Some(found) if found.extended_code == rusqlite::ffi::SQLITE_READONLY_ROLLBACK => unbegun(path),
        _ => failed("read", path, error),
    })
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).is_ok_and(|found| found.len() > 0)
}

fn immutable(path: &Path) -> OsString {
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(*byte),
            _ => uri.extend_from_slice(format!("%{byte:02x}").as_bytes()),
        }
    }
    uri.extend_from_slice(b"?immutable=1");
    OsString::from_vec(uri)
}

/// The file may come from anyone.
fn guard(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(MAX_ROW_BYTES + 1024).unwrap_or(i32::MAX))?;
    connection.execute_batch("PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;")
}

/// SQLite's failure as one of ours.
pub(super) fn failed(doing: &str, path: &Path, error: rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ErrorKind::NoSpace,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => ErrorKind::Corrupt,
        Some(ErrorCode::ReadOnly) => ErrorKind::ReadOnly,
        Some(ErrorCode::PermissionDenied) => ErrorKind::Denied,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Busy,
        Some(ErrorCode::CannotOpen) if !path.exists() => ErrorKind::NotFound,
        Some(ErrorCode::TooBig) => ErrorKind::Invalid,
        _ if is_full(path) => ErrorKind::NoSpace,
        _ => ErrorKind::Io,
    };
    let made = Error::new(kind, format!("{doing} {}", path.display()), error.to_string());
    match kind {
        ErrorKind::NoSpace => made.next("free space on that file system, then resume the run"),
        ErrorKind::NotFound => made.next("start a new run: this one ended before it began, or its files were removed"),
        ErrorKind::Io => made.next("check the disk under that folder, then resume the run"),
        ErrorKind::Corrupt => made.next("what can still be read is shown by 'rekindle report'; start a new run"),
        _ => made,
    }
}

/// Some of SQLite's writes report a full disk as a plain I/O error.
fn is_full(path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    rustix::fs::statvfs(folder)
        .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) < FREE_BYTES_THAT_ARE_NONE)
}
