use serde::{Deserialize, Serialize};

use super::{Acl, Digest, DigestBuilder, TreePath};

/// One node of a tree: a path and what is there, metadata included, content not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub path: TreePath,
    pub kind: NodeKind,
    pub meta: Meta,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    Directory,
    /// `link`: files of one tree with the same number are hard links to one another.
    File {
        size: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<u64>,
    },
    Symlink {
        #[serde(with = "raw_text")]
        target: Box<[u8]>,
    },
    /// Listed, never written: devices, sockets and whatever else an archive may hold.
    /// A FIFO is one of these too.
    Special {
        special: SpecialKind,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialKind {
    BlockDevice,
    CharDevice,
    Fifo,
    Socket,
    Unknown,
}

/// Metadata of a node. Access time and inode numbers are not restored and not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The twelve permission bits, setuid, setgid and sticky included.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub times: Times,
    /// Sorted by name; POSIX ACLs are `system.posix_acl_access` and `system.posix_acl_default`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub xattrs: Vec<(Box<str>, Box<[u8]>)>,
}

/// Modification time since 1970, as the kernel counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Times {
    pub mtime_s: i64,
    pub mtime_ns: u32,
}

impl Times {
    /// Whether there are file systems in use that end before it.
    pub fn is_far(self) -> bool {
        i32::try_from(self.mtime_s).is_err()
    }
}

impl Entry {
    /// Of all that is compared quickly: kind, size, link target, metadata; not content.
    pub fn fingerprint(&self) -> Digest {
        let mut builder = DigestBuilder::new("entry");
        builder.part(self.path.as_bytes());
        match &self.kind {
            NodeKind::Directory => builder.number(0),
            NodeKind::File { size, .. } => builder.number(1).number(*size),
            NodeKind::Symlink { target } => builder.number(2).part(target),
            NodeKind::Special { special } => builder.number(3).number(*special as u64),
        };
        self.meta.hash_into(&mut builder, !matches!(self.kind, NodeKind::Directory));
        builder.finish()
    }

    pub fn is_directory(&self) -> bool {
        matches!(self.kind, NodeKind::Directory)
    }

    pub fn is_file(&self) -> bool {
        matches!(self.kind, NodeKind::File { .. })
    }
}

impl Meta {
    /// What the system takes for "no change", where a user or group is asked for: no file can belong to it. Servers and
    /// tools that do not know an owner write it.
    pub const NO_OWNER: u32 = u32::MAX;

    /// Whether an attribute is part of a node's state. Labels and signatures (SELinux, SMACK, IMA, EVM), and what overlayfs,
    /// XFS and Lustre keep there for themselves, belong to the system: it gives a new file its own.
    pub fn keeps_attribute(name: &str) -> bool {
        let is_of_files = name.starts_with("user.") || name == super::schema::CAPABILITY;
        let of_file_systems = ["trusted.overlay", "trusted.SGI_ACL_", "trusted.lov", "trusted.lma", "trusted.link"];
        let is_trusted = name.starts_with("trusted.") && !of_file_systems.iter().any(|own| name.starts_with(own));
        is_of_files || is_trusted || Self::is_acl(name)
    }

    pub fn is_acl(name: &str) -> bool {
        name == Acl::ACCESS || name == Acl::DEFAULT
    }

    /// The attributes that are part of the state. Journals of former versions hold others, too.
    pub fn attributes(&self) -> impl Iterator<Item = &(Box<str>, Box<[u8]>)> {
        self.xattrs.iter().filter(|(name, _)| Self::keeps_attribute(name))
    }

    pub fn has_same_attributes(&self, other: &Self) -> bool {
        self.attributes().eq(other.attributes())
    }

    /// Whether all that is restored of it is equal.
    pub fn is_same(&self, other: &Self) -> bool {
        let plain = |meta: &Self| (meta.mode, meta.uid, meta.gid, meta.times);
        plain(self) == plain(other) && self.has_same_attributes(other)
    }

    /// A mode and an access list say the same of owner, group and others, or no file can have both: then the list counts.
    #[must_use]
    pub fn agreeing(mut self) -> Self {
        let list = self.xattrs.iter().find(|(name, _)| **name == *Acl::ACCESS);
        if let Some(acl) = list.and_then(|(_, value)| Acl::from_bytes(value)) {
            self.mode = acl.mode_with(self.mode);
        }
        self
    }

    /// Without what belongs to the system.
    #[must_use]
    pub fn without_system_attributes(mut self) -> Self {
        self.xattrs.retain(|(name, _)| Self::keeps_attribute(name));
        self
    }

    fn hash_into(&self, builder: &mut DigestBuilder, with_time: bool) {
        builder.number(u64::from(self.mode)).number(u64::from(self.uid)).number(u64::from(self.gid));
        if with_time {
            builder.number(self.times.mtime_s.cast_unsigned()).number(u64::from(self.times.mtime_ns));
        }
        for (name, value) in &self.xattrs {
            builder.part(&**name).part(value);
        }
    }
}

/// Raw bytes as text for the journal: the same lossless escapes as [`TreePath`].
mod raw_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(raw: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(raw) {
            Ok(text) if !text.starts_with("hex:") => serializer.serialize_str(text),
            _ => {
                let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
                serializer.serialize_str(&format!("hex:{hex}"))
            }
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<[u8]>, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let Some(hex) = text.strip_prefix("hex:") else { return Ok(text.into_bytes().into()) };
        let digits: Vec<u8> = hex
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or_else(|| D::Error::custom("bad hex"))?;
        Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)).collect())
    }
}
