use super::fields::{Fields, list, template, wrong_type};
use super::finding::{Finding, Findings, Placed, Span};
use super::node::{Key, Node, Value};
use super::password;
use super::template::Template;
use crate::adapter::Password;
use crate::model::{OwnersBy, Result};

/// What is read from: a store with a format, or another live component. `Text` is a [`Template`] in a
/// runbook and a `String` once the inputs are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<Text = Template> {
    pub name: String,
    pub span: Span,
    pub from: SourceFrom<Text>,
    pub format: Format,
    /// For documents: the field that names a document's owner; without it the file's stem does.
    pub owner: Option<String>,
    /// By what its files get their owners.
    pub owners_by: OwnersBy,
    /// For an export: its folder or file in the store; without it the store's root.
    pub export: Option<Text>,
    /// Of an export that holds several: which.
    pub realm: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceFrom<Text> {
    Directory(Text),
    Tar(Text),
    Restic(Restic<Text>),
    Component(Placed<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restic<Text> {
    /// A local path, `rest:…` or `s3:…`.
    pub repository: Text,
    pub password: Option<Password<Text>>,
    /// An id or `latest`.
    pub snapshot: Option<Text>,
    pub host: Option<Text>,
    pub path: Option<Text>,
    pub tag: Option<Text>,
    /// The newest that is not later than this time.
    pub before: Option<Text>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Files,
    Documents,
    KeycloakExport,
}

const STORES: [&str; 4] = ["restic", "tar", "directory", "component"];

impl Source {
    pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        let mut fields = Fields::of("a source", key.span, node, findings)?;
        let stores = STORES.map(|store| fields.get(store));
        let given: Vec<&Node> = stores.iter().flatten().copied().collect();
        if given.len() != 1 {
            let at = given.get(1).map_or(key.span, |node| node.span);
            let near = fields.rest().find_map(|(key, _)| super::near::nearest(&key.name, STORES));
            findings.push(
                Finding::error(at, format!("the source '{}' needs exactly one place to read from", key.name))
                    .help("give one of restic, tar, directory or component")
                    .maybe_help(near.map(|near| format!("did you mean '{near}'?"))),
            );
        }
        let from = match stores {
            [Some(node), ..] => restic(node, &mut fields, findings).map(SourceFrom::Restic),
            [_, Some(node), ..] => template(node, "tar", findings).map(SourceFrom::Tar),
            [_, _, Some(node), _] => template(node, "directory", findings).map(SourceFrom::Directory),
            [_, _, _, Some(node)] => super::fields::text(node, "component", findings).map(SourceFrom::Component),
            _ => None,
        };
        let formats =
            [("files", Format::Files), ("documents", Format::Documents), ("keycloak-export", Format::KeycloakExport)];
        let format = fields.choice("format", &formats, findings);
        let owner = fields.text("owner", findings).map(|owner| owner.value);
        let owners = fields.entry("owners").map(|(key, _)| key.span);
        let by = [("names", OwnersBy::Names), ("numbers", OwnersBy::Numbers)];
        let owners_by = fields.choice("owners", &by, findings);
        let has_names = matches!(from, None | Some(SourceFrom::Tar(_) | SourceFrom::Restic(_)));
        if let (Some(at), Some(OwnersBy::Names), false) = (owners, owners_by, has_names) {
            findings.push(
                Finding::error(at, "a directory and a live system hold numbers of owners, no names")
                    .help("leave 'owners' out: what they hold goes by number"),
            );
        }
        let export = fields.template("export", findings);
        let realm = fields.template("realm", findings);
        if !given.is_empty() {
            fields.finish(findings);
        }
        let format = format.unwrap_or_default();
        let owners_by = owners_by.unwrap_or_default();
        Some(Self { name: key.name.clone(), span: key.span, from: from?, format, owner, owners_by, export, realm })
    }

    pub fn fill(&self, text: &dyn Fn(&Template) -> Result<String>) -> Result<Source<String>> {
        let maybe = |template: &Option<Template>| template.as_ref().map(text).transpose();
        let from = match &self.from {
            SourceFrom::Directory(path) => SourceFrom::Directory(text(path)?),
            SourceFrom::Tar(path) => SourceFrom::Tar(text(path)?),
            SourceFrom::Component(name) => SourceFrom::Component(name.clone()),
            SourceFrom::Restic(restic) => SourceFrom::Restic(Restic {
                repository: text(&restic.repository)?,
                password: restic.password.as_ref().map(|password| password.fill(text)).transpose()?,
                snapshot: maybe(&restic.snapshot)?,
                host: maybe(&restic.host)?,
                path: maybe(&restic.path)?,
                tag: maybe(&restic.tag)?,
                before: maybe(&restic.before)?,
            }),
        };
        Ok(Source {
            name: self.name.clone(),
            span: self.span,
            from,
            format: self.format,
            owner: self.owner.clone(),
            owners_by: self.owners_by,
            export: maybe(&self.export)?,
            realm: maybe(&self.realm)?,
        })
    }

    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut found: Vec<&Template> = self.export.iter().chain(&self.realm).collect();
        found.extend(match &self.from {
            SourceFrom::Directory(path) | SourceFrom::Tar(path) => vec![path],
            SourceFrom::Component(_) => Vec::new(),
            SourceFrom::Restic(restic) => {
                let password = restic.password.as_ref().map_or(&[][..], Password::texts);
                let choice = [&restic.snapshot, &restic.host, &restic.path, &restic.tag, &restic.before];
                std::iter::once(&restic.repository).chain(choice.into_iter().flatten()).chain(password).collect()
            }
        });
        found
    }
}

fn restic(node: &Node, fields: &mut Fields, findings: &mut Findings) -> Option<Restic<Template>> {
    let repository = template(node, "restic", findings);
    let password = fields.entry("password").and_then(|(key, node)| password::decode(key, node, findings));
    let restic = Restic {
        snapshot: fields.template("snapshot", findings),
        host: fields.template("host", findings),
        path: fields.template("path", findings),
        tag: fields.template("tag", findings),
        before: fields.template("before", findings),
        password,
        repository: repository?,
    };
    Some(restic)
}

/// A list of arguments; a single text is refused, for it would have to be split.
pub(super) fn argv(node: &Node, name: &str, findings: &mut Findings) -> Option<Vec<Template>> {
    if matches!(node.value, Value::Text(_)) {
        findings.push(
            wrong_type(node, name, "a list of arguments").help("write each argument apart, as in [pass, show, restic]"),
        );
        return None;
    }
    let argv: Vec<Template> =
        list(node, name, findings).iter().filter_map(|node| template(node, "argument", findings)).collect();
    if argv.is_empty() && matches!(&node.value, Value::List(nodes) if nodes.is_empty()) {
        findings.error(node.span, format!("'{name}' names no program"));
    }
    Some(argv)
}
