/// A POSIX access control list as the kernel hands it over in the attributes `system.posix_acl_access` and
/// `system.posix_acl_default` (`linux/posix_acl_xattr.h`): a version, then a tag, rights and a number for each entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl(Vec<AclEntry>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AclEntry {
    tag: u16,
    /// Of the user or group; [`NO_NUMBER`] for the others.
    number: u32,
    rights: u16,
}

const VERSION: [u8; 4] = 2_u32.to_le_bytes();
const NO_NUMBER: u32 = u32::MAX;

const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const OWNING_GROUP: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHERS: u16 = 0x20;

/// A user or group as a text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclName<'a> {
    User(&'a str),
    Group(&'a str),
}

impl Acl {
    pub const ACCESS: &str = "system.posix_acl_access";
    pub const DEFAULT: &str = "system.posix_acl_default";

    /// Reads the text forms: `user::rw-,user:ana:r--:1001,…` on one line or several, names or numbers, with or without
    /// the number behind the rights, with remarks behind `#`. `number` resolves a name; the entries of those that it
    /// does not know are left out and answered. None for what is no such text.
    pub fn from_text<'t>(text: &'t str, number: &dyn Fn(AclName) -> Option<u32>) -> Option<(Self, Vec<AclName<'t>>)> {
        let (mut entries, mut unknown) = (Vec::new(), Vec::new());
        let lines = text.split('\n').map(|line| line.split('#').next().unwrap_or_default());
        for line in lines.flat_map(|line| line.split(',')).map(str::trim).filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(':').map(str::trim).collect();
            let (kind, name, rights, behind) = match *fields.as_slice() {
                [kind, rights] => (kind, "", rights, None),
                [kind, name, rights] => (kind, name, rights, None),
                [kind, name, rights, behind] => (kind, name, rights, behind.parse().ok()),
                _ => return None,
            };
            let rights = rights_of(rights)?;
            let tag = match (kind, name.is_empty()) {
                ("user" | "u", true) => OWNER,
                ("user" | "u", false) => USER,
                ("group" | "g", true) => OWNING_GROUP,
                ("group" | "g", false) => GROUP,
                ("mask" | "m", true) => MASK,
                ("other" | "o", true) => OTHERS,
                _ => return None,
            };
            let number = match tag {
                USER | GROUP => {
                    let named = if tag == USER { AclName::User(name) } else { AclName::Group(name) };
                    match name.parse().ok().or_else(|| number(named)).or(behind) {
                        Some(number) => number,
                        None => {
                            unknown.push(named);
                            continue;
                        }
                    }
                }
                _ => NO_NUMBER,
            };
            entries.push(AclEntry { tag, number, rights });
        }
        entries.sort_unstable();
        let acl = Self(entries);
        acl.is_valid(!unknown.is_empty()).then_some((acl, unknown))
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let entries = bytes.strip_prefix(&VERSION)?;
        let two = |at: &[u8]| Some(u16::from_le_bytes(at.try_into().ok()?));
        let entry = |raw: &[u8]| {
            let number = u32::from_le_bytes(raw.get(4..8)?.try_into().ok()?);
            Some(AclEntry { tag: two(raw.get(..2)?)?, rights: two(raw.get(2..4)?)?, number })
        };
        entries.chunks(8).map(entry).collect::<Option<_>>().map(Self)
    }

    pub fn to_bytes(&self) -> Box<[u8]> {
        let mut bytes = VERSION.to_vec();
        for AclEntry { tag, number, rights } in &self.0 {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(rights.to_le_bytes());
            bytes.extend(number.to_le_bytes());
        }
        bytes.into()
    }

    /// Whether a mode says all of it: the kernel keeps no such access list.
    pub fn is_mode(&self) -> bool {
        self.0.iter().all(|entry| matches!(entry.tag, OWNER | OWNING_GROUP | OTHERS))
    }

    /// As `chmod` leaves an access list: the mode's group bits are the mask, where there is one.
    #[must_use]
    pub fn with_mode(mut self, mode: u32) -> Self {
        let has_mask = self.0.iter().any(|entry| entry.tag == MASK);
        for entry in &mut self.0 {
            let shift = match entry.tag {
                OWNER => 6,
                MASK => 3,
                OWNING_GROUP if !has_mask => 3,
                OTHERS => 0,
                _ => continue,
            };
            entry.rights = u16::try_from(mode >> shift & 0o7).unwrap_or_default();
        }
        self
    }

    /// The mode of a file that has this access list: the mask stands for its group.
    pub fn mode_with(&self, mode: u32) -> u32 {
        let mask = self.0.iter().find(|entry| entry.tag == MASK);
        mask.map_or(mode, |mask| mode & !0o070 | (u32::from(mask.rights) & 0o7) << 3)
    }

    /// `mode` for a place that cannot hold this access list: the owning group gets no more than it had.
    pub fn mode_without(&self, mode: u32) -> u32 {
        let group = self.0.iter().find(|entry| entry.tag == OWNING_GROUP).map_or(0, |entry| u32::from(entry.rights));
        mode & (!0o070 | (group & 0o7) << 3)
    }

    /// One of each kind that must be there, and a mask where anybody is named. `shortened`: names were left out.
    fn is_valid(&self, shortened: bool) -> bool {
        let count = |tag: u16| self.0.iter().filter(|entry| entry.tag == tag).count();
        let is_named = count(USER) + count(GROUP) > 0 || shortened;
        let twice = self
            .0
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if (one.tag, one.number) == (other.tag, other.number)));
        [OWNER, OWNING_GROUP, OTHERS].iter().all(|tag| count(*tag) == 1) && (!is_named || count(MASK) == 1) && !twice
    }
}

impl std::fmt::Display for AclName<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, name) = match self {
            Self::User(name) => ("user", name),
            Self::Group(name) => ("group", name),
        };
        write!(f, "{kind} {}", super::visible(name.as_bytes()))
    }
}

fn rights_of(text: &str) -> Option<u16> {
    text.chars().try_fold(0, |rights, one| match one {
        'r' => Some(rights | 4),
        'w' => Some(rights | 2),
        'x' => Some(rights | 1),
        '-' => Some(rights),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(named: AclName) -> Option<u32> {
        [(AclName::User("ana"), 1001), (AclName::Group("staff"), 50)]
            .into_iter()
            .find(|(one, _)| *one == named)
            .map(|(_, is)| is)
    }

    fn read(text: &str) -> Option<(Acl, Vec<AclName<'_>>)> {
        Acl::from_text(text, &known)
    }

    /// As `setfacl -m u:1001:rw,g:50:r` makes it, mode 0664.
    const KERNEL: [u8; 52] = [
        2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 233, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 8, 0, 4,
        0, 50, 0, 0, 0, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255,
    ];

    #[test]
    fn what_each_tar_writes_is_one_list() {
        let gnu = "user::rw-\nuser:ana:rw-\ngroup::r--\ngroup:staff:r--\nmask::rw-\nother::r--\n";
        let numbers = "user::rw-\nuser:1001:rw-\t#effective:rw-\ngroup::r--\ngroup:50:r--\nmask::rw-\nother::r--\n";
        let libarchive = "user::rw-,group::r--,other::r--,user:ana:rw-:1001,group:staff:r--:50,mask::rw-";
        let strangers = "user::rw-,group::r--,other::r--,user:there:rw-:1001,group:too:r--:50,mask::rw-";
        for text in [gnu, numbers, libarchive, strangers] {
            let (acl, unknown) = read(text).unwrap();
            assert!(unknown.is_empty() && *acl.to_bytes() == KERNEL, "{text}");
            assert_eq!(Acl::from_bytes(&KERNEL), Some(acl));
        }
    }

    #[test]
    fn a_name_that_this_machine_does_not_know_is_left_out_and_told() {
        let (acl, unknown) = read("user::rw-,user:zoe:rw-,group::r--,mask::rw-,other::r--").unwrap();
        assert_eq!(unknown, [AclName::User("zoe")]);
        assert!(!acl.is_mode() && acl.0.len() == 4);
    }

    #[test]
    fn a_list_that_says_no_more_than_a_mode_is_told_apart() {
        assert!(read("user::rw-,group::r--,other::r--").unwrap().0.is_mode());
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for text in [
            "",
            "user::rw-",
            "user::rwz,group::r--,other::r--",
            "a:b:c:d:e",
            "user::rw-,user:ana:r--,group::r--,other::r--",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        assert!(Acl::from_bytes(&KERNEL[..51]).is_none() && Acl::from_bytes(b"x").is_none());
    }

    #[test]
    fn a_list_follows_its_mode_as_chmod_does_it() {
        let acl = Acl::from_bytes(&KERNEL).unwrap().with_mode(0o640);
        let text = "user::rw-,user:ana:rw-,group::r--,group:staff:r--,mask::r--,other::---";
        assert_eq!(acl, read(text).unwrap().0);
        let acl = Acl::from_bytes(&KERNEL).unwrap();
        assert_eq!((acl.mode_without(0o4664), acl.mode_with(0o4644)), (0o4644, 0o4664));
    }
}
