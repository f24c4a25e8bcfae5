use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, limits::Limit};

use crate::model::{Error, ErrorKind, Result};

/// No row is longer: a header with a million owners fits.
pub(super) const MAX_ROW_BYTES: usize = 64 * 1024 * 1024;

const FREE_BYTES_THAT_ARE_NONE: u64 = 256 * 1024;

/// Opens for writing; makes the file if `create`.
pub(super) fn open_to_write(path: &Path, create: bool) -> Result<Connection> {
    let mut flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed("open", path, error))?;
    guard(&connection).map_err(|error| failed("open", path, error))?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))
        .map_err(|error| failed("open", path, error))?;
    if mode != "wal" {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("open {}", path.display()),
            "this file system cannot hold a write-ahead log",
        )
        .next("set REKINDLE_STATE to a folder on a local disk"));
    }
    // Checkpoints are made by hand: SQLite's own swallow a failed fsync.
    connection
        .execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;",
        )
        .map_err(|error| failed("open", path, error))?;
    Ok(connection)
}

/// Opens for reading only. Nothing in the file is changed, not even by closing it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failed("read", path, error))?;
    guard(&connection).map_err(|error| failed("read", path, error))?;
    Ok(connection)
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
