use std::collections::HashMap;

use serde_json::Value;

use super::super::canonical::OF_THE_DIRECTORY;
use super::super::config::Ids;
use super::super::held::{self, HELD_BY, uses_of_flow};
use super::super::kinds::Kind;
use super::super::live::{Keycloak, is_user};
use super::creation::OTHER_REALM;
use super::directory::Directory;
use super::new_user::NewUser;
use super::renamed::Holders;
use super::same_name;
use super::standing::Standing;
use super::target::{field, text};
use super::{credential, document, policies, profile, user};
use crate::component::{Approved, Checked};
use crate::model::{ErrorKind, Fidelity, HunkAt, Op, PathStep, Result, TreePath, visible};

/// How many of those that use a flow are named.
const NAMED: usize = 5;

impl Keycloak {
    pub(super) async fn checked(&self, changes: &[Approved]) -> Vec<Result<Checked>> {
        let creates = |one: &Approved| is_user(&one.change.id.key) && one.live.is_none() && one.expected.is_some();
        let changes_user = |one: &Approved| is_user(&one.change.id.key) && one.expected.is_some();
        let makes_part = |one: &Approved| !is_user(&one.change.id.key) && one.live.is_none() && one.expected.is_some();
        let removes_flow = |one: &Approved| one.expected.is_none() && *one.change.id.kind == *Kind::Flow.name();
        let looks_on = |one: &Approved| changes_user(one) || is_client(one) || makes_part(one) || removes_flow(one);
        let view = match changes.iter().any(looks_on) {
            true => self.live.realm_for_names().await.ok(),
            false => None,
        };
        let is_lost = view.as_ref().is_some_and(|view| view.realm.is_none());
        let standing = view.filter(|view| view.realm.is_some()).map(Standing::new);
        let ids = self.live.http.config.ids;
        let (taken, mut other_names) = match &standing {
            Some(standing) => (self.taken_emails(changes, standing).await, self.other_names(changes, standing).await),
            None => (HashMap::new(), HashMap::new()),
        };
        if is_lost && ids != Ids::New {
            let settings = Kind::RealmSettings.id::<&str>(&[]);
            let made = changes.iter().position(|one| makes_part(one) && one.change.id == settings);
            if let Some((at, one)) = made.and_then(|at| Some((at, changes.get(at)?)))
                && let Some(why) = self.renamed_realm(document(&one.expected)).await
            {
                other_names.insert(at, format!("refused as it stands: {why}; {OTHER_REALM}"));
            }
        }
        let holders = standing.as_ref().filter(|_| ids != Ids::New).map(Holders::of);
        let check = |(at, one): (usize, &Approved)| {
            if takes_another_id(one) {
                let id = |side| text(document(side), "id");
                let error = same_name(&one.change.id, id(&one.live), id(&one.desired));
                return Err(match from_directory(one, standing.as_ref()) {
                    Some(directory) => directory.same_name(error),
                    None => error,
                });
            }
            let mut warnings = match &standing {
                Some(standing) if creates(one) => new_user(one, ids, standing),
                None if is_lost && creates(one) => vec![self.lost_realm()],
                _ => Vec::new(),
            };
            if is_user(&one.change.id.key) && one.live.is_some() && one.expected.is_some() {
                let taken = credential::labels_are_free(document(&one.live), document(&one.expected)).err();
                warnings.extend(taken.map(|error| format!("refused as it stands: {}", error.chain())));
                warnings.extend(replaced(one));
                let (_, stays) = credential::with_names_that_stay(document(&one.live), document(&one.expected));
                warnings.extend(stays.into_iter().map(|stays| stays.why));
                warnings.extend(standing.as_ref().and_then(|standing| not_taken(one, standing)));
                warnings.extend(from_directory(one, standing.as_ref()).iter().flat_map(|of| of_directory(one, of)));
                // Each says why of its own, and one is enough.
                if !warnings.iter().any(|warning| warning.starts_with("refused")) {
                    warnings.extend(standing.as_ref().and_then(|standing| not_written(one, standing)));
                }
            }
            warnings.extend(taken.get(&at).cloned());
            warnings.extend(other_names.get(&at).cloned());
            if let (None, Ok((kind, names))) = (&one.expected, Kind::of_id(&one.change.id)) {
                warnings.extend(held::warnings(kind, &names, field(document(&one.live), HELD_BY)));
                let used = standing.as_ref().filter(|_| removes_flow(one)).map_or_else(Vec::new, |standing| {
                    let alias = names.last().map_or("", String::as_str);
                    let goes =
                        |key: &TreePath| changes.iter().any(|one| one.expected.is_none() && one.change.id.key == *key);
                    let stays = standing.view().resources().filter(|(key, _)| !goes(key)).map(|(_, one)| one);
                    uses_of_flow(stays, alias)
                });
                if !used.is_empty() {
                    let used: Vec<_> = used.iter().take(NAMED).map(visible).collect();
                    warnings.push(format!("refused while it is used by {}", used.join(", ")));
                }
            }
            if let Some(holders) = holders.as_ref().filter(|_| makes_part(one)) {
                let names = Kind::of_id(&one.change.id).map(|(_, names)| names).unwrap_or_default();
                let holder = holders.holder(&one.change.id, document(&one.desired));
                warnings.extend(holder.map(|holder| holder.warning(names.last().map_or("", String::as_str))));
            }
            if let (true, Some(standing)) = (is_client(one), &standing) {
                warnings.extend(policies::changing_clients(standing).map(|names| {
                    format!("the realm's client policy {names} sets parts of each client that is written, whatever the backup holds")
                }));
            }
            Ok(Checked { warnings, ..Checked::default() })
        };
        changes.iter().enumerate().map(check).collect()
    }

    /// By the place of a change: that the e-mail which a user is to have is somebody else's.
    async fn taken_emails(&self, changes: &[Approved], standing: &Standing) -> HashMap<usize, String> {
        let email = |of: &Value| text(of, "email").map(str::to_lowercase);
        let wanted = changes.iter().enumerate().filter_map(|(at, one)| {
            let wanted = email(document(&one.expected)).filter(|_| is_user(&one.change.id.key))?;
            (email(document(&one.live)).as_ref() != Some(&wanted)).then_some((at, one, wanted))
        });
        let wanted: Vec<(usize, &Approved, String)> = wanted.collect();
        if wanted.is_empty() || standing.shares_emails() {
            return HashMap::new();
        }
        let emails: Vec<String> = wanted.iter().map(|(_, _, email)| email.clone()).collect();
        // What cannot be asked now is told by the write.
        let Ok(holders) = self.live.holders(standing.view(), &emails).await else { return HashMap::new() };
        let taken = wanted.into_iter().filter_map(|(at, one, email)| {
            let (id, name) = holders.get(&email)?;
            let own = text(document(&one.live), "id").or(text(document(&one.expected), "id"));
            let said = format!(
                "refused as it stands: its e-mail {} belongs to the user {}; change that user's e-mail before, or leave this one's out",
                visible(&email),
                visible(name)
            );
            (own != Some(id.as_str())).then_some((at, said))
        });
        taken.collect()
    }

    /// By the place of a change: that the id which a new user is to have is the one of somebody of another name.
    async fn other_names(&self, changes: &[Approved], standing: &Standing) -> HashMap<usize, String> {
        let id = |(at, one): (usize, &Approved)| {
            let is_new = is_user(&one.change.id.key) && one.live.is_none() && one.expected.is_some();
            Some((at, text(document(&one.expected), "id").filter(|_| is_new)?.to_owned()))
        };
        let wanted: Vec<(usize, String)> = changes.iter().enumerate().filter_map(id).collect();
        if wanted.is_empty() || self.live.http.config.ids == Ids::New {
            return HashMap::new();
        }
        // What cannot be asked now is told by the write.
        let ids: Vec<String> = wanted.iter().map(|(_, id)| id.clone()).collect();
        let Ok(names) = self.live.names_of(standing.view(), ids).await else { return HashMap::new() };
        let said = |(at, id): (usize, String)| {
            let name = visible(names.get(&id)?).into_owned();
            let said = format!(
                "refused as it stands: its id {} is the one of the user {name} here, perhaps the same one renamed; rename that \
                 one back and plan again, or leave out the hunk 'id' to make this one beside it",
                visible(&id)
            );
            Some((at, said))
        };
        wanted.into_iter().filter_map(said).collect()
    }

    /// A name that is misspelt looks like a realm that was lost.
    fn lost_realm(&self) -> String {
        let config = &self.live.http.config;
        let (realm, url) = (visible(&config.realm), visible(&config.url));
        format!("refused unless the realm is restored before: there is no realm '{realm}' at {url}")
    }
}

/// Whether the account that is there is to become another one's.
fn takes_another_id(one: &Approved) -> bool {
    let is_id = |hunk: &crate::model::Hunk| {
        let HunkAt::Field { path, .. } = &hunk.at else { return false };
        hunk.op == Op::Update && matches!(path.0.as_slice(), [PathStep::Field(name)] if name == "id")
    };
    one.change.hunks.iter().enumerate().any(|(at, hunk)| is_id(hunk) && one.takes(at))
}

/// No server tells the secret of a credential, so the one that is there now is gone once it is replaced.
fn replaced(one: &Approved) -> Option<String> {
    let is_taken = |hunk: &(usize, &crate::model::Hunk)| hunk.1.op != Op::Create && one.takes(hunk.0);
    let of_credential = |(_, hunk): (usize, &crate::model::Hunk)| {
        let HunkAt::Field { path, .. } = &hunk.at else { return None };
        let is_it = matches!(path.0.first(), Some(PathStep::Field(name)) if name == "credentials");
        (is_it && hunk.fidelity == Fidelity::Irreversible).then(|| hunk.words())
    };
    let lost: Vec<String> = one.change.hunks.iter().enumerate().filter(is_taken).filter_map(of_credential).collect();
    (!lost.is_empty()).then(|| format!("the present one is lost, an undo cannot bring it back: {}", lost.join(", ")))
}

fn is_client(one: &Approved) -> bool {
    one.expected.is_some() && matches!(Kind::of_id(&one.change.id), Ok((Kind::Client, _)))
}

/// Whether the user's own fields or credentials are written, which the server does in calls that look at all of them.
fn writes_itself(one: &Approved) -> bool {
    let (before, after) = (document(&one.live), document(&one.expected));
    let credentials = || field(before, "credentials") != field(after, "credentials");
    is_user(&one.change.id.key)
        && one.live.is_some()
        && one.expected.is_some()
        && (user::changes_profile(before, after) || credentials())
}

/// Why a change of a user is not written: mostly since it refers to what is not there.
fn not_written(one: &Approved, standing: &Standing) -> Option<String> {
    let (before, after) = (document(&one.live), document(&one.expected));
    let server_id = text(before, "id").unwrap_or_default();
    let error = user::calls(server_id, before, after, document(&one.desired), &Value::Null, standing).err()?;
    let unless = match error.kind() {
        ErrorKind::NotFound => "refused unless it is restored before",
        _ => "refused as it stands",
    };
    Some(format!("{unless}: {}", error.chain()))
}

/// Why the server will take no change of this user.
fn not_taken(one: &Approved, standing: &Standing) -> Option<String> {
    let refusals = profile::refusals(document(&one.expected), standing);
    let why = "refused as it stands: the realm's user profile does not take the user's";
    let what = "leave out profile and credentials to restore the rest, or mend the profile first";
    (writes_itself(one) && !refusals.is_empty()).then(|| format!("{why} {}; {what}", refusals.join(", ")))
}

fn from_directory<'a>(one: &'a Approved, standing: Option<&'a Standing>) -> Option<Directory<'a>> {
    Directory::of(document(&one.live), standing?)
}

/// What a directory does with a change of an account that comes from it.
fn of_directory(one: &Approved, directory: &Directory<'_>) -> Vec<String> {
    let (before, after) = (document(&one.live), document(&one.expected));
    let refused = directory.lets_change(before, after).err();
    let refused = refused.map(|error| format!("refused as it stands: {}", error.chain()));
    refused.into_iter().chain(directory.warnings(before, after)).collect()
}

/// What the server does not say when it takes a new user.
fn new_user(one: &Approved, ids: Ids, standing: &Standing) -> Vec<String> {
    let wanted = document(&one.expected);
    let mut warnings = Vec::new();
    if let Err(error) = NewUser::of(wanted, document(&one.desired), ids, standing) {
        warnings.push(format!("refused unless it is restored before: {}", error.chain()));
    }
    if let Some(directory) = Directory::of(wanted, standing) {
        warnings
            .push(format!("it stays only if {} knows the person: else the server removes it again", directory.shown()));
    }
    let attributes = field(wanted, "attributes").as_object();
    let hidden: Vec<String> = attributes
        .into_iter()
        .flatten()
        .filter(|(name, _)| !standing.keeps_attribute(name) && !OF_THE_DIRECTORY.contains(&name.as_str()))
        .map(|(name, _)| visible(name).into_owned())
        .collect();
    if !hidden.is_empty() {
        warnings
            .push(format!("stored and not shown, as the user profile names no such attribute: {}", hidden.join(", ")));
    }
    let lacking: Vec<String> =
        standing.required_attributes().filter(|name| is_lacking(wanted, name)).map(str::to_owned).collect();
    if !lacking.is_empty() {
        warnings.push(format!("the user profile asks for what this user has not: {}", lacking.join(", ")));
    }
    warnings
}

fn is_lacking(user: &Value, name: &str) -> bool {
    user.get(name).is_none() && field(user, "attributes").get(name).is_none()
}
