use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use crate::beneath::stamp_now;
use crate::model::{Error, ErrorKind, Result, visible};

/// An archive may expand to this many times its own size, and to [`FREE`] bytes in any case.
const RATIO: u64 = 1000;
const FREE: u64 = 1024 * 1024 * 1024;

/// The archive's file, opened once: what is read later is what was indexed.
pub(super) struct Source {
    file: Arc<File>,
    length: u64,
    compression: Compression,
    /// What the kernel counted of it before its first byte was read.
    stamp: u64,
    /// Size and time, for one that has lost its name since.
    written: (u64, i64, i64),
    pub shown: String,
    pub id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    Plain,
    Gzip,
    Zstandard,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        use std::os::unix::ffi::OsStrExt;
        let shown = visible(path.as_os_str().as_bytes()).into_owned();
        let doing = || format!("open the archive {shown}");
        let file = File::open(path).map_err(|error| Error::io(doing(), error))?;
        let stamp = stamp_now(&file).map_err(|errno| Error::io(doing(), errno.into()))?;
        let meta = file.metadata().map_err(|error| Error::io(doing(), error))?;
        if !meta.is_file() {
            return Err(Error::new(ErrorKind::Invalid, doing(), "it is not a regular file").next("name a tar archive"));
        }
        let mut start = [0; 6];
        let got = file.read_at(&mut start, 0).map_err(|error| Error::io(doing(), error))?;
        let compression = match start.get(..got).unwrap_or_default() {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstandard,
            [b'B', b'Z', b'h', ..] | [0xfd, b'7', b'z', b'X', b'Z', 0] => {
                return Err(Error::new(ErrorKind::Unsupported, doing(), "it is compressed with bzip2 or xz")
                    .next("compress it with gzip or zstd, or not at all"));
            }
            _ => Compression::Plain,
        };
        let written_at = format!("{}.{:09}", meta.mtime(), meta.mtime_nsec());
        // A writer can put size and time back, but not the time of the last change.
        let changed = format!("{}.{:09}", meta.ctime(), meta.ctime_nsec());
        let id = format!("{:x}-{}-{}-{written_at}@{changed}", meta.dev(), meta.ino(), meta.size());
        let (length, written) = (meta.size(), (meta.size(), meta.mtime(), meta.mtime_nsec()));
        Ok(Self { file: Arc::new(file), length, compression, stamp, written, shown, id })
    }

    /// Whether any place of it can be reached at once.
    pub(super) fn is_plain(&self) -> bool {
        self.compression == Compression::Plain
    }

    /// Whether it is still the archive that was indexed: looked at before a file's first byte and after its last.
    pub(super) fn is_untouched(&self) -> Result<()> {
        let doing = || format!("read {}", self.shown);
        let now = stamp_now(&self.file).map_err(|errno| Error::io(doing(), errno.into()))?;
        if now == self.stamp {
            return Ok(());
        }
        // A newer archive that is put in its place touches it too. Without a name, no other program opens it to write.
        let meta = self.file.metadata().map_err(|error| Error::io(doing(), error))?;
        if meta.nlink() == 0 && self.written == (meta.size(), meta.mtime(), meta.mtime_nsec()) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, doing(), "the archive was changed since the plan was made")
            .next("plan again: what was reviewed came from an older state of the archive"))
    }

    /// The unpacked archive from its start on.
    pub(super) fn stream(&self) -> Result<Stream> {
        let at = At { file: Arc::clone(&self.file), position: 0 };
        let allowed = self.length.saturating_mul(RATIO).max(FREE);
        let inner = match self.compression {
            Compression::Plain => Inner::Plain(at),
            Compression::Gzip => {
                Inner::Packed(Box::new(flate2::read::MultiGzDecoder::new(BufReader::with_capacity(1 << 16, at))))
            }
            Compression::Zstandard => {
                let decoder =
                    zstd::stream::read::Decoder::new(at).map_err(|error| self.failed("read the archive", error))?;
                Inner::Packed(Box::new(decoder))
            }
        };
        Ok(Stream { inner, position: 0, length: self.length, allowed })
    }

    /// Why reading failed: an end that comes too early and bad checksums are damage, not I/O.
    pub(super) fn failed(&self, doing: &str, error: io::Error) -> Error {
        let doing = format!("{doing} {}", self.shown);
        let (why, next) = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                ("it ends too early: it is truncated".to_owned(), "copy the archive again or use another backup")
            }
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
                (visible(&error.to_string()).into_owned(), "check the archive with tar -t; use another backup")
            }
            _ => return Error::io(doing, error),
        };
        Error::new(ErrorKind::Corrupt, doing, why).next(next)
    }
}

/// Reads the file from a position of its own, whatever else reads it.
struct At {
    file: Arc<File>,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buffer, self.position)?;
        self.position += got as u64;
        Ok(got)
    }
}

enum Inner {
    Plain(At),
    Packed(Box<dyn Read + Send>),
}

/// The unpacked bytes of an archive in order.
pub(super) struct Stream {
    inner: Inner,
    position: u64,
    length: u64,
    allowed: u64,
}

impl Stream {
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes forward to `to`; there must be that many bytes.
    pub(super) fn skip_to(&mut self, to: u64) -> io::Result<()> {
        if let Inner::Plain(at) = &mut self.inner {
            if to > self.length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at.position = to;
            self.position = to;
            return Ok(());
        }
        let missing = to.checked_sub(self.position).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let skipped = io::copy(&mut self.take(missing), &mut io::sink())?;
        if skipped == missing { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads what is behind the archive's end, so that a compressed file's own checksum is looked at.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if matches!(self.inner, Inner::Packed(_)) {
            io::copy(self, &mut io::sink())?;
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match &mut self.inner {
            Inner::Plain(at) => at.read(buffer)?,
            Inner::Packed(decoder) => decoder.read(buffer)?,
        };
        self.position += got as u64;
        if self.position > self.allowed {
            let why = format!("it unpacks to more than {RATIO} times its size");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(got)
    }
}
