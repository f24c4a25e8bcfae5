use std::fmt;

use crate::model::{Error, ErrorKind, Result, visible};

/// A repository's address, taken apart. `Display` shows it without credentials.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    Local(String),
    /// The URL behind `rest:`.
    Rest(String),
    S3(Bucket),
}

/// Where in an S3 service a repository lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// With scheme, without a path.
    pub endpoint: String,
    pub name: String,
    /// Without `/` at either end; may be empty.
    pub prefix: String,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str, next: &str| {
            let shown = visible(&without_credentials(text)).into_owned();
            Err(Error::new(ErrorKind::Invalid, format!("use the repository {shown}"), why).next(next))
        };
        if text.is_empty() {
            return refuse("the address is empty", "give a path, rest:http://… or s3:https://…");
        }
        if let Some(url) = text.strip_prefix("rest:") {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return refuse("after `rest:` comes an http or https URL", "write rest:https://host:8000/name");
            }
            return Ok(Self::Rest(url.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("s3:") {
            return match Bucket::parse(rest) {
                Some(bucket) => Ok(Self::S3(bucket)),
                None => refuse("after `s3:` come a host and a bucket", "write s3:https://host/bucket/prefix"),
            };
        }
        if let Some(path) = text.strip_prefix("local:") {
            return Ok(Self::Local(path.to_owned()));
        }
        match text.split_once(':') {
            Some((scheme @ ("sftp" | "rclone" | "b2" | "azure" | "gs" | "swift"), _)) => refuse(
                &format!("rekindle does not read {scheme}: repositories itself"),
                "serve it over `rclone serve restic` and use rest:http://…, or use a local copy",
            ),
            _ => Ok(Self::Local(text.to_owned())),
        }
    }
}

impl Bucket {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
            Some(_) => return None,
            None => ("https", text.trim_start_matches('/')),
        };
        let (host, path) = rest.split_once('/')?;
        let (name, prefix) = path.split_once('/').unwrap_or((path, ""));
        if host.is_empty() || name.is_empty() {
            return None;
        }
        Some(Self {
            endpoint: format!("{scheme}://{host}"),
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Local(path) => path.clone(),
            Self::Rest(url) => format!("rest:{url}"),
            Self::S3(Bucket { endpoint, name, prefix }) if prefix.is_empty() => format!("s3:{endpoint}/{name}"),
            Self::S3(Bucket { endpoint, name, prefix }) => format!("s3:{endpoint}/{name}/{prefix}"),
        };
        f.write_str(&visible(&without_credentials(&text)))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Any text with each `scheme://user:password@` cut down to `scheme://`.
pub(super) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|character: char| character == '/' || character.is_whitespace()).unwrap_or(after.len());
        let authority = after.get(..end).unwrap_or_default();
        rest = match authority.rfind('@') {
            Some(sign) => after.get(sign + 1..).unwrap_or_default(),
            None => after,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_address_is_told_apart() {
        assert_eq!(Address::parse("/srv/repo").unwrap(), Address::Local("/srv/repo".into()));
        assert_eq!(Address::parse("rest:http://h:1/r/").unwrap(), Address::Rest("http://h:1/r/".into()));
        let bucket = |endpoint: &str, name: &str, prefix: &str| {
            Address::S3(Bucket { endpoint: endpoint.into(), name: name.into(), prefix: prefix.into() })
        };
        assert_eq!(Address::parse("s3:http://h:9/b/a/c/").unwrap(), bucket("http://h:9", "b", "a/c"));
        assert_eq!(Address::parse("s3:s3.amazonaws.com/b").unwrap(), bucket("https://s3.amazonaws.com", "b", ""));
        for bad in ["", "rest:host/x", "s3:https://host", "s3:ftp://host/b", "sftp:user@host:/srv"] {
            assert_eq!(Address::parse(bad).unwrap_err().kind(), ErrorKind::Invalid, "{bad}");
        }
    }

    #[test]
    fn an_address_never_shows_its_password() {
        let address = Address::parse("rest:https://ops:hunter2@host:8000/home").unwrap();
        assert_eq!(address.to_string(), "rest:https://host:8000/home");
        assert_eq!(format!("{address:?}"), "rest:https://host:8000/home");
        assert_eq!(without_credentials("at http://a:b@c/d and http://e:f@g"), "at http://c/d and http://g");
        let refused = Address::parse("s3:ftp://key:hunter2@host/b").unwrap_err();
        assert!(!refused.chain().contains("hunter2"), "{refused}");
    }
}
