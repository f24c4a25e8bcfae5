use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use tar::{Builder, EntryType, Header};

use super::*;
use crate::model::{ErrorKind, NodeKind, RecordedFacts};
use crate::stores::BackedUpOwners;
use crate::stores::OwnersBy;

/// An archive written member by member, also with what a real tar would not write.
struct Archived {
    builder: Builder<Vec<u8>>,
    place: tempfile::TempDir,
}

impl Archived {
    fn new() -> Self {
        Self { builder: Builder::new(Vec::new()), place: tempfile::tempdir().unwrap() }
    }

    fn member(mut self, name: &[u8], kind: EntryType, link: &str, bytes: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_mtime(7);
        header.set_uid(0);
        header.set_gid(0);
        if !link.is_empty() {
            header.set_link_name_literal(link).unwrap();
        }
        header.set_cksum();
        self.builder.append(&header, bytes).unwrap();
        self
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.member(name.as_bytes(), EntryType::Regular, "", text.as_bytes())
    }

    fn bytes(self) -> (Vec<u8>, tempfile::TempDir) {
        (self.builder.into_inner().unwrap(), self.place)
    }

    fn open(self) -> Result<TarStore> {
        let (bytes, place) = self.bytes();
        open(&place, &bytes)
    }

    fn refused(self) -> crate::model::Error {
        self.open().err().expect("the archive was taken")
    }
}

fn open(place: &tempfile::TempDir, bytes: &[u8]) -> Result<TarStore> {
    let path: PathBuf = place.path().join("archive");
    fs::write(&path, bytes).unwrap();
    TarStore::open(&path)
}

fn path(text: &str) -> TreePath {
    TreePath::new(text).unwrap()
}

fn text(store: &TarStore, at: &str) -> String {
    let mut text = String::new();
    let tree = store.tree(&TreePath::root()).unwrap().unwrap();
    tree.open(&path(at)).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn names(store: &TarStore) -> Vec<String> {
    let tree = store.tree(&TreePath::root()).unwrap().unwrap();
    tree.entries().unwrap().map(|entry| entry.unwrap().path.to_string()).collect()
}

#[test]
fn names_are_normal_sorted_and_implied_directories_are_there() {
    let store = Archived::new().file("./b/x", "1").file("/a-b", "2").file("a//c/./d", "3").open().unwrap();
    assert_eq!(names(&store), [".", "a", "a/c", "a/c/d", "a-b", "b", "b/x"]);
    let children: Vec<_> =
        store.children(&TreePath::root()).unwrap().unwrap().iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(children, ["a", "a-b", "b"]);
    assert!(store.children(&path("b/x")).unwrap().is_none());
}

#[test]
fn a_mistaken_path_is_answered_with_what_is_there() {
    let store = Archived::new().file("home/ana/x", "1").file("home/bob/x", "2").open().unwrap();
    assert_eq!(store.suggest(&path("home/anna")), [path("home/ana")]);
    assert_eq!(store.suggest(&path("home/zoe/x")), [path("home/ana"), path("home/bob")]);
    assert_eq!(store.suggest(&path("opt")), [path("home")]);
}

#[test]
fn the_last_of_two_members_wins_and_links_keep_what_they_linked_to() {
    let store =
        Archived::new().file("f", "old").member(b"l", EntryType::Link, "f", b"").file("f", "new").open().unwrap();
    assert_eq!(text(&store, "f"), "new");
    assert_eq!(text(&store, "l"), "old");
}

#[test]
fn hard_links_share_a_number_and_a_missing_target_is_an_error() {
    let store = Archived::new().file("a", "same").member(b"b", EntryType::Link, "./a", b"").open().unwrap();
    let link = |at: &str| match store.entry(&path(at)).unwrap().unwrap().kind {
        NodeKind::File { link, .. } => link,
        other => panic!("{other:?}"),
    };
    assert!(link("a").is_some() && link("a") == link("b"));
    let lost = Archived::new().member(b"b", EntryType::Link, "a", b"").refused();
    assert_eq!(lost.kind(), ErrorKind::Invalid);
}

#[test]
fn names_that_lead_out_and_files_behind_links_are_refused() {
    let hostile = [
        Archived::new().member(b"../x", EntryType::Regular, "", b""),
        Archived::new().member(b"a/../../x", EntryType::Regular, "", b""),
        Archived::new().member(b"l", EntryType::Symlink, "/etc", b"").file("l/passwd", "x"),
        Archived::new().file("f", "x").file("f/g", "y"),
        Archived::new().file("f", "x").member(b"l", EntryType::Link, "../../etc/passwd", b""),
        Archived::new().member(b"d/", EntryType::Directory, "", b"").member(b"l", EntryType::Link, "d", b""),
    ];
    for archive in hostile {
        let error = archive.refused();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    }
}

#[test]
fn devices_are_listed_and_unknown_members_are_not_passed_over() {
    let store = Archived::new().member(b"null", EntryType::Char, "", b"").open().unwrap();
    assert!(matches!(store.entry(&path("null")).unwrap().unwrap().kind, NodeKind::Special { .. }));
    let error = Archived::new().member(b"m", EntryType::new(b'M'), "", b"").refused();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn an_archive_cut_at_any_block_is_an_error_never_a_shorter_list() {
    let (bytes, place) = Archived::new().file("a", "1").file("b", &"2".repeat(700)).file("c", "3").bytes();
    let end = bytes.len() - 1024;
    assert_eq!(names(&open(&place, &bytes).unwrap()).len(), 4);
    for cut in (0..=end).step_by(256) {
        let error = open(&place, &bytes[..cut]).err().unwrap_or_else(|| panic!("cut at {cut} was taken"));
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error:?}");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&bytes).unwrap();
        let packed = packed.finish().unwrap();
        let cut = cut * packed.len() / bytes.len();
        let kind = open(&place, &packed[..cut]).err().unwrap_or_else(|| panic!("gz cut at {cut} was taken")).kind();
        assert_eq!(kind, ErrorKind::Corrupt, "gz cut at {cut}");
    }
}

#[test]
fn a_flipped_bit_in_a_compressed_archive_is_corrupt() {
    let (bytes, place) = Archived::new().file("a", &"text ".repeat(500)).bytes();
    let mut packed = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    packed.include_checksum(true).unwrap();
    packed.write_all(&bytes).unwrap();
    let mut packed = packed.finish().unwrap();
    assert!(open(&place, &packed).is_ok());
    let last = packed.len() - 1;
    packed[last] ^= 1;
    assert_eq!(open(&place, &packed).err().unwrap().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_bomb_is_stopped_at_its_bound() {
    let (bytes, place) = Archived::new().file("a", "1").bytes();
    let mut packed = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    packed.write_all(&bytes[..1024]).unwrap();
    // A header that announces 1.2 GiB of zeros.
    let mut header = Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(1200 << 20);
    header.set_mode(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    packed.write_all(header.as_bytes()).unwrap();
    std::io::copy(&mut std::io::repeat(0).take((1200 << 20) + 1024), &mut packed).unwrap();
    let error = open(&place, &packed.finish().unwrap()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("1000 times"), "{error}");
}

#[test]
fn what_is_no_archive_is_told_apart() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(open(&place, &[b'x'; 2048]).err().unwrap().kind(), ErrorKind::Invalid);
    assert_eq!(open(&place, b"BZh91AY").err().unwrap().kind(), ErrorKind::Unsupported);
    assert_eq!(open(&place, b"").err().unwrap().kind(), ErrorKind::Corrupt);
    assert_eq!(TarStore::open(&place.path().join("none")).err().unwrap().kind(), ErrorKind::NotFound);
    let huge = Archived::new().member(b"x", EntryType::XHeader, "", &vec![b'0'; 2 << 20]).refused();
    assert!(huge.to_string().contains("over the bound"), "{huge}");
}

#[test]
fn archives_that_were_appended_to_one_another_are_read_as_one() {
    let packed = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let (first, place) = Archived::new().file("home/ana/a", "one").file("home/ana/b", "old").bytes();
    let (second, _) = Archived::new().file("home/bob/a", "two").file("home/ana/b", "new").bytes();
    let padded = [first.as_slice(), &[0; 20 * 512]].concat();
    let plain = [padded.as_slice(), &second].concat();
    let gzipped = [packed(&first), packed(&second)].concat();
    let zipped = [zstd::encode_all(&first[..], 1).unwrap(), zstd::encode_all(&second[..], 1).unwrap()].concat();
    for bytes in [plain, gzipped, zipped] {
        let store = open(&place, &bytes).unwrap();
        assert_eq!(text(&store, "home/ana/a"), "one");
        assert_eq!(text(&store, "home/bob/a"), "two");
        assert_eq!(text(&store, "home/ana/b"), "new");
    }
    let trailed = [first.as_slice(), b"signed by somebody".as_slice(), &[7; 2048]].concat();
    let store = open(&place, &trailed).unwrap();
    assert_eq!(text(&store, "home/ana/b"), "old");
    assert!(said(&store, "home").contains("was not read"), "{}", said(&store, "home"));
}

#[test]
fn a_damaged_header_of_an_appended_archive_is_not_passed_over() {
    let (first, place) = Archived::new().file("a", "one").bytes();
    let (second, _) = Archived::new().file("b", "two").file("c", "three").bytes();
    // One loses its checksum, one its mark as well: then the members behind it tell.
    for damaged in [0..8, 0..300] {
        let mut second = second.clone();
        second[damaged.clone()].fill(b'x');
        let error = open(&place, &[first.as_slice(), &second].concat()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{damaged:?}: {error}");
        assert!(error.to_string().contains(&format!("byte {}", first.len())), "{error}");
    }
}

fn said(store: &TarStore, at: &str) -> String {
    store.tree(&path(at)).unwrap().unwrap().said().join("; ")
}

/// As GNU tar writes owners, and as pax does in records of their own.
fn owned() -> Archived {
    let mut archived = Archived::new();
    for (name, number, user, record) in [
        ("home/ana/x", 1001, "ana", ""),
        ("home/ana/long", 1001, "cut", "19 uname=ana-maria\n19 gname=everybody\n"),
        ("home/bob/x", 1001, "bob", ""),
        ("home/cyd/x", 1003, "", ""),
        ("home/root/x", 0, "root", ""),
    ] {
        if !record.is_empty() {
            archived = archived.member(b"pax", EntryType::XHeader, "", record.as_bytes());
        }
        let mut header = Header::new_gnu();
        header.set_path(name).unwrap();
        header.set_size(1);
        header.set_mode(0o600);
        header.set_uid(number);
        header.set_gid(number);
        header.set_username(user).unwrap();
        header.set_groupname(user).unwrap();
        header.set_cksum();
        archived.builder.append(&header, &b"x"[..]).unwrap();
    }
    archived.member(b"home/ana/same", EntryType::Link, "home/ana/x", b"")
}

fn owned_by(by: OwnersBy) -> TarStore {
    opened_by(by, owned())
}

fn opened_by(by: OwnersBy, archive: Archived) -> TarStore {
    use crate::name_service::{Account::*, NameService};
    let known = [(User, "ana", 1005), (User, "ana-maria", 1006), (Group, "ana", 100), (User, "bob", 1001)];
    let (bytes, place) = archive.bytes();
    fs::write(place.path().join("archive"), bytes).unwrap();
    let owners = BackedUpOwners::with(by, NameService::fixed(&known));
    TarStore::open_with(&place.path().join("archive"), &owners).unwrap()
}

#[test]
fn owners_are_those_who_have_their_names_here() {
    let store = owned_by(OwnersBy::Names);
    let owner = |at: &str| {
        let meta = store.entry(&path(at)).unwrap().unwrap().meta;
        (meta.uid, meta.gid)
    };
    assert_eq!(owner("home/ana/x"), (1005, 100));
    assert_eq!(owner("home/ana/same"), (1005, 100), "another name of the same file");
    assert_eq!(owner("home/ana/long"), (1006, 1001), "a record goes before the field, which holds 32 bytes");
    assert_eq!((owner("home/bob/x"), owner("home/cyd/x"), owner("home/root/x")), ((1001, 1001), (1003, 1003), (0, 0)));
    let ana = said(&store, "home/ana");
    for told in ["user ana is 1005 here and 1001", "user ana-maria is 1006", "no group everybody here"] {
        assert!(ana.contains(told), "{told}: {ana}");
    }
    assert!(!said(&store, "home/bob").contains("ana") && said(&store, "home/cyd").is_empty());
}

#[test]
fn owners_by_number_are_those_of_the_archive() {
    let store = owned_by(OwnersBy::Numbers);
    let meta = store.entry(&path("home/ana/x")).unwrap().unwrap().meta;
    assert_eq!((meta.uid, meta.gid), (1001, 1001));
    assert!(
        said(&store, "home/ana").contains("user ana is 1001 there, which is bob here"),
        "{}",
        said(&store, "home/ana")
    );
}

#[test]
fn an_appended_archive_that_is_cut_off_is_an_error() {
    let (first, place) = Archived::new().file("a", "one").bytes();
    let (second, _) = Archived::new().file("b", "two").bytes();
    let cut = [first.as_slice(), &second[..700]].concat();
    assert_eq!(open(&place, &cut).map(|_| ()).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// A file with these extended headers.
fn described(mut archive: Archived, name: &str, records: &[(&str, &str)]) -> Archived {
    let records = records.iter().map(|(key, value)| (*key, value.as_bytes()));
    archive.builder.append_pax_extensions(records).unwrap();
    archive.file(name, "x")
}

fn recorded(store: &TarStore, at: &str) -> RecordedFacts {
    store.tree(&TreePath::root()).unwrap().unwrap().recorded(&path(at))
}

fn attributes(store: &TarStore, at: &str) -> Vec<String> {
    let entry = store.entry(&path(at)).unwrap().unwrap();
    entry.meta.xattrs.iter().map(|(name, _)| name.to_string()).collect()
}

const ACL: &str = "user::rw-,group::r--,other::r--,user:nobody-knows-this-one:rw-:4711,mask::rw-";

#[test]
fn an_archive_records_what_any_of_its_members_has() {
    let none = described(Archived::new(), "d/a", &[("SCHILY.xattr.security.selinux", "label")]).open().unwrap();
    let is = recorded(&none, "d/a");
    assert_eq!((is.attributes, is.acls, is.time_grain), (false, false, RecordedFacts::SECOND));
    assert_eq!(recorded(&none, "d"), RecordedFacts::NONE, "a directory that is only implied");
    assert_eq!(attributes(&none, "d/a"), [""; 0]);

    let some = described(Archived::new(), "a", &[("SCHILY.xattr.user.k", "v"), ("mtime", "7.123456789")]);
    let some = described(some.file("b", "b"), "c", &[("SCHILY.acl.access", ACL)]).open().unwrap();
    assert_eq!(recorded(&some, "a"), RecordedFacts::ALL);
    let is = recorded(&some, "b");
    assert_eq!((is.attributes, is.acls, is.time_grain), (true, true, RecordedFacts::SECOND));
}

#[test]
fn a_list_in_text_becomes_the_one_that_the_kernel_keeps_with_its_mask_as_the_groups_rights() {
    let known = described(Archived::new(), "a", &[("SCHILY.acl.access", ACL)]).open().unwrap();
    assert_eq!(attributes(&known, "a"), ["system.posix_acl_access"]);
    assert_eq!(known.entry(&path("a")).unwrap().unwrap().meta.mode, 0o664);
    assert!(known.not_restored(&TreePath::root()).is_empty(), "the number behind an unknown name serves");

    let no_number = ACL.replace(":4711", "");
    let unknown = described(Archived::new(), "d/a", &[("SCHILY.acl.access", &no_number)]).open().unwrap();
    let told = unknown.not_restored(&path("d"));
    assert!(told.len() == 1 && told[0].starts_with("a: ") && told[0].contains("nobody-knows-this-one"), "{told:?}");
    assert!(unknown.not_restored(&path("e")).is_empty());

    let plain = described(Archived::new(), "a", &[("SCHILY.acl.access", "user::rw-\ngroup::r--\nother::r--\n")]);
    assert_eq!(attributes(&plain.open().unwrap(), "a"), [""; 0], "no more than its mode");
}

#[test]
fn a_list_that_is_not_understood_is_told_and_a_live_one_stays() {
    let store = described(Archived::new(), "a", &[("SCHILY.acl.access", "user::rwz")]).file("b", "b").open().unwrap();
    assert!(store.not_restored(&TreePath::root())[0].contains("cannot read"));
    assert!(!recorded(&store, "a").acls && recorded(&store, "b").acls);
}

/// GNU tar's text names accounts and has no numbers: those are in the headers of the files that they own, here behind it.
#[test]
fn whom_a_list_in_text_names_is_found_by_number_where_owners_are() {
    use crate::model::Acl;
    let list = "user::rw-\nuser:ana:rw-\nuser:zoe:r--\nuser:bob:r--\ngroup::r--\nmask::rw-\nother::---\n";
    let listed = |by| {
        let mut archive = described(Archived::new(), "a", &[("SCHILY.acl.access", list)]);
        for (name, number) in [("ana", 1010), ("zoe", 1002)] {
            let mut header = Header::new_gnu();
            header.set_path(name).unwrap();
            header.set_size(0);
            header.set_mode(0o600);
            header.set_mtime(7);
            header.set_gid(0);
            header.set_uid(number);
            header.set_username(name).unwrap();
            header.set_cksum();
            archive.builder.append(&header, &b""[..]).unwrap();
        }
        let store = opened_by(by, archive);
        let meta = store.entry(&path("a")).unwrap().unwrap().meta;
        assert_eq!(meta.mode, 0o660, "the mask is the group's part of the mode");
        let named = Acl::from_bytes(&meta.xattrs[0].1).unwrap().named();
        let numbers: Vec<u32> =
            named.into_iter().map(|named| crate::stores::backed_up_owners::account(named).1).collect();
        (numbers, said(&store, ""), store.not_restored(&TreePath::root()))
    };
    let (numbers, told, missing) = listed(OwnersBy::Numbers);
    assert_eq!((numbers, missing.len()), (vec![1001, 1002, 1010], 0), "bob by the number here, zoe, ana");
    assert!(told.contains("names the user bob without a number: it gets the one here, 1001"), "{told}");
    let (numbers, told, missing) = listed(OwnersBy::Names);
    assert_eq!((numbers, missing.len()), (vec![1001, 1002, 1005], 0), "bob, zoe by the archive's number, ana");
    assert!(told.contains("there is no user zoe here: its number is kept, 1002"), "{told}");
}
