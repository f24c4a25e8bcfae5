use crate::model::Result;
use crate::runbook::fields::{Fields, template};
use crate::runbook::finding::{Finding, Findings};
use crate::runbook::node::{Key, Node};
use crate::runbook::password::Password;
use crate::runbook::template::Template;

pub(super) const QUESTIONS: &[&str] = &["login", "count", "user-exists"];

/// `{ keycloak: https://id.example.org, realm: staff, login: { client: rekindle, secret: { env: SECRET } } }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeycloakSettings<Text> {
    /// The server's address, with its path if it has one.
    pub url: Text,
    pub realm: Text,
    pub login: KeycloakLogin<Text>,
    /// A file of certificates to trust besides the system's.
    pub ca: Option<Text>,
    pub proxy: Option<Text>,
    pub ids: KeycloakIds,
    /// Fields of users that are neither compared nor restored.
    pub leave: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeycloakLogin<Text> {
    /// The realm that knows the client; without it the one that is restored.
    pub realm: Option<Text>,
    /// Without it `admin-cli`, which every realm has.
    pub client: Option<Text>,
    /// Whose password it is; without it the secret is the client's own.
    pub user: Option<Text>,
    pub secret: Password<Text>,
}

/// What a user of the same name and another id is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeycloakIds {
    /// A conflict.
    #[default]
    Keep,
    /// The same one; who is missing is created with the id of the backup.
    Accept,
    /// The same one; who is missing is created with a new id.
    New,
}

impl KeycloakSettings<Template> {
    pub(super) fn decode(key: &Key, url: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<Self> {
        let url = template(url, "keycloak", findings);
        fields.require("realm", findings);
        let realm = fields.template("realm", findings);
        let login = fields.require("login", findings).and_then(|node| login(key, node, findings));
        let ids = [("keep", KeycloakIds::Keep), ("accept", KeycloakIds::Accept), ("new", KeycloakIds::New)];
        let made = Self {
            ca: fields.template("ca", findings),
            proxy: fields.template("proxy", findings),
            ids: fields.choice("ids", &ids, findings).unwrap_or_default(),
            leave: fields.texts("leave", findings).into_iter().map(|name| name.value).collect(),
            url: url?,
            realm: realm?,
            login: login?,
        };
        Some(made)
    }

    pub(super) fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<KeycloakSettings<String>> {
        let maybe = |template: &Option<Template>| template.as_ref().map(text).transpose();
        Ok(KeycloakSettings {
            url: text(&self.url)?,
            realm: text(&self.realm)?,
            login: KeycloakLogin {
                realm: maybe(&self.login.realm)?,
                client: maybe(&self.login.client)?,
                user: maybe(&self.login.user)?,
                secret: self.login.secret.fill(text)?,
            },
            ca: maybe(&self.ca)?,
            proxy: maybe(&self.proxy)?,
            ids: self.ids,
            leave: self.leave.clone(),
        })
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        let login = &self.login;
        let maybe = [&login.realm, &login.client, &login.user, &self.ca, &self.proxy];
        let all = [&self.url, &self.realm].into_iter().chain(maybe.into_iter().flatten());
        all.chain(login.secret.templates()).collect()
    }
}

fn login(key: &Key, node: &Node, findings: &mut Findings) -> Option<KeycloakLogin<Template>> {
    let mut fields = Fields::of("a login", key.span, node, findings)?;
    let realm = fields.template("realm", findings);
    let client = fields.template("client", findings);
    let user = fields.template("user", findings);
    let [of_user, of_client] = ["password", "secret"].map(|name| fields.entry(name));
    let given = match (of_user, of_client, &user, &client) {
        (Some(entry), None, Some(_), _) | (None, Some(entry), None, Some(_)) => Some(entry),
        _ => {
            findings.push(
                Finding::error(fields.span, "a login needs a user with a password, or a client with a secret")
                    .help("write login: { client: NAME, secret: { env: … } } or { user: NAME, password: { env: … } }"),
            );
            None
        }
    };
    let secret = given.and_then(|(key, node)| Password::decode(key, node, findings));
    fields.finish(findings);
    Some(KeycloakLogin { realm, client, user, secret: secret? })
}
