use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system of its own, unmounted with the test. Needs root.
pub struct Mounted(PathBuf);

impl Mounted {
    pub fn tmpfs(at: &Path, options: &str) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at).status().unwrap();
        assert!(mounted.success(), "mounting a tmpfs needs root");
        Self(at.to_owned())
    }

    /// On an image beside `at`, made with these options more.
    pub fn ext4(at: &Path, options: &[&str]) -> Self {
        Self::made(at, 64, Command::new("mkfs.ext4").arg("-qF").args(options))
    }

    pub fn btrfs(at: &Path) -> Self {
        Self::made(at, 160, Command::new("mkfs.btrfs").arg("-qf"))
    }

    /// Of `at` itself, with what is written beside it: names of one file are parted when one of them is moved.
    pub fn overlay(at: &Path) -> Self {
        let beside = |name: &str| at.with_extension(name);
        for name in ["upper", "work"] {
            std::fs::create_dir_all(beside(name)).unwrap();
        }
        let (lower, upper, work) = (at.display(), beside("upper"), beside("work"));
        let options = format!("index=off,lowerdir={lower},upperdir={},workdir={}", upper.display(), work.display());
        let mounted = Command::new("mount").args(["-t", "overlay", "-o", &options, "none"]).arg(at).status().unwrap();
        assert!(mounted.success(), "mounting an overlay needs root");
        Self(at.to_owned())
    }

    fn made(at: &Path, megabytes: u64, make: &mut Command) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let image = at.with_extension("image");
        std::fs::File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
        let made = make.arg(&image).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at).status().unwrap();
        assert!(mounted.success(), "mounting an image needs root");
        Self(at.to_owned())
    }

    pub fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
