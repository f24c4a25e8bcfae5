use crate::model::TreePath;

/// Whole names of files that hold secrets.
const NAMES: &[&str] = &[
    ".env",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".htpasswd",
    ".npmrc",
    ".pypirc",
    ".vault-token",
    "credentials",
    "shadow",
    "gshadow",
    "kubeconfig",
    "secrets.yaml",
    "secrets.yml",
    "secrets.json",
    "secret.yaml",
    "secret.yml",
    "secret.json",
    "password",
    "passwords",
    "authinfo",
    ".authinfo",
    "wallet.dat",
];
/// Beginnings of names, before a dot or their end.
const STEMS: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk"];
const ENDINGS: &[&str] =
    &[".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".asc", ".gpg", ".keytab"];
/// Directories in which every file counts as one.
const FOLDERS: &[&str] = &[".gnupg", ".password-store", ".aws", ".kube"];
/// What a key file begins with, or a few lines in.
const MARKS: &[&[u8]] = &[b"PRIVATE KEY-----", b"-----BEGIN PGP PRIVATE", b"PuTTY-User-Key-File", b"AGE-SECRET-KEY-"];
const LOOKED_AT: usize = 4 * 1024;

/// Whether a file holds secrets, as its name says. The public half of a key does not.
pub fn is_secret_by_name(path: &TreePath) -> bool {
    let path = String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase();
    let mut folders = path.split('/').rev();
    let name = folders.next().unwrap_or_default();
    if name.ends_with(".pub") {
        return false;
    }
    let has_stem = |stem: &&str| name.strip_prefix(*stem).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    NAMES.contains(&name)
        || name.starts_with(".env.")
        || name.ends_with(".env")
        || STEMS.iter().any(has_stem)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || folders.any(|folder| FOLDERS.contains(&folder))
}

/// Whether its first bytes are those of a private key.
pub(super) fn is_secret_by_content(beginning: &[u8]) -> bool {
    let looked_at = beginning.get(..beginning.len().min(LOOKED_AT)).unwrap_or_default();
    MARKS.iter().any(|mark| looked_at.windows(mark.len()).any(|found| found == *mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_secrets_are_known_by_their_names_and_their_first_bytes() {
        let is_secret = |name: &str| is_secret_by_name(&TreePath::new(name).unwrap());
        let secret = [
            "app/.env",
            "app/.env.production",
            "deploy/prod.env",
            ".ssh/id_ed25519",
            ".ssh/id_rsa.old",
            "tls/server.KEY",
            ".aws/config",
            ".gnupg/private-keys-v1.d/1",
            ".pgpass",
            "etc/shadow",
            ".kube/config",
        ];
        assert_eq!(secret.map(is_secret), [true; 11]);
        let open =
            [".ssh/id_ed25519.pub", "environment.txt", "notes.txt", "keyboard.c", "data/monkey", ".ssh/known_hosts"];
        assert_eq!(open.map(is_secret), [false; 6]);
        assert!(is_secret_by_content(b"# mine\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl"));
        assert!(!is_secret_by_content(b"-----BEGIN CERTIFICATE-----\n"));
    }
}
