use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use rustic_core::{DataId, Id, TreeId};
use serde::{Deserialize, Deserializer};

use super::name::unquoted;
use crate::model::{Entry, Meta, NodeKind, SpecialKind, Times, TreePath};
use crate::name_service::Account;
use crate::stores::{BackedUpOwners, Told};

/// One entry of a directory in a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: Box<[u8]>,
    pub kind: NodeKind,
    pub meta: Meta,
    /// The blobs of a file's bytes, in order.
    pub content: Box<[DataId]>,
    /// The blob that lists a directory.
    pub subtree: Option<TreeId>,
    /// What a plan says of its owners.
    pub told: Told,
}

/// A node as the backup has it: its owners by their numbers there.
#[derive(Debug)]
pub(super) struct BackedUp {
    pub node: Node,
    user: Box<str>,
    group: Box<str>,
}

impl BackedUp {
    pub(super) fn settled(mut self, owners: &BackedUpOwners) -> crate::model::Result<Node> {
        self.node.told = owners.settle(&mut self.node.meta, &self.user, &self.group)?;
        Ok(self.node)
    }

    /// Its user and its group by their numbers and names in the backup.
    pub(super) fn names(&self) -> [(Account, u32, &str); 2] {
        [(Account::User, self.node.meta.uid, &self.user), (Account::Group, self.node.meta.gid, &self.group)]
    }
}

impl Node {
    pub(super) fn is_directory(&self) -> bool {
        matches!(self.kind, NodeKind::Directory)
    }

    pub(super) fn entry(&self, path: TreePath) -> Entry {
        Entry { path, kind: self.kind.clone(), meta: self.meta.clone() }
    }
}

/// A tree blob as restic writes it (doc/design.rst, "Trees and Data"). Read by a type of our own: rustic's
/// buffers every field twice (`serde(flatten)`), and it passes unreadable names on as they are.
#[derive(Deserialize)]
struct WrittenTree {
    #[serde(default)]
    nodes: Nodes,
}

/// Each node is made ours as it is read: a directory may list a hundred thousand.
#[derive(Default)]
struct Nodes(Vec<BackedUp>);

impl<'de> Deserialize<'de> for Nodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> serde::de::Visitor<'de> for Each {
            type Value = Nodes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of nodes or null")
            }

            fn visit_unit<E>(self) -> Result<Nodes, E> {
                Ok(Nodes::default())
            }

            fn visit_seq<S: serde::de::SeqAccess<'de>>(self, mut list: S) -> Result<Nodes, S::Error> {
                let mut nodes = Vec::new();
                while let Some(written) = list.next_element::<WrittenNode<'de>>()? {
                    nodes.push(written.read().map_err(serde::de::Error::custom)?);
                }
                nodes.shrink_to_fit();
                Ok(Nodes(nodes))
            }
        }
        deserializer.deserialize_any(Each)
    }
}

#[derive(Deserialize)]
struct WrittenNode<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    mode: u32,
    #[serde(borrow, default)]
    mtime: Option<Cow<'a, str>>,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(borrow, default)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    group: Option<Cow<'a, str>>,
    #[serde(default)]
    inode: u64,
    #[serde(default)]
    device_id: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    links: u64,
    #[serde(borrow, default)]
    linktarget: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    linktarget_raw: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    extended_attributes: Option<Vec<WrittenAttribute<'a>>>,
    #[serde(default, deserialize_with = "ids")]
    content: Box<[DataId]>,
    #[serde(default)]
    subtree: Option<Id>,
}

#[derive(Deserialize)]
struct WrittenAttribute<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[DataId]>, D::Error> {
    let ids: Option<Vec<Id>> = Option::deserialize(deserializer)?;
    Ok(ids.unwrap_or_default().into_iter().map(DataId::from).collect())
}

/// The entries of one tree blob, sorted by name; or what is wrong with it.
pub(super) fn nodes(blob: &[u8]) -> Result<Vec<BackedUp>, String> {
    let written: WrittenTree = serde_json::from_slice(blob).map_err(|error| error.to_string())?;
    let mut nodes = written.nodes.0;
    if !nodes.is_sorted_by(|one, next| one.node.name < next.node.name) {
        nodes.sort_by(|one, next| one.node.name.cmp(&next.node.name));
        if let Some(twice) = nodes.windows(2).find_map(|pair| match pair {
            [one, next] if one.node.name == next.node.name => Some(&one.node.name),
            _ => None,
        }) {
            return Err(format!("it lists '{}' twice", crate::model::visible(twice)));
        }
    }
    Ok(nodes)
}

impl WrittenNode<'_> {
    fn read(self) -> Result<BackedUp, String> {
        let name = unquoted(&self.name)
            .filter(|name| TreePath::root().join(name).is_ok())
            .ok_or_else(|| format!("'{}' is not the name of a file", crate::model::visible(&*self.name)))?;
        let kind = match &*self.kind {
            "dir" => NodeKind::Directory,
            "file" => NodeKind::File { size: self.size, link: self.link() },
            "symlink" => NodeKind::Symlink { target: self.target()? },
            other => NodeKind::Special { special: special(other) },
        };
        let xattrs = attributes(self.extended_attributes.unwrap_or_default())?;
        let owner = |name: Option<Cow<'_, str>>| name.unwrap_or_default().into_owned().into_boxed_str();
        let (uid, gid, times) = (self.uid, self.gid, times(self.mtime)?);
        let meta = Meta { mode: unix_mode(self.mode), uid, gid, times, xattrs };
        let node = Node {
            name: name.into(),
            kind,
            meta: meta.agreeing(),
            content: self.content,
            subtree: self.subtree.map(TreeId::from),
            told: Told::default(),
        };
        Ok(BackedUp { node, user: owner(self.user), group: owner(self.group) })
    }

    fn link(&self) -> Option<u64> {
        (self.links > 1).then(|| {
            let mut builder = crate::model::DigestBuilder::new("hard link");
            builder.number(self.device_id).number(self.inode).number(self.size);
            // Numbers are used again while a backup runs, and some file systems make them up: names of one file have one
            // content.
            for id in &self.content {
                builder.part(id.to_string());
            }
            let digest = builder.finish();
            digest.as_bytes().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
        })
    }

    fn target(&self) -> Result<Box<[u8]>, String> {
        match (&self.linktarget_raw, &self.linktarget) {
            (Some(raw), _) => bytes(raw).map(Into::into),
            (None, Some(text)) => Ok(text.as_bytes().into()),
            (None, None) => Err("it holds a symbolic link without a target".to_owned()),
        }
    }
}

fn special(kind: &str) -> SpecialKind {
    match kind {
        "dev" => SpecialKind::BlockDevice,
        "chardev" => SpecialKind::CharDevice,
        "fifo" => SpecialKind::Fifo,
        "socket" => SpecialKind::Socket,
        _ => SpecialKind::Unknown,
    }
}

type Attribute = (Box<str>, Box<[u8]>);

/// Sorted. A node has one value for each name: the last that is written.
fn attributes(written: Vec<WrittenAttribute<'_>>) -> Result<Vec<Attribute>, String> {
    let attributes = written
        .into_iter()
        .filter(|attribute| Meta::keeps_attribute(&attribute.name))
        .map(|attribute| {
            let value = attribute.value.as_deref().map(bytes).transpose()?.unwrap_or_default();
            Ok((Box::from(&*attribute.name), value.into_boxed_slice()))
        })
        .collect::<Result<BTreeMap<_, _>, String>>()?;
    Ok(attributes.into_iter().collect())
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    base64::engine::general_purpose::STANDARD.decode(text).map_err(|error| format!("it holds bad base64: {error}"))
}

fn times(written: Option<Cow<'_, str>>) -> Result<Times, String> {
    let Some(text) = written else { return Ok(Times::default()) };
    let bad = |error: jiff::Error| format!("it holds a bad time: {error}");
    // A timestamp of jiff ends a day before the year 9999 does, which stands for "never" in many a file.
    let read = jiff::fmt::temporal::Pieces::parse(&*text).map_err(bad)?;
    let (date, time) = (read.date(), read.time().unwrap_or_default());
    let days = jiff::civil::date(1970, 1, 1).until(date).map_err(bad)?.get_days();
    let offset = read.to_numeric_offset().map_or(0, jiff::tz::Offset::seconds);
    let of_day = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Ok(Times {
        mtime_s: i64::from(days) * 86_400 + of_day - i64::from(offset),
        mtime_ns: u32::try_from(time.subsec_nanosecond()).unwrap_or_default(),
    })
}

/// restic writes Go's `os.FileMode`, whose setuid, setgid and sticky bits lie elsewhere than Unix has them.
fn unix_mode(go: u32) -> u32 {
    let bit = |go_bit: u32, unix: u32| if go & (1 << go_bit) == 0 { 0 } else { unix };
    (go & 0o777) | bit(23, 0o4000) | bit(22, 0o2000) | bit(20, 0o1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(fields: &str) -> Result<Node, String> {
        nodes(format!(r#"{{"nodes":[{{{fields}}}]}}"#).as_bytes()).map(|mut nodes| nodes.remove(0).node)
    }

    #[test]
    fn the_three_high_bits_of_go_become_unix_bits() {
        let node = one(r#""name":"sudo","type":"file","mode":8389101,"size":3"#).unwrap();
        assert_eq!(node.meta.mode, 0o4755);
        assert_eq!(unix_mode(0o755 | (1 << 22) | (1 << 20) | (1 << 31)), 0o3755);
    }

    #[test]
    fn labels_and_signatures_are_the_systems_own() {
        let of = |name: &str| format!(r#"{{"name":"{name}","value":"eA=="}}"#);
        let names = [
            "security.selinux",
            "security.ima",
            "security.evm",
            "security.SMACK64",
            "trusted.overlay.opaque",
            "user.k",
        ];
        let all: Vec<String> = names.iter().map(|name| of(name)).collect();
        let node = one(&format!(r#""name":"a","type":"file","extended_attributes":[{}]"#, all.join(","))).unwrap();
        assert_eq!(node.meta.xattrs, [("user.k".into(), b"x".as_slice().into())]);
    }

    #[test]
    fn an_attribute_that_is_written_twice_has_its_last_value() {
        let twice =
            r#"{"name":"user.k","value":"eA=="},{"name":"user.a","value":"eA=="},{"name":"user.k","value":"eQ=="}"#;
        let node = one(&format!(r#""name":"a","type":"file","extended_attributes":[{twice}]"#)).unwrap();
        let attributes: Vec<(&str, &[u8])> = node.meta.xattrs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(attributes, [("user.a", &b"x"[..]), ("user.k", &b"y"[..])]);
    }

    #[test]
    fn times_before_1970_keep_their_nanoseconds() {
        let node = one(r#""name":"old","type":"file","mtime":"1969-12-31T23:59:58.25+00:00""#).unwrap();
        assert_eq!(node.meta.times, Times { mtime_s: -2, mtime_ns: 250_000_000 });
    }

    #[test]
    fn times_are_read_to_the_last_day_that_restic_writes() {
        let read = |text: &str| one(&format!(r#""name":"x","type":"file","mtime":"{text}""#)).unwrap().meta.times;
        assert_eq!(read("9999-12-31T23:59:59.5Z"), Times { mtime_s: 253_402_300_799, mtime_ns: 500_000_000 });
        assert_eq!(read("1970-01-01T02:00:01+02:00"), Times { mtime_s: 1, mtime_ns: 0 });
        assert_eq!(read("1969-12-31T19:00:00-05:00").mtime_s, 0);
        assert_eq!(
            read("2024-02-29T12:00:00.123456789+01:00"),
            Times { mtime_s: 1_709_204_400, mtime_ns: 123_456_789 }
        );
        assert!(one(r#""name":"x","type":"file","mtime":"9999-13-01T00:00:00Z""#).is_err());
    }

    #[test]
    fn one_number_of_two_contents_is_that_of_two_files() {
        let id = |digit: &str| digit.repeat(64);
        let of = |content: &str, size: u8| {
            let fields = format!(
                r#""name":"x","type":"file","inode":7,"device_id":1,"links":2,"size":{size},"content":["{content}"]"#
            );
            match one(&fields).unwrap().kind {
                NodeKind::File { link, .. } => link,
                _ => None,
            }
        };
        assert!(of(&id("a"), 3).is_some() && of(&id("a"), 3) == of(&id("a"), 3));
        assert_ne!(of(&id("a"), 3), of(&id("b"), 3));
    }

    #[test]
    fn owners_are_those_who_have_their_names_here() {
        use crate::name_service::NameService;
        use crate::stores::OwnersBy;
        let here = NameService::fixed(&[(Account::User, "ana", 1005)]);
        let owners = BackedUpOwners::with(OwnersBy::Names, here);
        let fields = r#""name":"x","type":"file","uid":1001,"user":"ana","gid":1001,"group":"ana""#;
        let blob = format!(r#"{{"nodes":[{{{fields}}}]}}"#);
        let node = nodes(blob.as_bytes()).unwrap().remove(0).settled(&owners).unwrap();
        assert_eq!((node.meta.uid, node.meta.gid), (1005, 1001));
        assert!(node.told[0].contains("1005 here and 1001"), "{:?}", node.told);
        assert!(node.told[1].contains("no group ana here"), "{:?}", node.told);
    }

    #[test]
    fn hostile_trees_are_refused() {
        for hostile in ["..", ".", "a/b", "", r"a\\x00b", r"\\q"] {
            assert!(one(&format!(r#""name":"{hostile}","type":"file""#)).is_err(), "{hostile:?}");
        }
        let twice = br#"{"nodes":[{"name":"a","type":"file"},{"name":"a","type":"dir"}]}"#;
        assert!(nodes(twice).unwrap_err().contains("twice"));
        assert!(nodes(br#"{"nodes":[{"name":"a","#).is_err());
        assert!(nodes(br#"{"nodes":null}"#).unwrap().is_empty());
    }

    #[test]
    fn names_are_sorted_as_raw_bytes() {
        let blob =
            br#"{"nodes":[{"name":"b","type":"file"},{"name":"\\xff","type":"file"},{"name":"a","type":"fifo"}]}"#;
        let names: Vec<_> = nodes(blob).unwrap().into_iter().map(|read| read.node.name).collect();
        assert_eq!(names, [b"a".as_slice().into(), b"b".as_slice().into(), b"\xff".as_slice().into()]);
    }
}
