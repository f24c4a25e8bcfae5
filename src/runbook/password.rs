use super::fields::{Fields, argv};
use super::finding::{Finding, Findings};
use super::node::{Key, Node, Value};
use super::template::Template;
use crate::declared::Password;

const PLACES: &str = "env, file, command, input, vault or keyring";

/// Where a password is found, as a runbook says it.
pub(super) fn decode(key: &Key, node: &Node, findings: &mut Findings) -> Option<Password<Template>> {
    if matches!(node.value, Value::Text(_) | Value::Number(..)) {
        findings.push(Finding::error(key.span, "a password does not belong into a runbook").help(
            "write password: { env: RESTIC_PASSWORD }, { file: PATH }, { command: [PROGRAM, …] }, { input: NAME }, \
             { vault: PATH#FIELD } or { keyring: NAME }",
        ));
        return None;
    }
    let mut fields = Fields::of("a password", key.span, node, findings)?;
    let env = fields.text("env", findings).map(|env| Password::Env(env.value));
    let file = fields.template("file", findings).map(Password::File);
    let input = fields.text("input", findings).map(|name| Password::Input(Template::literal(name.value, name.span)));
    let command = fields.get("command").and_then(|node| argv(node, "command", findings)).map(Password::Command);
    let vault = fields.get("vault").and_then(|node| vault(node, findings)).map(Password::Vault);
    let keyring = fields.template("keyring", findings).map(Password::Keyring);
    let known = ["env", "file", "input", "command", "vault", "keyring"];
    let is_tried = known.into_iter().any(|name| fields.get(name).is_some());
    let mut given = [env, file, input, command, vault, keyring].into_iter().flatten();
    let (first, second) = (given.next(), given.next());
    if (!is_tried && fields.rest().next().is_none()) || second.is_some() {
        findings.push(
            Finding::error(key.span, "a password needs exactly one place to come from")
                .help(format!("give one of {PLACES}")),
        );
    }
    fields.finish(findings);
    first
}

fn vault(node: &Node, findings: &mut Findings) -> Option<Template> {
    let path = super::fields::template(node, "vault", findings)?;
    let is_wrong = path.literal_text().is_some_and(|text| split(text).is_none());
    if is_wrong {
        findings.push(
            Finding::error(node.span, "'vault' needs a path and a field, with '#' between them")
                .help("write it as in { vault: secret/backup/restic#password }"),
        );
    }
    Some(path)
}

/// A path in Vault and the field of the secret there.
pub fn split(text: &str) -> Option<(&str, &str)> {
    let (path, field) = text.rsplit_once('#')?;
    let path = path.trim_matches('/');
    let is_plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    (is_plain && !field.is_empty()).then_some((path, field))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_place_in_vault_is_a_path_and_a_field() {
        assert_eq!(split("secret/backup/restic#password"), Some(("secret/backup/restic", "password")));
        assert_eq!(split("/secret/a#b/#c"), Some(("secret/a#b", "c")));
        for wrong in ["secret/restic", "secret/restic#", "#password", "secret/../sys#x", "secret//a#b", ""] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }
}
