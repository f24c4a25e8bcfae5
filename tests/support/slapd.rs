use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A real LDAP server of a few people; it ends with this.
pub struct Slapd {
    port: u16,
    child: Child,
    orders: Option<ChildStdin>,
}

const PEOPLE: &str =
    "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n
dn: ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\nou: people\n
dn: ou=teams,dc=example,dc=org\nobjectClass: organizationalUnit\nou: teams\n
dn: uid=lena,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: lena\ncn: Lena\nsn: Lind
mail: lena@example.org\nemployeeNumber: E-1\nuserPassword: lenas\n
dn: uid=max,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: max\ncn: Max\nsn: Moll
mail: max@example.org\nuserPassword: maxens\n
dn: cn=astronomers,ou=teams,dc=example,dc=org\nobjectClass: groupOfNames\ncn: astronomers
member: uid=lena,ou=people,dc=example,dc=org\nmember: uid=max,ou=people,dc=example,dc=org\n";

impl Slapd {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("rekindle-slapd-").tempdir().unwrap().keep();
        std::fs::write(folder.join("people.ldif"), PEOPLE).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/slapd.sh");
        let mut child = Command::new(script)
            .args(["serve", &port.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready");
        let orders = child.stdin.take();
        Self { port, child, orders }
    }

    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    fn call(&self, program: &str, words: &[&str], input: &str) -> String {
        let login = ["-x", "-H", &self.url(), "-D", "cn=admin,dc=example,dc=org", "-w", "admin"];
        let mut child =
            Command::new(program).args(login).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{program}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// As the directory's own people do it.
    pub fn set(&self, uid: &str, attribute: &str, value: &str) {
        let change = format!(
            "dn: uid={uid},ou=people,dc=example,dc=org\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n"
        );
        self.call("ldapmodify", &[], &change);
    }

    pub fn remove(&self, uid: &str) {
        self.call("ldapdelete", &[&format!("uid={uid},ou=people,dc=example,dc=org")], "");
    }

    pub fn get(&self, uid: &str, attribute: &str) -> Option<String> {
        let words = ["-LLL", "-b", "dc=example,dc=org", &format!("(uid={uid})"), attribute];
        let found = self.call("ldapsearch", &words, "");
        let value = |line: &str| line.strip_prefix(attribute)?.strip_prefix(": ").map(str::to_owned);
        found.lines().find_map(value)
    }

    /// Now, and whoever asks it afterwards is refused.
    pub fn stop(&mut self) {
        drop(self.orders.take());
        self.child.wait().unwrap();
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}
