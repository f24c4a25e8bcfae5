use std::io::{self, Read};
use std::sync::Arc;

use tar::{EntryType, Header};

use super::attributes::{Attributes, MemberFacts};
use super::pax::Extended;
use super::source::{Source, Stream};
use crate::model::{Error, ErrorKind, Meta, RecordedFacts, Result, SpecialKind, Times, visible};
use crate::stores::BackedUpOwners;

const BLOCK: u64 = 512;
/// An extended header holds names and attributes: Linux allows 64 KiB of attributes, and names are bounded below.
const EXTENDED: u64 = 1024 * 1024;
/// Zeros behind an archive's end that are looked through for another archive: records of tar are far smaller.
const PADDING: u64 = 64 * 1024 * 1024;

mod sparse;

/// One member of an archive as its headers describe it.
#[derive(Debug)]
pub(super) struct Member {
    pub path: Vec<u8>,
    pub kind: MemberKind,
    pub meta: Meta,
    /// The names of its user and group, empty where the archive has none.
    pub owners: [Box<str>; 2],
    pub recorded: MemberFacts,
    /// Of its access lists: what this machine cannot restore, in words.
    pub remarks: Vec<String>,
    /// What a plan says of those whom its access lists name.
    pub told: Vec<Arc<str>>,
    /// Its access lists name users and groups by their numbers in the archive.
    pub lists_by_number: bool,
    pub lists_in_text: Vec<(&'static str, Box<str>)>,
}

#[derive(Debug)]
pub(super) enum MemberKind {
    Directory,
    File(Content),
    Symlink(Vec<u8>),
    /// Another name of a member that came before.
    HardLink(Vec<u8>),
    Special(SpecialKind),
}

/// Where a file's bytes lie in the unpacked archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub size: u64,
    pub start: u64,
    /// For a sparse file: where in the file each stored piece belongs, and its length.
    pub pieces: Option<Box<[(u64, u64)]>>,
}

/// Reads header after header. The tar crate decodes their fields; the loop is our own, since the crate's takes
/// an archive that is cut off between two members for a whole one and reads extended headers of any size.
pub(super) struct Members<'a> {
    source: &'a Source,
    owners: &'a BackedUpOwners,
    stream: Stream,
    next: u64,
    global: Extended,
    /// The first header of an archive that was appended to the one before.
    appended: Option<Header>,
    /// Where something lies behind the archive's end that is no member of anything.
    passed_over: Option<u64>,
}

impl<'a> Members<'a> {
    pub(super) fn new(source: &'a Source, owners: &'a BackedUpOwners) -> Result<Self> {
        Ok(Self {
            source,
            owners,
            stream: source.stream()?,
            next: 0,
            global: Extended::default(),
            appended: None,
            passed_over: None,
        })
    }

    /// Once all was read: what lies behind the archive's end and was not read, in words.
    pub(super) fn passed_over(&self) -> Option<String> {
        let at = self.passed_over?;
        Some(format!("what lies behind the archive's end, from byte {at} on, is no tar archive and was not read"))
    }

    /// `None` at the archive's proper end. Archives that were appended to one another (`cat a.tar b.tar`,
    /// `cat a.tar.gz b.tar.gz`) are read as one, as `tar --ignore-zeros` does: a backup is all that its file holds.
    pub(super) fn next(&mut self) -> Result<Option<Member>> {
        let mut extended = self.global.clone();
        let mut described = false;
        loop {
            let Some(header) = self.header()? else {
                if described {
                    return Err(self.refuse("its last header describes a member that does not follow"));
                }
                if self.is_appended_to()? {
                    extended = Extended::default();
                    continue;
                }
                self.stream.finish().map_err(|error| self.source.failed("read the end of", error))?;
                return Ok(None);
            };
            let stored = header.entry_size().map_err(|error| self.bad(&error))?;
            described = true;
            match header.entry_type() {
                EntryType::XHeader => {
                    let records = self.extension(stored)?;
                    extended.add(&records).ok_or_else(|| self.refuse("an extended header is broken"))?;
                }
                EntryType::XGlobalHeader => {
                    let records = self.extension(stored)?;
                    self.global.add(&records).ok_or_else(|| self.refuse("a global header is broken"))?;
                    extended.add(&records).ok_or_else(|| self.refuse("a global header is broken"))?;
                    described = false;
                }
                EntryType::GNULongName => extended.path = Some(text(self.extension(stored)?)),
                EntryType::GNULongLink => extended.link = Some(text(self.extension(stored)?)),
                // A volume's label is not a file.
                kind if kind.as_byte() == b'V' => {
                    self.advance(stored)?;
                    described = false;
                }
                _ => return self.member(&header, extended).map(Some),
            }
        }
    }

    fn member(&mut self, header: &Header, extended: Extended) -> Result<Member> {
        let of_sparse = extended.sparse.as_ref().and_then(|sparse| sparse.name.clone());
        let path = of_sparse.or_else(|| extended.path.clone()).unwrap_or_else(|| header.path_bytes().into_owned());
        let named = |why: String| {
            Error::new(ErrorKind::Invalid, format!("read '{}' of {}", visible(&path), self.source.shown), why)
        };
        let bad = |error: &io::Error| named(visible(&error.to_string()).into_owned());
        let id = |extended: Option<u64>, field: io::Result<u64>| {
            let id = extended.map_or(field, Ok).map_err(|error| bad(&error))?;
            u32::try_from(id).map_err(|_| named(format!("{id} is no user's or group's number")))
        };
        let (times, time_grain) = match extended.times {
            Some(times) => times,
            None => {
                let seconds = header.mtime().map_err(|error| bad(&error))?;
                // GNU tar writes times before 1970 in base 256, as the two's complement.
                (Times { mtime_s: seconds.cast_signed(), mtime_ns: 0 }, RecordedFacts::SECOND)
            }
        };
        let owner = |extended: Option<&Vec<u8>>, field: Option<&[u8]>| -> Box<str> {
            let name = extended.map(Vec::as_slice).or(field).unwrap_or_default();
            std::str::from_utf8(name).unwrap_or_default().into()
        };
        let owners = [
            owner(extended.user.as_ref(), header.username_bytes()),
            owner(extended.group.as_ref(), header.groupname_bytes()),
        ];
        let mode = header.mode().map_err(|error| bad(&error))? & 0o7777;
        let Attributes { xattrs, recorded, remarks, told, lists_by_number, lists_in_text } =
            Attributes::of(&extended, time_grain, self.owners)?;
        let (uid, gid) = (id(extended.uid, header.uid())?, id(extended.gid, header.gid())?);
        // libarchive writes the owning group's rights into a mode, where the kernel has the mask.
        let meta = Meta { mode, uid, gid, times, xattrs }.agreeing();
        let stored = match extended.size {
            Some(size) => size,
            None => header.entry_size().map_err(|error| bad(&error))?,
        };
        let link = || {
            let name = extended.link.clone().or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
            name.ok_or_else(|| named("it is a link to nothing".to_owned()))
        };
        let kind = match header.entry_type() {
            EntryType::Directory => MemberKind::Directory,
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => MemberKind::Directory,
            EntryType::Regular | EntryType::Continuous => MemberKind::File(match &extended.sparse {
                Some(sparse) => self.sparse_in_pax(sparse, stored)?,
                None => Content { size: stored, start: self.next, pieces: None },
            }),
            EntryType::GNUSparse => MemberKind::File(self.sparse_in_gnu(header)?),
            EntryType::Symlink => MemberKind::Symlink(link()?),
            EntryType::Link => MemberKind::HardLink(link()?),
            EntryType::Char => MemberKind::Special(SpecialKind::CharDevice),
            EntryType::Block => MemberKind::Special(SpecialKind::BlockDevice),
            EntryType::Fifo => MemberKind::Special(SpecialKind::Fifo),
            other => {
                let letter = char::from(other.as_byte());
                let why = format!("members of type '{}' are not known", letter.escape_default());
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("read '{}' of {}", visible(&path), self.source.shown),
                    why,
                )
                .next("make the archive without --multi-volume and --listed-incremental"));
            }
        };
        self.advance(stored)?;
        Ok(Member { path, kind, meta, owners, recorded, remarks, told, lists_by_number, lists_in_text })
    }

    /// Whether another archive follows the end of this one. What is no header there, a signature for one, is no member
    /// of anything; a damaged header is known by what it still has of one, or by members that follow it.
    fn is_appended_to(&mut self) -> Result<bool> {
        let end = self.next;
        loop {
            let mut header = Header::new_old();
            if !self.whole_block(header.as_mut_bytes())? || self.stream.position() - end > PADDING {
                return Ok(false);
            }
            if header.as_bytes().iter().any(|byte| *byte != 0) {
                let at = self.stream.position() - BLOCK;
                if !has_its_checksum(&header) {
                    if is_marked(&header) || self.is_followed_by_a_header()? {
                        return Err(self.damaged(at));
                    }
                    self.passed_over = Some(at);
                    return Ok(false);
                }
                self.next = self.stream.position();
                self.global = Extended::default();
                self.appended = Some(header);
                return Ok(true);
            }
        }
    }

    fn is_followed_by_a_header(&mut self) -> Result<bool> {
        let end = self.stream.position();
        let mut block = Header::new_old();
        while self.stream.position() - end <= PADDING && self.whole_block(block.as_mut_bytes())? {
            if is_marked(&block) && has_its_checksum(&block) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `false` where the archive's file ends before the block is full.
    fn whole_block(&mut self, block: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.stream.read(rest).map_err(|error| self.source.failed("read the end of", error))? {
                0 => return Ok(false),
                got => filled += got,
            }
        }
        Ok(true)
    }

    fn header(&mut self) -> Result<Option<Header>> {
        if let Some(header) = self.appended.take() {
            return Ok(Some(header));
        }
        let mut header = Header::new_old();
        self.stream.skip_to(self.next).map_err(|error| self.source.failed("read", error))?;
        self.stream.read_exact(header.as_mut_bytes()).map_err(|error| self.source.failed("read", error))?;
        self.next = self.stream.position();
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        match has_its_checksum(&header) {
            true => Ok(Some(header)),
            false if self.next == BLOCK => Err(Error::new(
                ErrorKind::Invalid,
                format!("read {}", self.source.shown),
                "it is not a tar archive, plain or compressed with gzip or zstd",
            )
            .next("name a tar archive")),
            false => Err(self.damaged(self.next - BLOCK)),
        }
    }

    fn damaged(&self, at: u64) -> Error {
        let why = format!("the header at byte {at} does not match its checksum");
        Error::new(ErrorKind::Corrupt, format!("read {}", self.source.shown), why)
            .next("check the archive with tar -t; use another backup")
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > EXTENDED {
            return Err(self.refuse(&format!("an extended header of {size} bytes is over the bound of {EXTENDED}")));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        self.stream.read_exact(&mut bytes).map_err(|error| self.source.failed("read", error))?;
        self.advance(size)?;
        Ok(bytes)
    }

    /// Behind the content of a member, which is filled up to whole blocks.
    fn advance(&mut self, size: u64) -> Result<()> {
        let end = size.checked_next_multiple_of(BLOCK).and_then(|size| self.next.checked_add(size));
        self.next = end.ok_or_else(|| self.refuse("a member's size is beyond all bounds"))?;
        Ok(())
    }

    fn refuse(&self, why: &str) -> Error {
        let doing = format!("read {} at byte {}", self.source.shown, self.next);
        Error::new(ErrorKind::Invalid, doing, why).next("check the archive with tar -t; use another backup")
    }

    fn bad(&self, error: &io::Error) -> Error {
        self.refuse(&visible(&error.to_string()))
    }
}

/// Whether it says of itself that it is a header, as all archives since 1988 do.
fn is_marked(header: &Header) -> bool {
    header.as_bytes().get(257..262) == Some(b"ustar")
}

fn has_its_checksum(header: &Header) -> bool {
    let bytes = header.as_bytes().iter().enumerate();
    let sum: u32 = bytes.map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
    header.cksum().is_ok_and(|written| written == sum)
}

fn text(mut bytes: Vec<u8>) -> Vec<u8> {
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}
