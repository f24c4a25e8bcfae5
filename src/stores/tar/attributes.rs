use super::pax::Extended;
use crate::model::{Acl, Meta};
use crate::stores::accounts;

/// What one member's headers say of its attributes and access lists.
pub(super) struct Attributes {
    /// Sorted, without those that belong to the system.
    pub xattrs: Vec<(Box<str>, Box<[u8]>)>,
    /// libarchive writes the owning group's rights into a mode, where the kernel has the mask.
    pub mode: u32,
    pub recorded: MemberFacts,
    /// What of the access lists cannot be restored here, in words.
    pub remarks: Vec<String>,
}

/// What of a member's facts is on record. That one has no attributes and no access lists says little: the program that
/// wrote the archive may not keep any. An archive in which any member has some keeps those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemberFacts {
    pub has_attributes: bool,
    pub has_acls: bool,
    /// Its access lists are there, and nobody can tell what they say.
    pub unread_acls: bool,
    pub time_grain: u32,
}

impl Attributes {
    pub(super) fn of(extended: &Extended, mut mode: u32, time_grain: u32) -> Self {
        let mut xattrs: Vec<_> =
            extended.xattrs.iter().filter(|(name, _)| Meta::keeps_attribute(name)).cloned().collect();
        let (mut remarks, mut unread_acls) = (Vec::new(), false);
        for (name, text) in [(Acl::ACCESS, &extended.access), (Acl::DEFAULT, &extended.default)] {
            let Some(text) = text else { continue };
            // GNU tar writes both forms where it keeps attributes too; the numbers need no names.
            if xattrs.iter().any(|(known, _)| **known == *name) {
                continue;
            }
            let read = std::str::from_utf8(text).ok().and_then(|text| Acl::from_text(text, &accounts::number));
            let Some((acl, unknown)) = read else {
                remarks.push("its access list, which rekindle cannot read; a live one stays".to_owned());
                unread_acls = true;
                continue;
            };
            let missing = |who| format!("the access list's entry for {who}: this machine has no such account");
            remarks.extend(unknown.iter().map(missing));
            if name == Acl::ACCESS {
                mode = acl.mode_with(mode);
            }
            if name == Acl::DEFAULT || !acl.is_mode() {
                xattrs.push((name.into(), acl.to_bytes()));
            }
        }
        xattrs.sort();
        let recorded = MemberFacts {
            has_attributes: xattrs.iter().any(|(name, _)| !Meta::is_acl(name)),
            has_acls: extended.access.is_some()
                || extended.default.is_some()
                || xattrs.iter().any(|(name, _)| Meta::is_acl(name)),
            unread_acls,
            time_grain,
        };
        Self { xattrs, mode, recorded, remarks }
    }
}
