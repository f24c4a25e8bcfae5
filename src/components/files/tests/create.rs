use super::*;

const HOME: &str = r#"
mkdir -p docs/deep/er empty; chmod 2775 docs; chmod 1777 empty; chown 1000:1000 .
echo hello > docs/hello; chown 1001:1002 docs/hello; chmod 0640 docs/hello
touch -d '2001-02-03 04:05:06.123456789' docs/hello
printf 'x' > $'name\xff\x1b[2J'; printf 'nl' > $'new\nline'
setfattr -n user.colour -v blue docs/hello
setfacl -m u:1005:rw docs/hello; setfacl -d -m g:1006:rx docs
ln docs/hello docs/deep/hello-again
ln -s ../../etc/passwd outward; touch -h -d '1999-01-01 00:00:00.5' outward; chown -h 1003:1003 outward
truncate -s 3M sparse; printf end | dd of=sparse bs=1 seek=2000000 conv=notrunc status=none
mkfifo pipe; : > nothing
touch -d '2002-02-02' docs/deep/er
"#;

#[test]
fn a_missing_home_comes_back_with_all_it_had() {
    let ground = Ground::new();
    ground.backup(HOME);
    let effect = ground.restore();
    let wanted: Vec<String> = ground.backup_state().into_iter().filter(|line| !line.starts_with("pipe ")).collect();
    assert_eq!(ground.live_state(), wanted);
    assert_eq!(ground.leftovers(), [""; 0]);
    assert!(
        effect
            .contents
            .iter()
            .any(|(path, hash)| path.as_bytes() == b"docs/deep/hello-again" && *hash == Digest::of("hello\n"))
    );
    use std::os::unix::fs::MetadataExt;
    let sparse = std::fs::metadata(ground.live.join("ana/sparse")).unwrap();
    assert!(sparse.blocks() * 512 < 100_000, "{} blocks are allocated", sparse.blocks());
    let time = |root: &Path| std::fs::metadata(root.join("ana/docs/deep/er")).unwrap().modified().unwrap();
    assert_eq!(time(&ground.live), time(ground.backup.path()));
}

#[test]
fn privileged_bits_are_stripped_and_listed_or_refused_or_kept() {
    let script = "cp /bin/true tool; chmod 4755 tool; cp /bin/true able; setcap cap_net_raw+ep able || setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 able";
    let mut ground = Ground::new();
    ground.backup(script);
    let plan = ground.plan();
    let raw_plan = {
        ground.bits = PrivilegedBits::Keep;
        let raw = ground.plan();
        ground.bits = PrivilegedBits::Strip;
        raw
    };
    assert_ne!(plan.change, raw_plan.change);
    ground.bits = PrivilegedBits::Refuse;
    assert_eq!(kind_of(ground.write(&raw_plan)).0, ErrorKind::Refused);
    assert!(ground.live_state().is_empty());
    ground.bits = PrivilegedBits::Strip;
    let effect = ground.write(&raw_plan).unwrap();
    assert_eq!(effect.notes.len(), 2, "{:?}", effect.notes);
    let live = entries(&*Ground::tree(&ground.live).unwrap());
    assert!(live.values().all(|entry| !PrivilegedBits::are_in(entry)));
    std::fs::remove_dir_all(ground.live.join(KEY)).unwrap();
    ground.bits = PrivilegedBits::Keep;
    ground.write(&raw_plan).unwrap();
    assert_eq!(ground.live_state(), ground.backup_state());
}

#[test]
fn writing_it_twice_leaves_one_effect_and_undoing_it_nothing() {
    let ground = Ground::new();
    ground.backup("mkdir a; echo 1 > a/one; ln -s one a/link");
    let plan = ground.plan();
    ground.write(&plan).unwrap();
    let once = ground.live_state();
    let again = ground.write(&plan).unwrap();
    assert_eq!((ground.live_state(), again.bytes), (once, 0));
    ground.undo();
    assert!(!ground.live.join(KEY).exists());
}

#[test]
fn left_out_hunks_are_not_extracted() {
    let ground = Ground::new();
    ground.backup("echo 1 > one; echo 2 > two");
    let mut plan = ground.plan();
    let two = plan.change.hunks.iter().position(|hunk| hunk.place() == "two").unwrap();
    plan.left_out = [two as u32].into();
    ground.write(&plan).unwrap();
    assert!(ground.live.join("ana/one").exists() && !ground.live.join("ana/two").exists());
}

#[test]
fn a_plan_is_made_against_what_will_be_written() {
    use crate::component::Component;
    let ground = Ground::new();
    ground.backup("mkfifo pipe; cp /bin/true tool; chmod 6755 tool; mkdir shared; chmod 2775 shared");
    let files = crate::components::files::FilesComponent::new(ground.config());
    let modes: Vec<String> = entries(&*Ground::tree(ground.backup.path()).unwrap())
        .values()
        .filter_map(|entry| files.as_written(entry))
        .map(|entry| format!("{} {:o}", entry.path, entry.meta.mode))
        .collect();
    assert_eq!(modes[1..], ["shared 2775", "tool 755"]);
}
