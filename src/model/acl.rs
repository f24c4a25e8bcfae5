use super::Result;

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

/// A user or group that an access list names: texts do so by name, the kernel by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclName<N> {
    User(N),
    Group(N),
}

impl Acl {
    pub const ACCESS: &str = "system.posix_acl_access";
    pub const DEFAULT: &str = "system.posix_acl_default";

    /// Reads the text forms: `user::rw-,user:ana:r--:1001,…` on one line or several, names or numbers, with or without
    /// the number behind the rights, with remarks behind `#`. `number` resolves a name, beside which the text may have
    /// a number; the entries of those that it does not know are left out and answered. None for what is no such text.
    ///
    /// Errors: those of `number`.
    pub fn from_text<'t>(text: &'t str, number: &NumberOf) -> Result<Option<AclOfText<'t>>> {
        let Some(written) = written(text) else { return Ok(None) };
        let (mut entries, mut unknown) = (Vec::with_capacity(written.len()), Vec::new());
        for Written { tag, named, behind, rights } in written {
            let number = match named {
                None => NO_NUMBER,
                Some(named) => {
                    match named.name().parse().ok().map_or_else(|| number(named, behind), |is| Ok(Some(is)))? {
                        Some(number) => number,
                        None => {
                            unknown.push(named);
                            continue;
                        }
                    }
                }
            };
            entries.push(AclEntry { tag, number, rights });
        }
        entries.sort_unstable();
        let acl = Self(entries);
        Ok(acl.is_valid(!unknown.is_empty()).then_some((acl, unknown)))
    }

    /// Those whom a text names, in its order. Empty for what is no such text.
    pub fn names_in(text: &str) -> Vec<AclName<&str>> {
        written(text).unwrap_or_default().into_iter().filter_map(|entry| entry.named).collect()
    }

    /// Those of them for whom the text has no number.
    pub fn names_alone(text: &str) -> Vec<AclName<&str>> {
        let alone = written(text).unwrap_or_default().into_iter().filter(|entry| entry.behind.is_none());
        alone.filter_map(|entry| entry.named).filter(|named| named.name().parse::<u32>().is_err()).collect()
    }

    /// Those whom it names, in the order of [`Acl::renumbered`].
    pub fn named(&self) -> Vec<AclName<u32>> {
        self.0.iter().filter_map(AclEntry::named).collect()
    }

    /// The same rights for those whom `number` answers. Where two become one, they get what both had.
    ///
    /// Errors: those of `number`.
    pub fn renumbered(mut self, number: &mut dyn FnMut(AclName<u32>) -> Result<u32>) -> Result<Self> {
        for entry in &mut self.0 {
            if let Some(named) = entry.named() {
                entry.number = number(named)?;
            }
        }
        self.0.sort_unstable();
        self.0.dedup_by(|next, one| {
            let is_same = (next.tag, next.number) == (one.tag, one.number);
            if is_same {
                one.rights &= next.rights;
            }
            is_same
        });
        Ok(self)
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
        let rights = |tag: u16| self.0.iter().find(|entry| entry.tag == tag).map(|entry| u32::from(entry.rights) & 0o7);
        let class = |tag: u16, shift: u32| rights(tag).unwrap_or(mode >> shift & 0o7) << shift;
        let group = if rights(MASK).is_some() { MASK } else { OWNING_GROUP };
        mode & !0o777 | class(OWNER, 6) | class(group, 3) | class(OTHERS, 0)
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

impl AclEntry {
    fn named(&self) -> Option<AclName<u32>> {
        match self.tag {
            USER => Some(AclName::User(self.number)),
            GROUP => Some(AclName::Group(self.number)),
            _ => None,
        }
    }
}

/// The number of a name on this machine; the second is the one that it has in the backup, where that is on record.
pub type NumberOf<'a> = dyn Fn(AclName<&str>, Option<u32>) -> Result<Option<u32>> + 'a;

impl<'t> AclName<&'t str> {
    pub fn name(self) -> &'t str {
        let (Self::User(name) | Self::Group(name)) = self;
        name
    }
}

impl std::fmt::Display for AclName<&str> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
        };
        write!(f, "{kind} {}", super::visible(self.name().as_bytes()))
    }
}

/// What a text says, and those whom it names and who are not known.
pub type AclOfText<'t> = (Acl, Vec<AclName<&'t str>>);

/// One entry of a text.
struct Written<'t> {
    tag: u16,
    named: Option<AclName<&'t str>>,
    behind: Option<u32>,
    rights: u16,
}

fn written(text: &str) -> Option<Vec<Written<'_>>> {
    let lines = text.split('\n').map(|line| line.split('#').next().unwrap_or_default());
    let entries = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|line| !line.is_empty());
    entries.map(Written::read).collect()
}

impl<'t> Written<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').map(str::trim).collect();
        let (kind, name, rights, behind) = match *fields.as_slice() {
            [kind, rights] => (kind, "", rights, None),
            [kind, name, rights] => (kind, name, rights, None),
            [kind, name, rights, behind] => (kind, name, rights, behind.parse().ok()),
            _ => return None,
        };
        let (tag, named) = match (kind, name.is_empty()) {
            ("user" | "u", true) => (OWNER, None),
            ("user" | "u", false) => (USER, Some(AclName::User(name))),
            ("group" | "g", true) => (OWNING_GROUP, None),
            ("group" | "g", false) => (GROUP, Some(AclName::Group(name))),
            ("mask" | "m", true) => (MASK, None),
            ("other" | "o", true) => (OTHERS, None),
            _ => return None,
        };
        Some(Self { tag, named, behind, rights: rights_of(rights)? })
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

    fn known(named: AclName<&str>, behind: Option<u32>) -> Result<Option<u32>> {
        let known = [(AclName::User("ana"), 1001), (AclName::Group("staff"), 50)];
        Ok(known.into_iter().find(|(one, _)| *one == named).map(|(_, is)| is).or(behind))
    }

    fn read(text: &str) -> Option<(Acl, Vec<AclName<&str>>)> {
        Acl::from_text(text, &known).unwrap()
    }

    #[test]
    fn those_whom_it_names_get_other_numbers_and_two_who_become_one_get_no_more_than_both_had() {
        let list = |text: &str| read(text).unwrap().0;
        let before = list("user::rw-,user:1:rw-,user:2:r-x,user:3:r--,group::r--,group:2:rwx,mask::rwx,other::r--");
        assert_eq!(before.named()[2..], [AclName::User(3), AclName::Group(2)]);
        let after = before.renumbered(&mut |named| {
            Ok(match named {
                AclName::User(1 | 2) => 9,
                AclName::User(other) => other,
                AclName::Group(_) => 70,
            })
        });
        assert_eq!(
            after.unwrap(),
            list("user::rw-,user:3:r--,user:9:r--,group::r--,group:70:rwx,mask::rwx,other::r--")
        );
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
        assert_eq!(acl.mode_with(0), 0o664);
    }
}
