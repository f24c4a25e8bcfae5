//! Facts of files that a backup does not record, that belong to the system, or that the target cannot hold.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::mounted::Mounted;
use crate::sandbox::{Told, sh};

/// One home, live below `live/ana`, and a runbook that restores it.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new(script: &str) -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(ground.path("live/ana")).unwrap();
        ground.sh(script)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    fn sh(self, script: &str) -> Self {
        sh(self.0.path(), script);
        self
    }

    /// `source` as in a runbook; `step`: more keys of the step, `component`: of the component.
    fn runbook(&self, source: &str, step: &str, component: &str) {
        let root = self.0.path().display();
        let text = format!(
            "rekindle: 1\ntitle: Facts\nsources: {{ saved: {{ {} }} }}\n\
             components: {{ homes: {{ files: {root}/live{component} }} }}\n\
             owners: {{ user: {{ from: saved }} }}\n\
             steps:\n\x20 - {{ id: home, each: user, restore: homes, from: saved, below: '${{user}}'{step} }}\n",
            source.replace('@', &root.to_string()),
        );
        fs::write(self.path("runbook.yaml"), text).unwrap();
    }

    fn around(&self, wrapper: &[&str], arguments: &[&str]) -> Told {
        let words = [wrapper, &[env!("CARGO_BIN_EXE_rekindle")], arguments].concat();
        let (program, words) = words.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(words).current_dir(self.0.path()).env("REKINDLE_STATE", self.path("state"));
        Told::of(command.env("HOME", self.0.path()).stdin(Stdio::null()).output().unwrap())
    }

    fn rekindle(&self, arguments: &[&str]) -> Told {
        self.around(&[], arguments)
    }

    fn plan(&self) -> Told {
        self.rekindle(&["plan", "runbook.yaml"])
    }

    fn run(&self) -> Told {
        self.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"])
    }

    fn undo(&self) -> Told {
        self.rekindle(&["undo", "--yes", "--yes-deletes"])
    }

    /// A run that ends well, after which live and backup are equal.
    #[track_caller]
    fn converges(&self) -> Told {
        let told = self.run().exits(0);
        self.plan().exits(0);
        self.rekindle(&["verify"]).exits(0);
        told
    }

    /// Everything below `live`, by programs that know nothing of rekindle.
    fn state(&self) -> String {
        let script = "cd live; find . -name .rekindle -prune -o ! -name . -printf '%p %y %m %U:%G %s %l %n\n' | sort; \
                      find . -name .rekindle -prune -o -type f -printf '%p %T@ ' -exec sha256sum {} + | sort; \
                      find . -name .rekindle -prune -o -print0 | sort -z | xargs -0 getfattr -hd -m - -e hex 2>/dev/null; \
                      find . -name .rekindle -prune -o ! -type l -print0 | sort -z | xargs -0 getfacl -n";
        let output = Command::new("bash").args(["-c", script]).current_dir(self.0.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

const WITH_ATTRIBUTES: &str = "cd live; mkdir ana/d; echo a > ana/a; echo b > ana/b; ln ana/a ana/d/linked; \
     setfacl -m u:65534:rw,g:daemon:r ana/a; setfacl -m d:u:65534:rwx ana/d; setfattr -n user.k -v v ana/b";

#[test]
fn an_untouched_home_is_equal_to_every_archive_of_it_and_keeps_what_that_does_not_record() {
    for options in ["--format=gnu", "--format=posix", "--acls", "--xattrs --xattrs-include=user.*", "--xattrs --acls"] {
        let ground = Ground::new(&format!("{WITH_ATTRIBUTES}; tar {options} -cf ../a.tar ana"));
        for step in ["", ", content: true", ", mode: exact"] {
            ground.runbook("tar: '@/a.tar'", step, "");
            ground.plan().exits(0);
        }
        let before = ground.state();
        let ground = ground.sh("rm live/ana/b; chmod 600 live/ana/a; echo more >> live/ana/d/linked");
        ground.runbook("tar: '@/a.tar'", "", "");
        ground.converges();
        let acls = Command::new("getfacl").args(["-cnE", "live/ana/a"]).current_dir(ground.0.path()).output().unwrap();
        let acls = String::from_utf8(acls.stdout).unwrap();
        assert!(acls.contains("user:65534:rw-") && acls.contains("mask::rw-"), "{options}: {acls}");
        if options.starts_with("--xattrs --acls") {
            assert_eq!(ground.state(), before, "{options}");
        }
    }
}

#[test]
fn a_mode_that_changes_takes_the_mask_of_a_list_along_that_the_archive_does_not_record() {
    let ground = Ground::new(
        "cd live; echo a > ana/a; chmod 600 ana/a; tar -cf ../a.tar ana; chmod 640 ana/a; setfacl -m u:65534:rw ana/a",
    );
    ground.runbook("tar: '@/a.tar'", "", "");
    let before = ground.state();
    ground.converges().says("does not record access lists");
    let acl = Command::new("getfacl").args(["-cnE", "live/ana/a"]).current_dir(ground.0.path()).output().unwrap();
    assert_eq!(
        String::from_utf8(acl.stdout).unwrap().trim(),
        "user::rw-\nuser:65534:rw-\ngroup::r--\nmask::---\nother::---"
    );
    ground.undo().exits(0);
    assert_eq!(ground.state(), before);
}

#[test]
fn a_list_of_accounts_that_this_machine_does_not_know_is_restored_without_them_and_names_them() {
    let list = "user::rw-\\nuser:zoe-of-elsewhere:rwx\\ngroup::r--\\nmask::r--\\nother::---";
    let tar = format!("tar --format=posix --pax-option=$'SCHILY.acl.access:={list}' -cf ../a.tar ana/a");
    let ground = Ground::new(&format!("cd live; echo a > ana/a; {tar}; rm ana/a"));
    ground.runbook("tar: '@/a.tar'", "", "");
    ground.converges().says("a: the access list's entry for user zoe-of-elsewhere");
}

#[test]
fn directories_that_an_archive_only_implies_stay_as_they_are() {
    let ground = Ground::new(
        "cd live; mkdir ana/d; echo a > ana/d/a; chown -R 1000:1001 ana; chmod 700 ana/d ana; setfattr -n user.k -v v ana/d; \
         tar -cf ../a.tar ana/d/a; rm ana/d/a",
    );
    ground.runbook("tar: '@/a.tar'", ", mode: exact", "");
    ground.plan().exits(2).says("d/a  2 B").says("update 1, 1 hunk");
    ground.converges();
    let ground = ground.sh("rm -r live/ana/d");
    ground.converges();
    let ground = ground.sh("test $(stat -c %u:%g live/ana/d) = 1000:1001");
    ground.plan().exits(0);
}

/// What an SELinux, SMACK or IMA kernel gives every file by itself.
#[test]
fn labels_of_the_system_are_neither_compared_nor_restored_and_nothing_waits_for_them() {
    let label = "find $1 -exec setfattr -h -n security.selinux -v $2 {} + ; find $1 -type f -exec setfattr -n security.SMACK64 -v $2 {} +";
    let ground = Ground::new(&format!(
        "label() {{ {label}; }}; mkdir -p saved/ana; echo a > saved/ana/a; echo b > saved/ana/b; cp -a saved/ana live; \
         label saved there; label live here; tar -C saved --xattrs --xattrs-include='*' -cf a.tar ana"
    ));
    let ground = ground.sh("echo damage > live/ana/a; cp -a live was");
    for source in ["directory: '@/saved'", "tar: '@/a.tar'"] {
        ground.runbook(source, "", "");
        ground.plan().exits(2).says("update 1, 1 hunk");
        let before = ground.state();
        ground.converges();
        ground.undo().exits(0);
        assert_eq!(ground.state(), before, "{source}");
        ground.rekindle(&["close", "--yes"]).exits(0);
    }
}

const FAR: &str = "mkdir -p saved; mount -t tmpfs none saved; trap 'umount -l saved' ERR; mkdir saved/ana; cd saved/ana; \
     echo f > future; touch -d '3000-06-01 12:00:00.25Z' future; echo p > past; touch -d '1816-06-01Z' past; \
     echo l > large; setfattr -n user.big -v \"$(head -c 9000 /dev/zero | tr '\\0' x)\" large; \
     setfattr -n user.small -v s large; echo n > now; touch -d '2020-01-01 00:00:00.123456789Z' now; ln future again";

/// Unmounts the backup that [`FAR`] makes.
struct Saved(PathBuf);

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn times_and_attributes_that_a_file_system_cannot_hold_are_told_and_nothing_waits_for_them() {
    for options in [&["-I", "128"][..], &["-I", "256"]] {
        let ground = Ground::new(FAR);
        let _saved = Saved(ground.path("saved"));
        let _live = Mounted::ext4(&ground.path("live"), options);
        ground.runbook("directory: '@/saved'", "", "");
        for home in ["", "mkdir live/ana; echo x > live/ana/now"] {
            sh(ground.0.path(), home);
            let before = ground.state();
            ground
                .plan()
                .exits(2)
                .says("again: this file system cannot keep its time 3000-06-01T12:00:00.25Z")
                .says("the attribute user.big is not restored: it has 9.0 kB, more than this file system takes");
            ground.converges();
            let mut small = Command::new("getfattr");
            small.args(["-n", "user.small", "--only-values"]).arg(ground.path("live/ana/large"));
            assert_eq!(output(&mut small), "s");
            ground.undo().exits(0);
            assert_eq!(ground.state(), before, "{options:?} {home}");
        }
    }
}

fn output(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

/// An ordinary user's home with directories and files that nobody may write to.
#[test]
fn an_ordinary_user_gets_a_home_back_in_which_nothing_may_be_written_to() {
    const USER: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let ground = Ground::new(
        "mkdir -p saved/ana/ro/sub; cd saved/ana; echo a > ro/a; echo s > ro/sub/s; echo r > ro/gone; setfattr -n user.k -v v ro/a ro; \
         chmod 444 ro/a; chmod 555 ro/sub ro; cd ../..; cp -a saved/ana live; chown -R 65534:65534 .; chmod 755 .",
    );
    ground.runbook("directory: '@/saved'", ", mode: exact", "");
    let run = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    let whole = ground.state();
    let ground = ground
        .sh("cd live/ana; echo bad > ro/sub/s; rm ro/gone; mkdir ro/more; echo m > ro/more/m; chmod 555 ro/more; \
         setfattr -n user.k -v other ro/a; setfattr -x user.k ro; chown -R 65534:65534 .");
    let before = ground.state();
    ground.around(&USER, &run).exits(0);
    ground.around(&USER, &["plan", "runbook.yaml"]).exits(0);
    assert_eq!(ground.state(), whole);
    ground.around(&USER, &["undo", "--yes", "--yes-deletes"]).exits(0);
    assert_eq!(ground.state(), before);
}

/// Files of others lie in many a home: a root shell's, a container's. Who may not read them can still give them back.
#[test]
fn an_ordinary_user_undoes_what_was_done_to_files_of_others() {
    const USER: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let ground = Ground::new(
        "mkdir -p saved/ana state; cd live/ana; echo old > z; echo secret > r; echo open > o; mkdir d; echo in > d/r; \
         ln -s z l; echo new > ../../saved/ana/z; echo l > ../../saved/ana/l; cd ../..; chown -hR 65534:65534 .; \
         chown 0:0 live/ana/r live/ana/o live/ana/d/r; chmod 600 live/ana/r live/ana/d/r; chmod 755 .",
    );
    ground.runbook("directory: '@/saved'", ", mode: exact", "");
    let before = ground.state();
    let run = ["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes"];
    ground.around(&USER, &run).exits(0);
    ground.around(&USER, &["undo", "--yes", "--yes-deletes"]).exits(0).says("everything that was asked for is undone");
    assert_eq!(ground.state(), before);
}

/// What a disk of backups has mounted in a home is a part of the backup: what is there is never taken for missing.
#[test]
fn what_is_mounted_in_a_backup_is_restored_and_nothing_live_goes_for_it() {
    let ground = Ground::new("mkdir -p saved/ana/m live/ana/m; echo x > live/ana/m/same; echo y > live/ana/m/gone");
    let _mounted = Mounted::tmpfs(&ground.path("saved/ana/m"), "size=1m");
    let ground = ground.sh(
        "cp -a live/ana/m/same saved/ana/m; mkdir saved/ana/m/d; echo new > saved/ana/m/d/new; chmod 755 saved/ana/m",
    );
    ground.runbook("directory: '@/saved'", ", mode: exact", "");
    ground.plan().exits(2).says("- m/gone").says("+ m/d/new");
    ground.converges();
    let files = Command::new("find").args([".", "-type", "f"]).current_dir(ground.path("live/ana")).output().unwrap();
    let mut files: Vec<String> = String::from_utf8_lossy(&files.stdout).lines().map(str::to_owned).collect();
    files.sort();
    assert_eq!(files, ["./m/d/new", "./m/same"]);
}

/// A number that no file can belong to, and names that no file can have.
#[test]
fn what_the_target_cannot_have_is_named_and_all_else_is_restored() {
    let ground = Ground::new(
        "python3 - <<'END'\nimport tarfile, io\n\
         archive = tarfile.open('saved.tar', 'w', format=tarfile.PAX_FORMAT)\n\
         def add(name, **facts):\n  member = tarfile.TarInfo(name); member.size = 1; member.mtime = 1\n  \
         [setattr(member, *fact) for fact in facts.items()]\n  archive.addfile(member, io.BytesIO(b'x'))\n\
         add('ana/ok')\nadd('ana/strange', uid=4294967295, gid=4294967295, mode=0o4755)\nadd('ana/' + 'é' * 128)\n\
         add('ana/' + 'd' * 300 + '/in')\nadd('ana/far', type=tarfile.SYMTYPE, linkname='t' * 5000, size=0)\n\
         archive.close()\nEND",
    );
    ground.runbook("tar: '@/saved.tar'", ", mode: exact", "");
    for home in ["rmdir live/ana", "rm -r live/ana; mkdir live/ana", "rm live/ana/ok; chown 7 live/ana/strange"] {
        sh(ground.0.path(), home);
        let plan = ground.plan().exits(2).says("its name has 256 bytes").says("its name has 300 bytes");
        plan.says("its target has 5000 bytes").says("4294967295");
        ground.converges();
        let files = Command::new("ls").arg(ground.path("live/ana")).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&files.stdout), "ok\nstrange\n");
    }
}

#[test]
fn an_ordinary_user_restores_what_belonged_to_others_as_their_own() {
    const USER: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let ground = Ground::new(
        "mkdir -p saved/ana; echo a > saved/ana/a; echo b > saved/ana/b; chown 7:7 saved/ana/a; chown 65534:65534 . live live/ana; \
         chmod 755 .; mkdir state; chown 65534 state",
    );
    ground.runbook("directory: '@/saved'", "", "");
    let run = ["run", "runbook.yaml", "--plain", "--yes"];
    ground.around(&USER, &run).exits(0).says("only root can give files away");
    ground.around(&USER, &["plan", "runbook.yaml"]).exits(0);
}

/// A backup's disk is often root's, and some of its files are for root alone.
#[test]
fn the_plan_names_what_the_operator_may_not_read_in_the_backup() {
    const USER: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let ground = Ground::new(
        "mkdir -p saved/ana/d state; echo a > saved/ana/open; echo b > saved/ana/d/closed; chmod 600 saved/ana/d/closed; \
         chown 65534:65534 . live live/ana state; chmod 755 .",
    );
    ground.runbook("directory: '@/saved'", "", "");
    let plan = ground.around(&USER, &["plan", "runbook.yaml"]).exits(2);
    let plan = plan.says("d/closed: cannot be read in the backup: permission denied");
    let plan = plan.says("! 1 file CANNOT BE READ in the backup: home/ana");
    assert!(!plan.out.contains("open: cannot be read"), "{plan:?}");
    let of_root = ground.plan().exits(2);
    assert!(!of_root.out.contains("cannot be read"), "{of_root:?}");
}

#[test]
fn a_directory_that_holds_an_ignored_file_stays_and_the_plan_says_so() {
    let ground = Ground::new(
        "mkdir -p saved/ana live/ana/project/deep/.cache live/ana/conf/.cache live/ana/link/.cache live/ana/turned/.cache; \
         echo x > live/ana/project/deep/.cache/x; echo m > live/ana/project/deep/m; echo c > live/ana/conf/.cache/c; \
         echo k > live/ana/conf/kept; echo f > saved/ana/conf; ln -s conf saved/ana/link; mkdir live/ana/.cache; \
         echo plain > saved/ana/.cache; mkdir live/ana/goes; echo g > live/ana/goes/g; echo t > live/ana/turned/a.tmp",
    );
    for mode in ["exact", "merge"] {
        ground.runbook("directory: '@/saved'", &format!(", mode: {mode}"), ", ignore: [.cache/, '*.tmp']");
        let before = ground.state();
        let told = ground.plan().says("conf: not restored: a directory that holds ignored files stands in its place");
        let told = told.says("link: not restored").says(".cache: not restored: a directory that is ignored");
        assert_eq!(told.code, Some(if mode == "exact" { 2 } else { 0 }), "{told:?}");
        if mode == "exact" {
            told.says("project/deep: it stays: it holds ignored files").says("- project/deep/m").says("- goes");
            ground.converges();
            assert!(ground.path("live/ana/conf/kept").exists() && !ground.path("live/ana/goes").exists());
            assert!(!ground.path("live/ana/project/deep/m").exists());
            ground.undo().exits(0);
            assert_eq!(ground.state(), before);
            ground.rekindle(&["close", "--yes"]).exits(0);
        }
    }
}

#[test]
fn a_document_on_a_labelled_host_is_changed_in_spite_of_a_signature() {
    let ground = Ground::new(
        "mkdir -p saved docs; echo 'quota: 5' > saved/ana.yaml; echo 'quota: 1' > docs/ana.yaml; \
         setfattr -n security.ima -v here docs/ana.yaml",
    );
    let root = ground.0.path().display();
    let text = format!(
        "rekindle: 1\ntitle: Facts\nsources: {{ saved: {{ directory: '{root}/saved', format: documents }} }}\n\
         components: {{ accounts: {{ documents: '{root}/docs' }} }}\n\
         steps: [ {{ id: account, restore: accounts, from: saved }} ]\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let strace =
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsetxattr", "-e", "inject=fsetxattr:error=EPERM"];
    ground.around(&strace, &["run", "runbook.yaml", "--plain", "--yes"]).exits(0);
    ground.plan().exits(0);
    assert_eq!(fs::read_to_string(ground.path("docs/ana.yaml")).unwrap(), "quota: 5\n");
}
