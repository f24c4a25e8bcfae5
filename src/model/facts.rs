use super::{Acl, Entry, Meta, Times};

/// Which facts of a node its source records. What it does not record is neither compared nor removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedFacts {
    /// Extended attributes other than ACLs.
    pub attributes: bool,
    pub acls: bool,
    /// Owner, group and mode.
    pub ownership: bool,
    /// Nanoseconds by which a time may be cut or rounded: 1 where it is exact.
    pub time_grain: u32,
}

/// What a live node keeps because its source says nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub attributes: bool,
    pub acls: bool,
}

impl RecordedFacts {
    pub const ALL: Self = Self { attributes: true, acls: true, ownership: true, time_grain: 1 };
    pub const NONE: Self = Self { attributes: false, acls: false, ownership: false, time_grain: u32::MAX };

    pub const SECOND: u32 = 1_000_000_000;

    /// Takes what is not recorded of `desired` from what is `live` there.
    pub fn complete(&self, desired: &mut Entry, live: &Entry) -> Kept {
        if *self == Self::ALL {
            return Kept::default();
        }
        let is_same_kind = std::mem::discriminant(&desired.kind) == std::mem::discriminant(&live.kind);
        if !self.ownership {
            (desired.meta.uid, desired.meta.gid) = (live.meta.uid, live.meta.gid);
        }
        if !is_same_kind {
            return Kept::default();
        }
        if !self.ownership {
            desired.meta.mode = live.meta.mode;
        }
        if self.is_same_time(desired.meta.times, live.meta.times) {
            desired.meta.times = live.meta.times;
        }
        self.complete_attributes(&mut desired.meta, &live.meta)
    }

    fn complete_attributes(&self, desired: &mut Meta, live: &Meta) -> Kept {
        let mut kept = Kept::default();
        let recorded = |name: &str| if Meta::is_acl(name) { self.acls } else { self.attributes };
        desired.xattrs.retain(|(name, _)| recorded(name));
        for (name, value) in live.attributes().filter(|(name, _)| !recorded(name)) {
            let mut value = value.clone();
            match Meta::is_acl(name) {
                true => kept.acls = true,
                false => kept.attributes = true,
            }
            if &**name == Acl::ACCESS
                && let Some(acl) = Acl::from_bytes(&value)
            {
                // Some write the owning group's rights where a mode has the mask.
                if desired.mode == acl.mode_without(live.mode) {
                    desired.mode = live.mode;
                }
                value = acl.with_mode(desired.mode).to_bytes();
            }
            desired.xattrs.push((name.clone(), value));
        }
        desired.xattrs.sort();
        kept
    }

    /// A recorded time was cut to its grain, or rounded to it.
    fn is_same_time(&self, recorded: Times, live: Times) -> bool {
        let nanoseconds = |times: Times| i128::from(times.mtime_s) * 1_000_000_000 + i128::from(times.mtime_ns);
        let (after, grain) = (nanoseconds(live) - nanoseconds(recorded), i128::from(self.time_grain));
        -grain / 2 <= after && after < grain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NodeKind, TreePath};

    fn file(times: (i64, u32), attributes: &[(&str, &[u8])]) -> Entry {
        let meta = Meta {
            mode: 0o644,
            times: Times { mtime_s: times.0, mtime_ns: times.1 },
            xattrs: attributes.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..Meta::default()
        };
        Entry { path: TreePath::new("a").unwrap(), kind: NodeKind::File { size: 1, link: None }, meta }
    }

    #[test]
    fn a_time_is_the_live_one_as_far_as_it_is_recorded() {
        let completed = |time_grain: u32, recorded, live| {
            let mut desired = file(recorded, &[]);
            RecordedFacts { time_grain, ..RecordedFacts::ALL }.complete(&mut desired, &file(live, &[]));
            (desired.meta.times.mtime_s, desired.meta.times.mtime_ns)
        };
        let second = RecordedFacts::SECOND;
        assert_eq!(completed(second, (7, 0), (7, 999_999_999)), (7, 999_999_999), "cut");
        assert_eq!(completed(second, (8, 0), (7, 600_000_000)), (7, 600_000_000), "rounded");
        assert_eq!(completed(second, (7, 0), (8, 0)), (7, 0));
        assert_eq!(completed(second, (-2, 0), (-2, 5)), (-2, 5), "before 1970");
        assert_eq!(completed(1, (7, 0), (7, 1)), (7, 0), "exact");
        assert_eq!(completed(2 * second, (6, 0), (7, 1)), (7, 1));
    }

    #[test]
    fn attributes_and_lists_that_no_source_tells_of_stay_and_the_list_follows_the_mode() {
        let acl = |text: &str| Acl::from_text(text, &|_, _| Ok(None)).unwrap().unwrap().0.to_bytes();
        let before = acl("user::rw-,user:7:rw-,group::r--,mask::rw-,other::r--");
        let after = acl("user::rw-,user:7:rw-,group::r--,mask::r--,other::---");
        let mut live = file((1, 0), &[(Acl::ACCESS, &before), ("security.selinux", b"label"), ("user.k", b"v")]);
        live.meta.mode = 0o664;
        let file = |times, attributes: &[(&str, &[u8])]| {
            let mut file = file(times, attributes);
            file.meta.mode = 0o640;
            file
        };
        let mut desired = file((1, 0), &[]);
        let kept = RecordedFacts { attributes: false, acls: false, ..RecordedFacts::ALL }.complete(&mut desired, &live);
        assert!(kept.attributes && kept.acls);
        assert_eq!(desired, file((1, 0), &[(Acl::ACCESS, &after), ("user.k", b"v")]));

        let mut desired = file((1, 0), &[("user.own", b"1")]);
        let kept = RecordedFacts { acls: false, ..RecordedFacts::ALL }.complete(&mut desired, &live);
        assert!(kept.acls && !kept.attributes);
        assert_eq!(desired, file((1, 0), &[(Acl::ACCESS, &after), ("user.own", b"1")]));
    }

    #[test]
    fn a_mode_that_has_the_owning_groups_rights_for_the_mask_is_the_live_one() {
        let acl = Acl::from_text("user::rw-,user:7:rw-,group::r--,mask::rw-,other::r--", &|_, _| Ok(None))
            .unwrap()
            .unwrap()
            .0
            .to_bytes();
        let mut live = file((1, 0), &[(Acl::ACCESS, &acl)]);
        live.meta.mode = 0o664;
        let mut desired = file((1, 0), &[]);
        RecordedFacts { acls: false, ..RecordedFacts::ALL }.complete(&mut desired, &live);
        assert_eq!(desired, live);
    }

    #[test]
    fn another_kind_of_node_takes_the_owner_and_nothing_else() {
        let mut live = file((1, 0), &[("user.k", b"v")]);
        (live.meta.uid, live.meta.mode) = (7, 0o600);
        let mut desired = Entry { kind: NodeKind::Directory, ..file((1, 0), &[]) };
        assert_eq!(RecordedFacts::NONE.complete(&mut desired, &live), Kept::default());
        assert_eq!((desired.meta.uid, desired.meta.mode, desired.meta.xattrs.len()), (7, 0o644, 0));
    }
}
