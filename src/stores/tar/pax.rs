use base64::Engine as _;

use crate::model::{RecordedFacts, Times};

/// What extended headers say of the member that follows them (POSIX.1-2001, "pax Header Block").
#[derive(Clone, Debug, Default)]
pub(super) struct Extended {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    pub user: Option<Vec<u8>>,
    pub group: Option<Vec<u8>>,
    /// With the nanoseconds by which it may be cut or rounded.
    pub times: Option<(Times, u32)>,
    pub xattrs: Vec<(Box<str>, Box<[u8]>)>,
    /// As text, `tar --acls` and libarchive.
    pub access: Option<Vec<u8>>,
    pub default: Option<Vec<u8>>,
    pub sparse: Option<Box<Sparse>>,
}

/// What GNU tar and libarchive say of a sparse file (GNU tar's manual, "Storing Sparse Files", versions 0.0, 0.1, 1.0).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sparse {
    /// The member's own header has another name since version 0.1.
    pub name: Option<Vec<u8>>,
    /// Of the file with its holes.
    pub size: Option<u64>,
    /// Offset and length of each piece.
    pub map: Vec<(u64, u64)>,
    /// The offset of a piece the length of which has not come yet.
    offset: Option<u64>,
    /// Since version 1.0 the map lies before the content.
    pub map_is_stored: bool,
}

impl Sparse {
    fn set(&mut self, key: &str, value: &[u8]) -> Option<()> {
        let text = || std::str::from_utf8(value).ok();
        let number = || text()?.parse::<u64>().ok();
        match key {
            "name" => self.name = Some(value.to_vec()),
            "size" | "realsize" => self.size = Some(number()?),
            "major" => self.map_is_stored = number()? >= 1,
            "offset" => self.offset = Some(number()?),
            "numbytes" => self.map.push((self.offset.take()?, number()?)),
            "map" => {
                let numbers: Option<Vec<u64>> = text()?.split(',').map(|number| number.parse().ok()).collect();
                self.map =
                    numbers?.chunks(2).map(|pair| Some((*pair.first()?, *pair.get(1)?))).collect::<Option<_>>()?;
            }
            _ => {}
        }
        Some(())
    }
}

impl Extended {
    /// Takes in the records of one header. Read here and not by the tar crate, which splits them at line ends:
    /// values of attributes may hold those. `None` where a record is broken.
    pub(super) fn add(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() && records.first() != Some(&0) {
            let space = records.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(records.get(..space)?).ok()?.parse().ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            self.set(std::str::from_utf8(key).ok()?, value)?;
            records = records.get(length..)?;
        }
        Some(())
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Option<()> {
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            "path" => self.path = Some(value.to_vec()),
            "linkpath" => self.link = Some(value.to_vec()),
            "size" => self.size = Some(number()?),
            "uid" => self.uid = Some(number()?),
            "gid" => self.gid = Some(number()?),
            "uname" => self.user = Some(value.to_vec()),
            "gname" => self.group = Some(value.to_vec()),
            "mtime" => self.times = Some(times(value)?),
            "SCHILY.acl.access" => self.access = Some(value.to_vec()),
            "SCHILY.acl.default" => self.default = Some(value.to_vec()),
            _ => {
                if let Some(key) = key.strip_prefix("GNU.sparse.") {
                    self.sparse.get_or_insert_default().set(key, value)?;
                } else if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                    self.xattrs.retain(|(known, _)| &**known != name);
                    self.xattrs.push((name.into(), value.into()));
                } else if let Some(name) = key.strip_prefix("LIBARCHIVE.xattr.") {
                    self.add_encoded(name, value);
                }
            }
        }
        Some(())
    }

    /// libarchive writes each attribute once more in a form of its own, which some of its versions write alone.
    fn add_encoded(&mut self, name: &str, value: &[u8]) {
        let base64 = base64::engine::general_purpose::STANDARD_NO_PAD;
        let bare = value.iter().rposition(|byte| *byte != b'=').and_then(|end| value.get(..=end)).unwrap_or_default();
        if let (Some(name), Ok(value)) = (without_escapes(name), base64.decode(bare))
            && !self.xattrs.iter().any(|(known, _)| **known == *name)
        {
            self.xattrs.push((name.into(), value.into()));
        }
    }
}

/// `%20` is a space.
fn without_escapes(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'%', [one, other, behind @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(one)? << 4 | digit(other)?);
                rest = behind;
            }
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Seconds with a fraction, perhaps negative: `-1.25`. Digits that are missing were zeros, or the program that wrote it
/// keeps times as floating point numbers, as Python does.
fn times(value: &[u8]) -> Option<(Times, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    let grain = match fraction.len() {
        0 => RecordedFacts::SECOND,
        length @ 6..9 => 10_u32.pow(u32::try_from(9 - length).unwrap_or(0)).max(FLOATS),
        1..6 => FLOATS,
        _ => 1,
    };
    if text.starts_with('-') && nanoseconds > 0 {
        let times = Times { mtime_s: seconds.checked_sub(1)?, mtime_ns: 1_000_000_000 - nanoseconds };
        return Some((times, grain));
    }
    Some((Times { mtime_s: seconds, mtime_ns: nanoseconds }, grain))
}

/// Nanoseconds between two neighbouring numbers of 64 bits around today's times, and half as much again for the way there.
const FLOATS: u32 = 480;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_line_ends() {
        let mut read = Extended::default();
        read.add(b"26 SCHILY.xattr.u.a=x\ny=z\n15 path=a\nb/c\xff\n").unwrap();
        assert_eq!(read.xattrs, [("u.a".into(), b"x\ny=z".as_slice().into())]);
        assert_eq!(read.path.unwrap(), b"a\nb/c\xff");
    }

    #[test]
    fn broken_records_are_refused() {
        for broken in [&b"99 path=a\n"[..], b"x path=a\n", b"10 path=ab", b"5\n", b"8 patha\n", b"0 path=a\n"] {
            assert!(Extended::default().add(broken).is_none(), "{broken:?}");
        }
    }

    #[test]
    fn fractions_before_1970_count_from_the_second_below() {
        assert_eq!(times(b"-1.25").unwrap().0, Times { mtime_s: -2, mtime_ns: 750_000_000 });
        assert_eq!(times(b"12.5").unwrap().0, Times { mtime_s: 12, mtime_ns: 500_000_000 });
        assert_eq!(times(b"1.x"), None);
    }

    #[test]
    fn a_time_is_as_exact_as_it_is_written() {
        let grain = |text: &str| times(text.as_bytes()).unwrap().1;
        assert_eq!(grain("1796029192.845920529"), 1);
        assert_eq!(grain("1796029192.8459206"), FLOATS, "Python");
        assert_eq!(grain("1796029192.845921"), 1_000, "microseconds");
        assert_eq!(grain("1796029192"), RecordedFacts::SECOND);
    }

    #[test]
    fn attributes_in_the_form_of_libarchive_alone_are_read() {
        let mut read = Extended::default();
        read.add(b"35 LIBARCHIVE.xattr.user.a%20b=NQo\n").unwrap();
        assert_eq!(read.xattrs, [("user.a b".into(), b"5\n".as_slice().into())]);
        read.add(b"29 SCHILY.xattr.user.a b=six\n").unwrap();
        read.add(b"35 LIBARCHIVE.xattr.user.a%20b=NQo\n").unwrap();
        assert_eq!(read.xattrs, [("user.a b".into(), b"six".as_slice().into())]);
    }
}
