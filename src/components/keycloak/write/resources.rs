use std::collections::BTreeMap;

use futures_util::{FutureExt, StreamExt, stream};
use serde_json::Value;

use super::super::config::Ids;
use super::super::held::HELD_BY;
use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::execute::{execute, for_each, of};
use super::new_realm::{Wanted, representation};
use super::planned::{Planned, Terms};
use super::renamed::Holders;
use super::resource::{body_calls, link_calls, raw_paths};
use super::self_contained::without_missing;
use super::standing::Standing;
use super::users::Answers;
use super::{authorization, call::Call, document, policies};
use crate::component::{Approved, Effect, Found};
use crate::model::{Error, ErrorKind, Known, Result};

const SIDE_BY_SIDE: usize = 8;

pub(super) const OTHER_REALM: &str = "if it is this realm under a new name, name it in the runbook as it is named now, or \
     rename it; for a copy beside it, set 'ids: new' at the component";

/// What became of each change so far.
pub(super) type Failed = BTreeMap<usize, Error>;

impl Keycloak {
    /// All of a realm but its people: what is made first by itself and then with what it refers to, so that roles can
    /// be made of each other in any order; what goes, last and backwards.
    pub(super) async fn write_resources(
        &self,
        mut standing: Standing,
        changes: &[(usize, &Approved)],
    ) -> (Standing, Answers) {
        if let Some(gone) = self.remove_realm_with(&standing, changes).await {
            return gone;
        }
        let mut failed = Failed::new();
        let mut found = BTreeMap::new();
        if !standing.is_there() {
            standing = match self.create_realm(standing, changes).await {
                Ok(standing) => standing,
                Err((standing, error)) => {
                    let answers = changes.iter().map(|(at, one)| (*at, Err(for_each(&one.change.id, &error))));
                    return (standing, answers.collect());
                }
            };
        }
        let mut left: Vec<(usize, &Approved)> = changes.to_vec();
        for attempt in 0..2 {
            failed.retain(|at, _| !left.iter().any(|(other, _)| other == at));
            standing = self.attempt(standing, &left, attempt > 0, &mut found, &mut failed).await;
            // Of these nobody knows: they are looked at again, and what is not done is done.
            left.retain(|(at, _)| failed.get(at).is_some_and(|error| error.effect() == Known::Unknown));
            if left.is_empty() {
                break;
            }
            match self.live.realm_now().await {
                Ok(view) => standing = Standing::new(view),
                Err(_) => break,
            }
        }
        let mut written = |at| Ok(Effect { found: found.remove(at).unwrap_or_default(), ..Effect::default() });
        let answers = changes.iter().map(|(at, _)| (*at, failed.remove(at).map_or_else(|| written(at), Err)));
        (standing, answers.collect())
    }

    async fn attempt(
        &self,
        mut standing: Standing,
        changes: &[(usize, &Approved)],
        again: bool,
        found: &mut BTreeMap<usize, Found>,
        failed: &mut Failed,
    ) -> Standing {
        let terms = Terms { schema: &self.schema, keeps_ids: self.live.http.config.ids != Ids::New, again };
        let mut planned = Vec::new();
        for (at, one) in changes {
            match Planned::of(*at, one, &standing, terms) {
                Ok(mut plan) => {
                    found.entry(*at).or_insert_with(|| std::mem::take(&mut plan.found));
                    planned.push(plan);
                }
                Err(error) => {
                    failed.insert(*at, error);
                }
            }
        }
        let renamed = refuse_renamed(&mut planned, &standing, failed);
        planned.sort_by(|one, other| (one.kind, &one.names).cmp(&(other.kind, &other.names)));
        refuse_missing(&mut planned, &standing, failed);
        tell_of_renamed(renamed.first(), failed);
        let (removals, writes): (Vec<_>, Vec<_>) = planned.into_iter().partition(|plan| plan.removes);
        let (deep, flat): (Vec<_>, Vec<_>) = writes.into_iter().partition(Planned::is_deep);
        let (mut flat, mut after_clients): (Vec<_>, Vec<_>) =
            flat.into_iter().partition(|plan| plan.kind <= Kind::Client);
        self.bodies(&flat, &mut standing, failed).await;
        // With such a client the server makes a role of it.
        if flat.iter().any(Planned::makes_authorization) {
            standing = self.look_again(standing).await;
            after_clients = planned_again(&after_clients, &standing, terms, failed);
        }
        self.bodies(&after_clients, &mut standing, failed).await;
        flat.extend(after_clients);
        let made = flat.iter().any(|plan| plan.is_new);
        let mut writes = flat;
        if made {
            standing = self.look_again(standing).await;
            self.mend(&writes, &standing, failed).await;
            let deep = planned_again(&deep, &standing, terms, failed);
            self.bodies(&deep, &mut standing, failed).await;
            writes.extend(deep);
        } else {
            self.bodies(&deep, &mut standing, failed).await;
            if deep.iter().any(|plan| plan.is_new) {
                standing = self.look_again(standing).await;
            }
            writes.extend(deep);
        }
        self.links(&writes, &standing, failed).await;
        self.give_back(&writes, &standing, failed).await;
        standing = self.changed_by_policies(&writes, standing, failed).await;
        self.remove_all(&removals, &writes, &mut standing, failed).await;
        standing
    }

    /// The realm as it is once things were made in it: with their ids, and with what the server made beside them.
    async fn look_again(&self, standing: Standing) -> Standing {
        match self.live.realm_now().await {
            Ok(view) => standing.looked_again(view),
            Err(_) => standing,
        }
    }

    /// A new client is given attributes by the server that no plan has shown.
    async fn mend(&self, plans: &[Planned<'_>], standing: &Standing, failed: &mut Failed) {
        let made = plans.iter().filter(|plan| plan.is_new && plan.kind == Kind::Client);
        let made = made.filter(|plan| !failed.contains_key(&plan.at));
        let mended: Vec<Planned<'_>> = made.filter_map(|plan| plan.mended(standing, &self.schema)).collect();
        for (plan, done) in self.write_some(&mended, standing, true).await {
            if let Err(error) = done {
                failed.insert(plan.at, of(&plan.approved.change.id, error.known(Known::Unknown)));
            }
        }
    }

    /// In words, which realm has the id that this one is to have.
    pub(super) async fn renamed_realm(&self, settings: &Value) -> Option<String> {
        let id = settings.get("id").and_then(Value::as_str)?;
        let realms = self.live.http.realms().await.ok()?;
        let name = realms.as_array()?.iter().find(|one| one.get("id").and_then(Value::as_str) == Some(id))?;
        let name = crate::model::visible(name.get("realm").and_then(Value::as_str)?).into_owned();
        Some(format!(
            "its id {} is here the one of the realm {name}, perhaps itself under a new name",
            crate::model::visible(id)
        ))
    }

    async fn bodies(&self, plans: &[Planned<'_>], standing: &mut Standing, failed: &mut Failed) {
        for some in plans.chunk_by(|one, other| one.goes_beside(other)) {
            let ready = some.iter().filter(|plan| !failed.contains_key(&plan.at));
            for (plan, done) in self.write_some(ready, standing, true).await {
                if let (Ok(_), Some(name)) = (&done, plan.default_role()) {
                    standing.note_default_role(name);
                }
                match done {
                    Ok(id) if plan.is_new => standing.note_made(&plan.kind.id(&plan.names), id.or(Some(String::new()))),
                    Ok(_) => {}
                    Err(error) => {
                        failed.insert(plan.at, of(&plan.approved.change.id, error));
                    }
                }
            }
        }
    }

    async fn links(&self, plans: &[Planned<'_>], standing: &Standing, failed: &mut Failed) {
        for some in plans.chunk_by(|one, other| one.goes_beside(other)) {
            let ready = some.iter().filter(|plan| !failed.contains_key(&plan.at));
            for (plan, done) in self.write_some(ready, standing, false).await {
                if let Err(error) = done {
                    // Its body is written already, if it had to be: reading back tells.
                    let known = if plan.is_all_links() { error.effect() } else { Known::Unknown };
                    failed.insert(plan.at, of(&plan.approved.change.id, error.known(known)));
                }
            }
        }
    }

    /// Side by side what can go so.
    async fn write_some<'p, 'a: 'p>(
        &self,
        plans: impl IntoIterator<Item = &'p Planned<'a>>,
        standing: &Standing,
        body: bool,
    ) -> Vec<(&'p Planned<'a>, Result<Option<String>>)> {
        let each =
            plans.into_iter().map(|plan| async move { (plan, self.write_one(plan, standing, body).await) }.boxed());
        stream::iter(each.collect::<Vec<_>>()).buffered(SIDE_BY_SIDE).collect().await
    }

    /// Clients that are not as they were written, since the realm has policies that change them.
    async fn changed_by_policies(&self, plans: &[Planned<'_>], standing: Standing, failed: &mut Failed) -> Standing {
        let clients = || plans.iter().filter(|plan| plan.kind == Kind::Client);
        let Some(names) = policies::changing_clients(&standing).filter(|_| clients().next().is_some()) else {
            return standing;
        };
        let standing = self.look_again(standing).await;
        for plan in clients() {
            if let (None, Some(place)) = (failed.get(&plan.at), plan.otherwise(&standing, &self.schema)) {
                failed.insert(plan.at, of(&plan.approved.change.id, policies::changed(&names, &place)));
            }
        }
        standing
    }

    async fn write_one(&self, plan: &Planned<'_>, standing: &Standing, body: bool) -> Result<Option<String>> {
        let calls = |raw: &[Value]| -> Result<Vec<Call>> {
            let target = plan.target(raw, standing);
            if body { body_calls(&target) } else { link_calls(&target) }
        };
        if plan.from == plan.to && !plan.is_new {
            return Ok(None);
        }
        let is_all_links = plan.is_all_links();
        // Links follow their body: what was begun is ended.
        if body || is_all_links {
            self.live.http.still_held().await?;
        }
        let reads = if is_all_links { !body } else { body && !plan.is_new };
        let mut raw = Vec::new();
        if reads {
            for path in raw_paths(plan.kind, &plan.names, standing)? {
                raw.push(self.live.http.get(&path, &[]).await?);
            }
        }
        if !body {
            for path in authorization::raw_paths(&plan.target(&[], standing))? {
                raw.push(self.live.http.get(&path, &[]).await?);
            }
        }
        execute(&self.live.http, calls(&raw)?).await
    }

    /// A realm that is not there, made with all that is wanted in it at once: so everything keeps its id.
    async fn create_realm(
        &self,
        standing: Standing,
        changes: &[(usize, &Approved)],
    ) -> Result<Standing, (Standing, Error)> {
        let http = &self.live.http;
        let realm = http.config.realm.clone();
        let documents: Vec<(Kind, Vec<String>, Value)> = changes
            .iter()
            .filter_map(|(_, one)| {
                let (kind, names) = Kind::of_id(&one.change.id).ok()?;
                one.expected.as_ref()?;
                let mut wanted = super::target::without(document(&one.expected), &[HELD_BY]);
                // Elsewhere a service account's id is the server's to give, so it is not compared; here it can be kept.
                let id = document(&one.desired).get("id").filter(|_| kind == Kind::ServiceAccount);
                if let (Some(fields), Some(id)) = (wanted.as_object_mut(), id) {
                    fields.entry("id").or_insert_with(|| id.clone());
                }
                Some((kind, names, wanted))
            })
            .collect();
        let documents = without_missing(documents);
        let wanted: Vec<Wanted<'_>> =
            documents.iter().map(|(kind, names, wanted)| (*kind, names.clone(), wanted)).collect();
        if !wanted.iter().any(|(kind, _, _)| *kind == Kind::RealmSettings) {
            let why = format!("there is no realm {}", crate::model::visible(&realm));
            let error = Error::new(ErrorKind::NotFound, "write into the realm", why)
                .next("restore realm/settings with it or before it: that makes the realm");
            return Err((standing, error));
        }
        let body = http.with_holder(representation(&realm, &wanted, http.config.ids != Ids::New)).await;
        let made = http.write_to(reqwest::Method::POST, &http.realms_url(), Some(&body)).await;
        let view = self.live.realm_now().await;
        match (made, view) {
            (Ok(_), Ok(view)) => Ok(standing.looked_again(view)),
            // The connection may have gone while the server was at it.
            (Err(error), Ok(view)) if error.effect() == Known::Unknown && view.realm.is_some() => {
                Ok(standing.looked_again(view))
            }
            // No realm has this name, so what is there already are the ids.
            (Err(error), Ok(view)) if error.kind() == ErrorKind::Conflict && view.realm.is_none() => {
                let settings = wanted.iter().find(|(kind, _, _)| *kind == Kind::RealmSettings);
                let named = self.renamed_realm(settings.map_or(&Value::Null, |(_, _, document)| document)).await;
                let error = error.next(
                    "another realm of this server has ids that the backup holds: for a copy beside it, set 'ids: new' \
                     at the component; else check the realm's name in the runbook",
                );
                Err((standing, named.map_or(error, |why| taken_realm(&realm, why))))
            }
            // It may still be at it, where nobody knows.
            (Err(error), _) => Err((standing, error)),
            (Ok(_), Err(error)) => Err((standing, error.known(Known::Unknown))),
        }
    }
}

fn taken_realm(realm: &str, why: String) -> Error {
    Error::new(ErrorKind::Conflict, format!("make the realm {}", crate::model::visible(realm)), why)
        .known(Known::NotApplied)
        .next(OTHER_REALM)
}

/// The same changes beside what is there now that others were made.
fn planned_again<'a>(
    plans: &[Planned<'a>],
    standing: &Standing,
    terms: Terms<'_>,
    failed: &mut Failed,
) -> Vec<Planned<'a>> {
    let mut made = Vec::with_capacity(plans.len());
    for plan in plans {
        match Planned::of(plan.at, plan.approved, standing, terms) {
            Ok(plan) => made.push(plan),
            Err(error) => {
                failed.insert(plan.at, error);
            }
        }
    }
    made
}

/// What is to have an id that another one has is refused with the name of that one, which is not removed either.
/// Answers with what was refused so, in words.
fn refuse_renamed(planned: &mut Vec<Planned<'_>>, standing: &Standing, failed: &mut Failed) -> Vec<String> {
    let holders = Holders::of(standing);
    let mut kept = BTreeMap::new();
    let mut said = Vec::new();
    planned.retain(|plan| {
        let id = &plan.approved.change.id;
        let holder = holders.holder(id, &plan.to).filter(|holder| plan.is_new && holder.is_in_the_way());
        let Some(holder) = holder else { return true };
        let own = plan.names.last().map_or("", String::as_str);
        failed.insert(plan.at, holder.error(id, own));
        said.push(format!("{id} was not made: {}", holder.said(own)));
        kept.insert(holder.key.clone(), (holder, id.clone()));
        false
    });
    planned.retain(|plan| {
        let id = &plan.approved.change.id;
        let holder = kept.get(&plan.kind.id(&plan.names).key).filter(|_| plan.removes);
        failed.extend(holder.map(|(holder, wanted)| (plan.at, holder.stays(id, wanted))));
        holder.is_none()
    });
    said
}

/// What lacks something else lacks perhaps this: "restore it first" would lead nowhere.
fn tell_of_renamed(renamed: Option<&String>, failed: &mut Failed) {
    let Some(renamed) = renamed else { return };
    for (_, error) in failed.iter_mut().filter(|(_, error)| error.kind() == ErrorKind::NotFound) {
        let made = Error::new(error.kind(), "write it", error.chain()).known(error.effect());
        *error = made.next(renamed.clone());
    }
}

/// What refers to something that is neither there nor about to be made is refused before anything is written.
fn refuse_missing(planned: &mut Vec<Planned<'_>>, standing: &Standing, failed: &mut Failed) {
    let mut imagined = standing.clone();
    let made = |plan: &&Planned<'_>| plan.is_new;
    for plan in planned.iter().filter(made) {
        imagined.note_made(&plan.kind.id(&plan.names), Some(String::new()));
    }
    loop {
        let before = planned.len();
        let mut gone = Vec::new();
        planned.retain(|plan| {
            if plan.removes {
                return true;
            }
            let target = plan.target(&[], &imagined);
            let checked = body_calls(&target).and_then(|_| link_calls(&target));
            let Err(error) = checked else { return true };
            failed.insert(plan.at, of(&plan.approved.change.id, error));
            if plan.is_new {
                gone.push(plan.kind.id(&plan.names));
            }
            false
        });
        gone.iter().for_each(|id| imagined.note_gone(id));
        if planned.len() == before {
            return;
        }
    }
}
