use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Who lives on the demo's platform.
pub const PEOPLE: [&str; 12] = ["ana", "bob", "cyd", "dee", "eli", "fay", "gus", "hal", "ivy", "jon", "kim", "lee"];

/// Writes everybody's account and home below `platform`, the same at every call.
pub fn settle(platform: &Path) -> io::Result<()> {
    fs::create_dir_all(platform.join("accounts"))?;
    for (number, name) in PEOPLE.iter().enumerate() {
        fs::write(platform.join("accounts").join(format!("{name}.yaml")), account(name, number))?;
        home(&platform.join("home").join(name), name, number)?;
    }
    Ok(())
}

fn account(name: &str, number: usize) -> String {
    let roles = if number.is_multiple_of(3) {
        "  - analyst\n  - admin   # may approve shares\n"
    } else {
        "  - analyst\n  - editor\n"
    };
    format!(
        "# {name}'s account; edited by hand, keep the comments\n\
         name: {name}\n\
         email: {name}@example.org\n\
         enabled: true\n\
         quota_gb: {quota}   # agreed with the storage team\n\
         roles:\n{roles}\
         password: $argon2id$v=19$m=7168,t=5,p=1${hash}\n",
        quota = 20 + number * 5,
        hash = &blake3::hash(name.as_bytes()).to_hex()[..32],
    )
}

fn home(home: &Path, name: &str, number: usize) -> io::Result<()> {
    for folder in ["projects/model", "data", ".ssh"] {
        fs::create_dir_all(home.join(folder))?;
    }
    fs::write(home.join(".profile"), format!("# {name}\nexport EDITOR=vim\nexport PATH=\"$HOME/bin:$PATH\"\n"))?;
    let notes: String =
        (1..=40).map(|line| format!("{line:>3}  {name}: observation {}\n", line * 37 + number)).collect();
    fs::write(home.join("notes.txt"), notes)?;
    for part in 0..6 {
        let rows: String = (0..400).map(|row| format!("{row},{},{}\n", row * (part + 3) + number, name)).collect();
        fs::write(home.join(format!("data/part-{part}.csv")), format!("row,value,by\n{rows}"))?;
    }
    fs::write(home.join("projects/model/train.py"), format!("\"\"\"{name}'s model\"\"\"\nSEED = {number}\n"))?;
    fs::write(home.join("projects/model/weights.bin"), weights(name))?;
    let script = home.join("projects/model/run.sh");
    fs::write(&script, format!("#!/bin/sh\n# {name}\nexec python3 train.py\n"))?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    let key = home.join(".ssh/id_ed25519");
    fs::write(&key, format!("not really a key of {name}\n"))?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    fs::set_permissions(home.join(".ssh"), fs::Permissions::from_mode(0o700))?;
    fs::hard_link(home.join("data/part-0.csv"), home.join("data/first.csv"))?;
    symlink("projects/model", home.join("current"))
}

/// Bytes that differ from person to person and do not compress, so that they fill packs of their own.
fn weights(name: &str) -> Vec<u8> {
    let mut bytes = vec![0; 96 * 1024];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}
