use serde_json::Value;

use super::super::kinds::Kind;
use super::standing::Standing;
use super::target::{field, text};
use crate::model::{Error, ErrorKind, Known, visible};

/// Names of the living realm's client policies that set parts of each client that anybody writes, an administrator too.
pub(super) fn changing_clients(standing: &Standing) -> Option<String> {
    let held = standing.document(&Kind::ClientPolicies.id::<&str>(&[]).key)?;
    let list = |name: &str| field(held, name).as_array().map_or(&[][..], Vec::as_slice);
    let is_on = |policy: &&Value| field(policy, "enabled").as_bool() == Some(true);
    let sets = |name: &Value| {
        let own = list("profiles").iter().find(|profile| profile.get("name") == Some(name));
        // The server's own profiles are in no list; all that they ask for they set.
        own.is_none_or(|profile| field(profile, "executors").as_array().into_iter().flatten().any(sets_itself))
    };
    let changes = |policy: &&Value| field(policy, "profiles").as_array().is_some_and(|all| all.iter().any(sets));
    let names: Vec<String> = list("policies")
        .iter()
        .filter(|policy| is_on(policy) && changes(policy))
        .filter_map(|policy| Some(visible(text(policy, "name")?).into_owned()))
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn sets_itself(executor: &Value) -> bool {
    let set = field(field(executor, "configuration"), "auto-configure");
    set.as_bool() == Some(true) || set.as_str() == Some("true")
}

/// Of a client that a policy has changed while it was written.
pub(super) fn changed(names: &str, place: &str) -> Error {
    let why = format!("the realm's client policy {names} set it otherwise as it was written: its {place}");
    Error::new(ErrorKind::Refused, "write the client as the backup has it", why)
        .known(Known::Unknown)
        .next("disable that policy and retry, or take the client as the policy wants it and leave that out")
}
