use crate::model::Times;

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
    pub times: Option<Times>,
    pub xattrs: Vec<(Box<str>, Box<[u8]>)>,
    /// Sparse files as GNU tar writes them into pax archives.
    pub sparse: bool,
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
            _ if key.starts_with("GNU.sparse.") => self.sparse = true,
            _ => {
                if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                    self.xattrs.retain(|(known, _)| &**known != name);
                    self.xattrs.push((name.into(), value.into()));
                }
            }
        }
        Some(())
    }
}

/// Seconds with a fraction, perhaps negative: `-1.25`.
fn times(value: &[u8]) -> Option<Times> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    if text.starts_with('-') && nanoseconds > 0 {
        return Some(Times { mtime_s: seconds.checked_sub(1)?, mtime_ns: 1_000_000_000 - nanoseconds });
    }
    Some(Times { mtime_s: seconds, mtime_ns: nanoseconds })
}

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
        assert_eq!(times(b"-1.25"), Some(Times { mtime_s: -2, mtime_ns: 750_000_000 }));
        assert_eq!(times(b"12.5"), Some(Times { mtime_s: 12, mtime_ns: 500_000_000 }));
        assert_eq!(times(b"1.x"), None);
    }
}
