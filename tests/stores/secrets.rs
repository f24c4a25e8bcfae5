//! Passwords from a vault and from the kernel's keyring, by the built binary on a real repository.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::repository::{PASSWORD, Repository};
use crate::support::server::Server;

const ROOT: &str = "root-of-the-test";

struct Place {
    folder: tempfile::TempDir,
    repository: Repository,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(2, "default");
        let home = folder.path().join("home/ana");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("notes.txt"), "from the backup").unwrap();
        let backed_up = Command::new("restic")
            .args(["backup", "home", "--no-cache", "--quiet"])
            .current_dir(folder.path())
            .env("RESTIC_REPOSITORY", repository.path())
            .env("RESTIC_PASSWORD", PASSWORD)
            .output()
            .unwrap();
        assert!(backed_up.status.success(), "{}", String::from_utf8_lossy(&backed_up.stderr));
        std::fs::create_dir(folder.path().join("live")).unwrap();
        Self { folder, repository }
    }

    /// A dry run with that place of the repository's password.
    fn plan(&self, password: &str, environment: &[(&str, &str)]) -> Output {
        let root = self.folder.path();
        let text = format!(
            "rekindle: 2\ninputs: {{ who: {{ default: backup }} }}\nsources:\n  saved: {{ restic: {}, password: {password} }}\n\
             components: {{ homes: {{ files: {}/live }} }}\nsteps:\n  \
             - {{ id: home, restore: homes, from: saved, below: home, when: {{ input: who, is: backup }} }}\n",
            self.repository.path().display(),
            root.display()
        );
        std::fs::write(root.join("runbook.yaml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
        command.args(["plan", "runbook.yaml"]).current_dir(root).env("REKINDLE_STATE", root.join("state"));
        command.env("HOME", root).env_remove("VAULT_ADDR").env_remove("VAULT_TOKEN");
        command.envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap()
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn plans(output: &Output) {
    assert_eq!(output.status.code(), Some(2), "{}", said(output));
    assert!(said(output).contains("notes.txt"), "{}", said(output));
    assert!(!said(output).contains(PASSWORD), "{}", said(output));
}

fn refuses(output: &Output, whys: &[&str]) {
    assert_eq!(output.status.code(), Some(1), "{}", said(output));
    for why in whys {
        assert!(said(output).contains(why), "{why:?} is not in {}", said(output));
    }
    assert!(!said(output).contains(PASSWORD) && !said(output).contains(ROOT), "{}", said(output));
}

fn client(address: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/openbao.sh");
    let mut command = Command::new(script);
    command.arg("client").args(arguments).env("BAO_ADDR", address).env("BAO_TOKEN", ROOT);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_password_comes_from_a_vault_with_versions_and_from_one_without() {
    let place = Place::new();
    let server = Server::vault(place.folder.path(), ROOT);
    let address = format!("http://127.0.0.1:{}", server.port);
    let word = format!("password={PASSWORD}");
    client(&address, &["kv", "put", "secret/backup/restic", &word, "port=22"]);
    client(&address, &["secrets", "enable", "-path=plain", "-version=1", "kv"]);
    client(&address, &["kv", "put", "plain/restic", &word]);
    let by_root = [("VAULT_ADDR", address.as_str()), ("VAULT_TOKEN", ROOT)];
    for path in [
        "secret/backup/restic#password",
        "/secret/data/backup/restic#password",
        "plain/restic#password",
        "secret/${who}/restic#password",
    ] {
        plans(&place.plan(&format!("{{ vault: \"{path}\" }}"), &by_root));
    }
    // What `vault login` leaves is as good.
    std::fs::write(place.folder.path().join(".vault-token"), format!("{ROOT}\n")).unwrap();
    plans(&place.plan("{ vault: \"secret/backup/restic#password\" }", &[("BAO_ADDR", &address)]));
    std::fs::remove_file(place.folder.path().join(".vault-token")).unwrap();

    // One that may read this secret, and ask no more.
    let rules = place.folder.path().join("rules.hcl");
    std::fs::write(&rules, "path \"secret/data/backup/*\" { capabilities = [\"read\"] }\n").unwrap();
    client(&address, &["policy", "write", "reader", rules.to_str().unwrap()]);
    let token = client(&address, &["token", "create", "-policy=reader", "-field=token"]);
    plans(
        &place
            .plan("{ vault: \"secret/backup/restic#password\" }", &[("VAULT_ADDR", &address), ("VAULT_TOKEN", &token)]),
    );
}

#[test]
fn a_vault_that_gives_no_password_is_told_of_with_what_to_do() {
    let place = Place::new();
    let server = Server::vault(place.folder.path(), ROOT);
    let address = format!("http://127.0.0.1:{}", server.port);
    client(&address, &["kv", "put", "secret/restic", "password=x", "user=ana"]);
    let root = [("VAULT_ADDR", address.as_str()), ("VAULT_TOKEN", ROOT)];
    let plan = |path: &str, environment: &[(&str, &str)]| place.plan(&format!("{{ vault: \"{path}\" }}"), environment);
    refuses(&plan("secret/restic#pasword", &root), &["no such field", "password, user"]);
    refuses(&plan("secret/nothing#password", &root), &["no such secret", "vault kv get"]);
    refuses(
        &plan("secret/restic#password", &[("VAULT_ADDR", &address), ("VAULT_TOKEN", "s.wrong")]),
        &["403", "not allowed"],
    );
    refuses(
        &plan("secret/restic#password", &[("VAULT_TOKEN", ROOT)]),
        &["$VAULT_ADDR is not set", "export VAULT_ADDR"],
    );
    refuses(&plan("secret/restic#password", &[("VAULT_ADDR", &address)]), &["there is no token", "vault login"]);
    refuses(
        &plan("secret/restic#password", &[("VAULT_ADDR", "http://vault.example.org:8200"), ("VAULT_TOKEN", ROOT)]),
        &["plain text", "https://"],
    );
    client(&address, &["kv", "delete", "secret/restic"]);
    refuses(&plan("secret/restic#password", &root), &["deleted"]);
    drop(server);
    refuses(&plan("secret/restic#password", &root), &["does not answer", "Connection refused"]);
    refuses(&plan("secret/restic", &root), &["needs a path and a field"]);
}

#[test]
fn a_password_comes_from_the_kernels_keyring() {
    let place = Place::new();
    let name = format!("rekindle-test-{}", std::process::id());
    let password = format!("{{ keyring: {name} }}");
    refuses(&place.plan(&password, &[]), &["no such key", "keyctl padd user"]);
    let add = "printf '%s\\n' \"$1\" | keyctl padd user \"$2\" @u";
    let added = Command::new("sh").args(["-c", add, "sh", PASSWORD, &name]).output().unwrap();
    assert!(added.status.success(), "{}", said(&added));
    let planned = place.plan(&password, &[]);
    let unlinked = Command::new("keyctl").args(["unlink", &format!("%user:{name}"), "@u"]).output().unwrap();
    plans(&planned);
    assert!(unlinked.status.success(), "{}", said(&unlinked));
}
