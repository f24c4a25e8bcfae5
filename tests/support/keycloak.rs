#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use rekindle::components::keycloak::Keycloak;
use rekindle::components::keycloak::config::{Config, Grant, Ids, Login};
use rekindle::model::Secret;
use serde_json::{Value, json};

/// A real Keycloak on a PostgreSQL of its own, for all tests of one process: starting one takes ten seconds. It ends
/// with the process, since it reads its orders from a pipe.
pub struct Server {
    pub port: u16,
    pub folder: PathBuf,
    orders: Mutex<Orders>,
}

struct Orders {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    _child: Child,
}

pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/services/keycloak.sh")
}

/// Another server on a database of its own, which answers by https too, with a certificate of an authority of its own.
pub fn other() -> &'static (Server, Authority) {
    static OTHER: OnceLock<(Server, Authority)> = OnceLock::new();
    OTHER.get_or_init(|| {
        let authority = Authority::make();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server::start_with(&[
            ("KC_HTTPS_CERTIFICATE_FILE", authority.folder.join("server.pem").display().to_string()),
            ("KC_HTTPS_CERTIFICATE_KEY_FILE", authority.folder.join("server.key").display().to_string()),
            ("KC_HTTPS_PORT", port.to_string()),
        ]);
        (server, Authority { port, ..authority })
    })
}

/// Certificates made by openssl: `ca.pem`, which signed `server.pem`, and `stranger.pem`, which signed nothing.
pub struct Authority {
    pub folder: PathBuf,
    port: u16,
}

impl Authority {
    fn make() -> Self {
        let folder = tempfile::Builder::new().prefix("rekindle-ca-").tempdir().unwrap().keep();
        let call = |words: &str| {
            let done = Command::new("openssl").args(words.split(' ')).current_dir(&folder).output().unwrap();
            assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
        };
        for authority in ["ca", "stranger"] {
            call(&format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={authority} -keyout {authority}.key -out {authority}.pem"
            ));
        }
        call("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr");
        std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n").unwrap();
        call(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        Self { folder, port: 0 }
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(settings: &[(&str, String)]) -> Self {
        let folder = tempfile::Builder::new().prefix("rekindle-keycloak-").tempdir().unwrap().keep();
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (port, database) = (port(), port());
        let mut child = Command::new(script())
            .args(["serve", &port.to_string()])
            .arg(&folder)
            .arg(database.to_string())
            .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let server = Self { port, folder, orders: Mutex::new(Orders { to, from, _child: child }) };
        server.await_word("ready");
        server
    }

    fn await_word(&self, word: &str) {
        let mut orders = self.orders.lock().unwrap();
        let mut line = String::new();
        orders.from.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), word, "the server said something else");
    }

    fn order(&self, order: &str, answer: &str) {
        writeln!(self.orders.lock().unwrap().to, "{order}").unwrap();
        self.await_word(answer);
    }

    /// As when its machine loses power. Nobody else may be using the server then.
    pub fn kill(&self) {
        self.order("kill", "killed");
    }

    /// In order, as for an import beside nothing.
    pub fn stop(&self) {
        self.order("stop", "stopped");
    }

    pub fn start_again(&self) {
        self.order("start", "ready");
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn config(&self, realm: &str) -> Config {
        let password = Secret::new("admin");
        Config {
            url: self.url(),
            realm: realm.to_owned(),
            login: Login {
                realm: "master".to_owned(),
                client: "admin-cli".to_owned(),
                grant: Grant::Password { username: "admin".to_owned(), password },
            },
            ca: None,
            proxy: None,
            insecure: false,
            ids: Ids::Keep,
            leave: Vec::new(),
        }
    }

    pub fn component(&self, realm: &str) -> Keycloak {
        Keycloak::new(self.config(realm)).unwrap()
    }

    /// Done to its database, behind its back.
    pub fn sql(&self, statement: &str) {
        let database = std::fs::read_to_string(self.folder.join("database-port")).unwrap();
        let psql =
            ["-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "keycloak", "keycloak", "-p", database.trim()];
        let done = Command::new("psql").args(psql).args(["-c", statement]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// By its own `kc.sh export`, beside the running server.
    pub fn export(&self, realm: &str, users_a_file: &str) -> tempfile::TempDir {
        let into = tempfile::tempdir().unwrap();
        let to = if users_a_file == "single" { into.path().join("realm.json") } else { into.path().to_owned() };
        let done = Command::new(script()).arg("export").arg(&self.folder).arg(realm).arg(to).arg(users_a_file).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        into
    }
}

/// The server's own administrator, behind the component's back.
pub struct Admin {
    client: reqwest::Client,
    url: String,
    token: tokio::sync::Mutex<Option<(String, Instant)>>,
}

impl Admin {
    pub fn new(server: &Server) -> Self {
        Self { client: reqwest::Client::new(), url: server.url(), token: tokio::sync::Mutex::new(None) }
    }

    async fn token(&self) -> String {
        let mut held = self.token.lock().await;
        if let Some((token, got)) = held.as_ref()
            && got.elapsed() < Duration::from_secs(40)
        {
            return token.clone();
        }
        let form =
            [("grant_type", "password"), ("client_id", "admin-cli"), ("username", "admin"), ("password", "admin")];
        let url = format!("{}/realms/master/protocol/openid-connect/token", self.url);
        let answer: Value = self.client.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        *held = Some((token.clone(), Instant::now()));
        token
    }

    /// Below `/admin/realms`. The status, and the body if it is JSON. While other tests write, a transaction of the
    /// server can lose against theirs in its database, which it answers with 500: such a call is sent again.
    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        for pause in [100, 400, 1600] {
            let answer = self.call_once(method.clone(), path, body.as_ref()).await;
            if answer.0 != 500 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.call_once(method, path, body.as_ref()).await
    }

    async fn call_once(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/admin/realms{path}", self.url);
        let mut request = self.client.request(method, url).bearer_auth(self.token().await);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(reqwest::Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// What must be taken by the server.
    pub async fn done(&self, method: reqwest::Method, path: &str, body: Value) {
        let (status, answer) = self.call(method.clone(), path, Some(body)).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    }

    /// Makes a realm anew.
    pub async fn make_realm(&self, representation: &Value) {
        let name = representation["realm"].as_str().unwrap();
        self.remove_realm(name).await;
        self.done(reqwest::Method::POST, "", representation.clone()).await;
    }

    pub async fn remove_realm(&self, name: &str) {
        let (status, answer) = self.call(reqwest::Method::DELETE, &format!("/{name}"), None).await;
        assert!(matches!(status, 204 | 404), "{status} {answer}");
    }

    /// Whether a person logs in with a password, as any application asks.
    pub async fn logs_in(&self, realm: &str, username: &str, password: &str) -> bool {
        self.logs_in_with(realm, username, password, None).await
    }

    /// The same with a one-time code.
    pub async fn logs_in_with(&self, realm: &str, username: &str, password: &str, code: Option<&str>) -> bool {
        let mut form = vec![
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", username),
            ("password", password),
        ];
        form.extend(code.map(|code| ("totp", code)));
        let url = format!("{}/realms/{realm}/protocol/openid-connect/token", self.url);
        self.client.post(url).form(&form).send().await.unwrap().status().is_success()
    }

    /// What an application is given that asks with a person's password.
    pub async fn token_of(&self, realm: &str, client: &str, username: &str, password: &str) -> String {
        let form = [("grant_type", "password"), ("client_id", client), ("username", username), ("password", password)];
        let url = format!("{}/realms/{realm}/protocol/openid-connect/token", self.url);
        let answer: Value = self.client.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// The name of a credential, of the user at `at`.
    pub async fn rename_credential(&self, at: &str, id: &str, name: &str) {
        let url = format!("{}/admin/realms{at}/credentials/{id}/userLabel", self.url);
        let request = self.client.put(url).bearer_auth(self.token().await).header("Content-Type", "text/plain");
        assert_eq!(request.body(name.to_owned()).send().await.unwrap().status().as_u16(), 204);
    }

    /// The status that somebody else's token is answered with, below `/admin/realms`.
    pub async fn status_for(&self, token: &str, path: &str) -> u16 {
        let url = format!("{}/admin/realms{path}", self.url);
        self.client.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    }

    pub async fn id_of(&self, realm: &str, username: &str) -> String {
        let found = self.client.get(format!("{}/admin/realms/{realm}/users", self.url));
        let found = found.query(&[("username", username), ("exact", "true")]).bearer_auth(self.token().await);
        let found: Value = found.send().await.unwrap().json().await.unwrap();
        found[0]["id"].as_str().unwrap_or_else(|| panic!("no user {username}")).to_owned()
    }
}

/// The code that a telephone shows now, for a secret that the server keeps as this text: RFC 6238, six digits.
pub fn one_time_code(secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let step = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 30;
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes([hash[at] & 127, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// A password hash as the server makes them, of `secret`, so that thousands of users need no hashing. PBKDF2 with one
/// iteration: a login proves it, and costs nothing.
pub fn hashed_password(created: i64) -> Value {
    json!({
        "type": "password", "createdDate": created,
        // PBKDF2-HMAC-SHA256 of "secret", 64 bytes, salt "0123456789abcdef".
        "secretData": json!({"value": HASH, "salt": "MDEyMzQ1Njc4OWFiY2RlZg==", "additionalParameters": {}}).to_string(),
        "credentialData": json!({"hashIterations": 1, "algorithm": "pbkdf2-sha256", "additionalParameters": {}}).to_string()
    })
}

const HASH: &str = include_str!("keycloak_hash.txt");

/// A realm of everything: nested groups with awkward names, composite roles, clients with secrets and service
/// accounts, an identity provider with linked users, an OTP, Unicode, an e-mail as username; and as many users more.
pub fn realm_of_everything(name: &str, more: usize) -> Value {
    let default = format!("default-roles-{name}");
    let mut users = vec![
        json!({"username": "ana", "email": "ana@example.org", "emailVerified": true, "enabled": true, "firstName": "Ana",
            "lastName": "Ñandú", "attributes": {"dept": ["it", "hr"]}, "groups": ["/staff/admins"],
            "realmRoles": ["dev", default], "clientRoles": {"app": ["read"]}, "createdTimestamp": 1_700_000_000_123_i64,
            "credentials": [hashed_password(1_700_000_000_456)], "requiredActions": ["UPDATE_PROFILE"],
            "federatedIdentities": [{"identityProvider": "hub", "userId": "123", "userName": "ana-at-hub"}],
            "clientConsents": [{"clientId": "app", "grantedClientScopes": ["email", "profile"]}]}),
        json!({"username": "bob+x@example.org", "email": "bob+x@example.org", "enabled": true, "realmRoles": [default],
            "credentials": [hashed_password(1_700_000_001_000), {"type": "otp", "userLabel": "phone",
                "createdDate": 1_700_000_001_500_i64, "secretData": "{\"value\":\"JBSWY3DPEHPK3PXP\"}",
                "credentialData": "{\"subType\":\"totp\",\"digits\":6,\"counter\":0,\"period\":30,\"algorithm\":\"HmacSHA1\"}"}]}),
        json!({"username": "with space", "enabled": false, "realmRoles": [default], "groups": ["/guests"]}),
        json!({"username": "зоя", "enabled": true, "firstName": "Зоя", "realmRoles": [default]}),
    ];
    users.extend((0..more).map(|at| user(at, &default)));
    json!({
        "realm": name, "enabled": true, "organizationsEnabled": true, "internationalizationEnabled": true,
        "supportedLocales": ["de", "en"], "defaultLocale": "en", "localizationTexts": {"de": {"hello": "Hallo"}},
        "smtpServer": {"from": "a@example.org", "host": "mail", "user": "u", "password": "smtp-secret", "auth": "true"},
        "roles": {
            "realm": [{"name": "dev", "attributes": {"level": ["1", "2"]}}, {"name": "all devs & ops", "composite": true,
                "composites": {"realm": ["dev"], "client": {"app": ["read"]}}}],
            "client": {"app": [{"name": "read"}, {"name": "write", "composite": true, "composites": {"client": {"app": ["read"]}}}]}},
        "groups": [{"name": "staff", "attributes": {"x": ["1"]}, "realmRoles": ["dev"], "clientRoles": {"app": ["read"]},
            "subGroups": [{"name": "admins", "subGroups": [{"name": "night"}]}, {"name": "r/d"}]}, {"name": "guests"}],
        "defaultGroups": ["/guests"],
        "clients": [{"clientId": "app", "secret": "app-secret", "serviceAccountsEnabled": true, "publicClient": false,
            "redirectUris": ["https://app.example.org/*"], "attributes": {"own": "1"}, "protocolMappers": [{"name": "m1",
                "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
                "config": {"claim.name": "x", "claim.value": "y"}}]}],
        "identityProviders": [{"alias": "hub", "providerId": "oidc", "enabled": true, "config": {"clientId": "c",
            "clientSecret": "hub-secret", "authorizationUrl": "https://hub.example.org/a", "tokenUrl": "https://hub.example.org/t"}}],
        "identityProviderMappers": [{"name": "im", "identityProviderAlias": "hub",
            "identityProviderMapper": "oidc-user-attribute-idp-mapper",
            "config": {"syncMode": "INHERIT", "claim": "c", "user.attribute": "u"}}],
        "users": users
    })
}

/// One of many: a hash, two groups, two roles and the default one.
pub fn user(at: usize, default_role: &str) -> Value {
    // Ids are unique in a whole database, over all its realms.
    let realm = default_role.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    let created = 1_600_000_000_000_i64 + i64::try_from(at).unwrap() * 1000;
    json!({
        "id": format!("{realm:08x}-0000-4000-8000-{at:012}"), "username": format!("user{at:05}"),
        "email": format!("user{at:05}@example.org"), "emailVerified": true, "enabled": true, "firstName": "User",
        "lastName": format!("Number {at}"), "createdTimestamp": created, "credentials": [hashed_password(created)],
        "attributes": {"badge": [format!("{}", at * 7)]}, "groups": ["/staff", "/guests"],
        "realmRoles": ["dev", default_role], "clientRoles": {"app": ["read"]}
    })
}
