/// A version of the server, as a file names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// By their names the versions of a product that was built of this server, and the versions that these are.
const OF_SSO: [(&str, Version); 5] = [
    ("7.0.", Version(1, 9, 8)),
    ("7.1.", Version(2, 5, 5)),
    ("7.2.", Version(3, 4, 3)),
    ("7.3.", Version(4, 8, 3)),
    ("7.4.", Version(9, 0, 3)),
];

impl Version {
    /// Of `24.0.5`, `15.0.2.redhat-00001`, `7.4.2.GA` or `6`. `None` where it is no such text.
    pub fn of(text: &str) -> Option<Self> {
        let of_sso = OF_SSO.iter().find(|(start, _)| text.starts_with(start) && text.ends_with(".GA"));
        if let Some((_, version)) = of_sso {
            return Some(*version);
        }
        let mut numbers = text.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        let major = numbers.next()?;
        Some(Self(major, numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_server_reads_them() {
        for (text, version) in [
            ("24.0.5", Some(Version(24, 0, 5))),
            ("4.8.3.Final", Some(Version(4, 8, 3))),
            ("15.0.2.redhat-00001", Some(Version(15, 0, 2))),
            ("7.4.10.GA", Some(Version(9, 0, 3))),
            ("6", Some(Version(6, 0, 0))),
            ("999.0.0-SNAPSHOT", Some(Version(999, 0, 0))),
            ("nightly", None),
            ("", None),
        ] {
            assert_eq!(Version::of(text), version, "{text}");
        }
        assert!(Version(24, 0, 5) < Version(25, 0, 0) && Version(9, 0, 3) < Version(18, 0, 0));
    }
}
