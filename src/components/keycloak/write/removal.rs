use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::always_shown::is_of_every_realm;
use super::super::held::{people_in, uses_of_flow};
use super::super::kinds::Kind;
use super::super::live::{Keycloak, RealmView};
use super::call::Call;
use super::claims;
use super::execute::{execute, for_each, of};
use super::planned::{Planned, Terms};
use super::resource::{delete_call, link_calls, raw_paths};
use super::resources::Failed;
use super::standing::Standing;
use super::target::Target;
use super::users::Answers;
use crate::component::{Approved, Effect};
use crate::model::{Error, ErrorKind, Known, Result, TreePath, visible};

/// How many of the things that stand in the way are named.
const NAMED: usize = 5;

impl Keycloak {
    /// What goes, backwards: each before what it lies in.
    pub(super) async fn remove_all(
        &self,
        removals: &[Planned<'_>],
        writes: &[Planned<'_>],
        standing: &mut Standing,
        failed: &mut Failed,
    ) {
        let goes = removals.iter().any(|plan| !plan.is_done(standing));
        let view = match goes.then_some(self.live.realm_now()) {
            Some(read) => read.await.unwrap_or_else(|_| standing.view().clone()),
            None => standing.view().clone(),
        };
        let (accounts, others): (Vec<_>, Vec<_>) =
            removals.iter().rev().partition(|plan| plan.kind == Kind::ServiceAccount);
        for plan in others.into_iter().filter(|plan| !plan.is_done(standing)).collect::<Vec<_>>() {
            match self.remove_one(plan, standing, &view).await {
                Ok(()) => standing.note_gone(&plan.kind.id(&plan.names)),
                Err(error) => {
                    failed.insert(plan.at, of(&plan.approved.change.id, error));
                }
            }
        }
        // A service account is a part of its client: it goes with it, or with the client's right to have one.
        for plan in accounts.into_iter().filter(|plan| !plan.is_done(standing)).collect::<Vec<_>>() {
            let is_its_client = |other: &&Planned<'_>| other.kind == Kind::Client && other.names == plan.names;
            let ends =
                |client: &&Planned<'_>| client.to.get("serviceAccountsEnabled").and_then(Value::as_bool) != Some(true);
            let client = removals.iter().find(is_its_client).or(writes.iter().find(is_its_client).filter(ends));
            match client.map(|client| failed.get(&client.at)) {
                Some(None) => standing.note_gone(&plan.kind.id(&plan.names)),
                Some(Some(error)) => {
                    let error = for_each(&plan.approved.change.id, error);
                    failed.insert(plan.at, error);
                }
                None => {
                    let error = delete_call(plan.kind, &plan.names, standing).err();
                    failed.extend(error.map(|error| (plan.at, of(&plan.approved.change.id, error))));
                }
            }
        }
    }

    async fn remove_one(&self, plan: &Planned<'_>, standing: &Standing, view: &RealmView) -> Result<()> {
        let http = &self.live.http;
        http.still_held().await?;
        if let (Kind::Flow, Some(alias)) = (plan.kind, plan.names.last()) {
            // What used it and went before it uses it no more.
            let left = view.resources().filter(|(key, _)| standing.has(key)).map(|(_, one)| one);
            is_unused(&uses_of_flow(left, alias))?;
        }
        let names: Vec<&str> = plan.names.iter().map(String::as_str).collect();
        if plan.kind == Kind::Organization {
            let alias = names.last().copied().unwrap_or_default();
            claims::organization_is_nobodys_home(http, standing.id(plan.kind, &names)?, alias).await?;
        }
        let held = Value::Object(self.live.held_by(view, plan.kind, &plan.names).await?);
        nobody_else_holds(&held, &plan.held_before)?;
        let calls = match plan.kind {
            // A realm always has these lists: without them it has them empty.
            Kind::ClientPolicies => {
                let mut raw = Vec::new();
                for path in raw_paths(plan.kind, &plan.names, standing)? {
                    raw.push(http.get(&path, &[]).await?);
                }
                let to = json!({});
                let target = Target { to: &to, ..plan.target(&raw, standing) };
                link_calls(&target)?.into_iter().rev().collect()
            }
            kind => vec![delete_call(kind, &plan.names, standing)?],
        };
        execute(http, calls).await.map(|_| ())
    }

    /// A realm that was made goes as a whole, if all that is in it is to go and nobody lives in it. `None`: it is not
    /// about the realm as a whole.
    pub(super) async fn remove_realm_with(
        &self,
        standing: &Standing,
        changes: &[(usize, &Approved)],
    ) -> Option<(Standing, Answers)> {
        let all_go = changes.iter().all(|(_, one)| one.expected.is_none());
        let settings = Kind::RealmSettings.id::<&str>(&[]);
        let has_settings = changes.iter().any(|(_, one)| one.change.id.key == settings.key && one.expected.is_none());
        if !standing.is_there() && all_go {
            return Some((standing.clone(), changes.iter().map(|(at, _)| (*at, Ok(Effect::default()))).collect()));
        }
        if !has_settings {
            return None;
        }
        let may_go = match self.may_go(standing, changes).await {
            Ok(()) => self.live.http.still_held().await,
            Err(error) => Err(error),
        };
        let done = match may_go {
            Ok(()) => execute(&self.live.http, vec![Call::delete("")]).await.map(|_| ()),
            Err(error) => Err(error),
        };
        let answer = |one: &Approved| match &done {
            Ok(()) => Ok(Effect::default()),
            Err(error) => Err(for_each(&one.change.id, error)),
        };
        let answers = changes.iter().map(|(at, one)| (*at, answer(one))).collect();
        let now = self.live.realm_now().await.map_or_else(|_| standing.clone(), Standing::new);
        Some((now, answers))
    }

    async fn may_go(&self, standing: &Standing, changes: &[(usize, &Approved)]) -> Result<()> {
        let refused = |why: String| {
            Error::new(ErrorKind::Conflict, "remove the realm with all that is in it", why)
                .next("look at what came since; remove the realm in the admin console if none of it is wanted")
        };
        if changes.iter().any(|(_, one)| one.expected.is_some()) {
            return Err(refused("other changes of it are to be written".to_owned()));
        }
        let terms = Terms { schema: &self.schema, keeps_ids: true, again: false, is_whole: false };
        for (at, one) in changes {
            Planned::of(*at, one, standing, terms).map_err(|error| refused(error.chain()))?;
        }
        let going: BTreeSet<&TreePath> = changes.iter().map(|(_, one)| &one.change.id.key).collect();
        let stays: Vec<String> = standing
            .view()
            .resources()
            .filter(|(key, one)| {
                !going.contains(key)
                    && document_is_something(&one.document)
                    && !is_of_every_realm(key)
                    && !comes_with_its_client(key, &going)
            })
            .map(|(key, _)| key.to_string())
            .collect();
        if !stays.is_empty() {
            let named = stays.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            return Err(refused(format!("{} things in it were not made by this restore: {named}", stays.len())));
        }
        let people = self.live.http.count("/users/count").await?;
        match people {
            0 => Ok(()),
            1 => Err(refused("1 user lives in it".to_owned())),
            more => Err(refused(format!("{more} users live in it"))),
        }
    }
}

/// That a removal takes nothing from anybody whom its plan did not name.
fn nobody_else_holds(now: &Value, planned: &Value) -> Result<()> {
    let known = people_in(planned);
    let others: Vec<&str> = people_in(now).into_iter().filter(|name| !known.contains(name)).collect();
    if others.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = others.iter().take(NAMED).map(|name| visible(*name)).collect();
    let why = format!("{} people hold it whom its plan does not name: {}", others.len(), named.join(", "));
    Err(Error::new(ErrorKind::Conflict, "remove it", why)
        .known(Known::NotApplied)
        .next("plan again to see whom it hits, or take it from them first"))
}

fn is_unused(uses: &[String]) -> Result<()> {
    if uses.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = uses.iter().take(NAMED).map(visible).collect();
    let why = format!("it is used {} times: {}", uses.len(), named.join(", "));
    Err(Error::new(ErrorKind::Refused, "remove the flow", why)
        .known(Known::NotApplied)
        .next("bind another flow there first, or leave this out"))
}

/// The role by which a client's authorization service is known; the server makes it with the service.
const OF_AUTHORIZATION: &str = "uma_protection";

/// What the server makes for a client by itself, and takes away with it: its account, and the role of that account.
fn comes_with_its_client(key: &TreePath, going: &BTreeSet<&TreePath>) -> bool {
    let Some((kind, names)) = Kind::of_key(key) else { return false };
    let is_such = match kind {
        Kind::ServiceAccount => true,
        Kind::ClientRole => names.last().is_some_and(|role| role == OF_AUTHORIZATION),
        _ => false,
    };
    is_such && names.first().is_some_and(|client| going.contains(&Kind::Client.id(&[client]).key))
}

fn document_is_something(document: &Value) -> bool {
    document.as_object().is_none_or(|fields| !fields.is_empty())
}
