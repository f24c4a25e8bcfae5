use std::collections::BTreeMap;

use futures_util::{FutureExt, StreamExt, stream};
use serde_json::Value;

use super::super::always_shown::says_all;
use super::super::config::Ids;
use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::execute::{execute, for_each, of};
use super::opening::hold_back;
use super::pieces::{has_pieces, is_refusal};
use super::planned::{Planned, Terms};
use super::renamed::Holders;
use super::resource::{body_calls, delete_call, link_calls, raw_paths};
use super::standing::Standing;
use super::users::Answers;
use super::{authorization, call::Call, document, policies};
use crate::component::{Approved, Effect, Found, Refusal};
use crate::model::{Error, ErrorKind, Known, ResourceId, Result};

const SIDE_BY_SIDE: usize = 8;

pub(super) type Failed = BTreeMap<usize, Error>;

/// What became of each change so far, by its place.
#[derive(Default)]
pub(super) struct Told {
    pub failed: Failed,
    /// Of what was written but for a part.
    pub refused: BTreeMap<usize, Vec<Refusal>>,
    found: BTreeMap<usize, Found>,
}

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
        let mut told = Told::default();
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
            told.failed.retain(|at, _| !left.iter().any(|(other, _)| other == at));
            standing = self.attempt(standing, &left, attempt > 0, &mut told).await;
            // Of these nobody knows: they are looked at again, and what is not done is done.
            left.retain(|(at, _)| told.failed.get(at).is_some_and(|error| error.effect() == Known::Unknown));
            if left.is_empty() {
                break;
            }
            match self.live.realm_now().await {
                Ok(view) => standing = Standing::new(view),
                Err(_) => break,
            }
        }
        self.open(changes, &mut told).await;
        let Told { mut failed, mut refused, mut found } = told;
        let mut written = |at| {
            let (found, refused) = (found.remove(at).unwrap_or_default(), refused.remove(at).unwrap_or_default());
            Ok(Effect { found, refused, ..Effect::default() })
        };
        let answers = changes.iter().map(|(at, _)| (*at, failed.remove(at).map_or_else(|| written(at), Err)));
        (standing, answers.collect())
    }

    async fn attempt(
        &self,
        mut standing: Standing,
        changes: &[(usize, &Approved)],
        again: bool,
        told: &mut Told,
    ) -> Standing {
        let keeps_ids = self.live.http.config.ids != Ids::New;
        let terms = Terms { schema: &self.schema, keeps_ids, again, is_whole: is_whole(changes, &standing) };
        let mut planned = Vec::new();
        for (at, one) in changes {
            match Planned::of(*at, one, &standing, terms) {
                Ok(mut plan) => {
                    told.found.entry(*at).or_insert_with(|| std::mem::take(&mut plan.found));
                    hold_back(&mut plan);
                    planned.push(plan);
                }
                Err(error) => {
                    told.failed.insert(*at, error);
                }
            }
        }
        let renamed = refuse_renamed(&mut planned, &standing, &mut told.failed);
        planned.sort_by(|one, other| (one.kind, &one.names).cmp(&(other.kind, &other.names)));
        self.refuse_lacking_providers(&mut planned, told).await;
        refuse_missing(&mut planned, &standing, told);
        tell_of_renamed(renamed.first(), &mut told.failed);
        let (removals, writes): (Vec<_>, Vec<_>) = planned.into_iter().partition(|plan| plan.removes);
        let (deep, flat): (Vec<_>, Vec<_>) = writes.into_iter().partition(Planned::is_deep);
        let (mut flat, mut after_clients): (Vec<_>, Vec<_>) =
            flat.into_iter().partition(|plan| plan.kind <= Kind::Client);
        self.bodies(&flat, &mut standing, told).await;
        if flat.iter().any(Planned::makes_account) {
            standing = self.look_again(standing).await;
            after_clients = planned_again(&after_clients, &standing, terms, &mut told.failed);
        }
        self.bodies(&after_clients, &mut standing, told).await;
        flat.extend(after_clients);
        let made = flat.iter().any(|plan| plan.is_new);
        let mut writes = flat;
        if made {
            standing = self.look_again(standing).await;
            self.mend(&writes, &standing, &mut told.failed).await;
            self.without_servers_mappers(&writes, changes, &mut standing, &mut told.failed).await;
            let deep = planned_again(&deep, &standing, terms, &mut told.failed);
            self.bodies(&deep, &mut standing, told).await;
            writes.extend(deep);
        } else {
            self.bodies(&deep, &mut standing, told).await;
            if deep.iter().any(|plan| plan.is_new) {
                standing = self.look_again(standing).await;
            }
            writes.extend(deep);
        }
        // A flow that is not as approved, whether it is half made or as it was, is bound to nothing new.
        let mut referable = standing.clone();
        let failed_flows = changes.iter().filter(|(at, one)| told.failed.contains_key(at) && is_flow(one));
        failed_flows.for_each(|(_, one)| referable.note_gone(&one.change.id));
        self.links(&writes, &referable, told).await;
        self.give_back(&writes, &standing, &mut told.failed).await;
        standing = self.changed_by_policies(&writes, standing, &mut told.failed).await;
        self.remove_all(&removals, &writes, &mut standing, &mut told.failed).await;
        standing
    }

    /// The realm as it is once things were made in it: with their ids, and with what the server made beside them.
    async fn look_again(&self, standing: Standing) -> Standing {
        match self.live.realm_now().await {
            Ok(view) => standing.looked_again(view),
            Err(_) => standing,
        }
    }

    /// A new directory is given mappers by the server that no plan has shown.
    async fn without_servers_mappers(
        &self,
        plans: &[Planned<'_>],
        changes: &[(usize, &Approved)],
        standing: &mut Standing,
        failed: &mut Failed,
    ) {
        let wanted = |id: &ResourceId| changes.iter().any(|(_, one)| one.change.id.key == id.key);
        for plan in plans.iter().filter(|plan| plan.is_new_directory()) {
            if failed.contains_key(&plan.at) {
                continue;
            }
            let own = plan.kind.id(&plan.names).key;
            let surplus = standing.view().resources().filter(|(key, one)| {
                **key != own && key.relative_to(&own).is_some() && standing.is_ours(key) && !wanted(&one.id)
            });
            let surplus: Vec<ResourceId> = surplus.map(|(_, one)| one.id.clone()).collect();
            for id in surplus {
                let removed = async {
                    let (kind, names) = Kind::of_id(&id)?;
                    execute(&self.live.http, vec![delete_call(kind, &names, standing)?]).await
                };
                match removed.await {
                    Ok(_) => standing.note_gone(&id),
                    Err(error) => {
                        failed.insert(plan.at, of(&plan.approved.change.id, error.known(Known::Unknown)));
                    }
                }
            }
        }
    }

    /// A new client, or a new directory, is given settings by the server that no plan has shown.
    async fn mend(&self, plans: &[Planned<'_>], standing: &Standing, failed: &mut Failed) {
        let made = plans.iter().filter(|plan| (plan.is_new && plan.kind == Kind::Client) || plan.is_new_directory());
        let made = made.filter(|plan| !failed.contains_key(&plan.at));
        let mended: Vec<Planned<'_>> = made.filter_map(|plan| plan.mended(standing, &self.schema)).collect();
        for (plan, done) in self.write_some(&mended, standing, true).await {
            if let Err(error) = done {
                failed.insert(plan.at, of(&plan.approved.change.id, error.known(Known::Unknown)));
            }
        }
    }

    async fn bodies(&self, plans: &[Planned<'_>], standing: &mut Standing, told: &mut Told) {
        for some in plans.chunk_by(|one, other| one.goes_beside(other)) {
            let ready = some.iter().filter(|plan| !told.failed.contains_key(&plan.at));
            for (plan, done) in self.write_some(ready, standing, true).await {
                if let (Ok(_), Some(name)) = (&done, plan.default_role()) {
                    standing.note_default_role(name);
                }
                match self.or_pieces(plan, done, standing, true, told).await {
                    Ok(id) if plan.is_new => standing.note_made(&plan.kind.id(&plan.names), id.or(Some(String::new()))),
                    Ok(_) => {}
                    Err(error) => {
                        let mut error = of(&plan.approved.change.id, error);
                        let is_half_made = plan.kind == Kind::Flow && plan.is_new && error.effect() == Known::Unknown;
                        let alias = plan.names.last().map_or("", String::as_str);
                        if is_half_made && self.unmake_flow(alias).await.is_ok() {
                            error = error.known(Known::NotApplied);
                        }
                        told.failed.insert(plan.at, error);
                    }
                }
            }
        }
    }

    /// Where the server refuses the whole of something that has pieces, those that it takes are written.
    async fn or_pieces(
        &self,
        plan: &Planned<'_>,
        done: Result<Option<String>>,
        standing: &Standing,
        body: bool,
        told: &mut Told,
    ) -> Result<Option<String>> {
        match done {
            Err(error) if has_pieces(plan.kind) && !plan.is_new && is_refusal(&error) => {
                let refused = self.write_pieces(plan, standing, body).await?;
                told.refused.entry(plan.at).or_default().extend(refused);
                Ok(None)
            }
            done => done,
        }
    }

    async fn links(&self, plans: &[Planned<'_>], standing: &Standing, told: &mut Told) {
        for some in plans.chunk_by(|one, other| one.goes_beside(other)) {
            let ready = some.iter().filter(|plan| !told.failed.contains_key(&plan.at));
            for (plan, done) in self.write_some(ready, standing, false).await {
                if let Err(error) = self.or_pieces(plan, done, standing, false, told).await {
                    // Its body is written already, if it had to be: reading back tells.
                    let known = if plan.is_all_links() { error.effect() } else { Known::Unknown };
                    told.failed.insert(plan.at, of(&plan.approved.change.id, error.known(known)));
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

    pub(super) async fn write_one(
        &self,
        plan: &Planned<'_>,
        standing: &Standing,
        body: bool,
    ) -> Result<Option<String>> {
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
}

/// Whether what makes the realm's settings says all that a server says of them.
fn is_whole(changes: &[(usize, &Approved)], standing: &Standing) -> bool {
    let settings = Kind::RealmSettings.id::<&str>(&[]);
    let said = changes.iter().find(|(_, one)| one.change.id == settings).map(|(_, one)| document(&one.expected));
    said.zip(standing.document(&settings.key)).is_some_and(|(said, shown)| says_all(said, shown))
}

fn is_flow(one: &Approved) -> bool {
    matches!(Kind::of_id(&one.change.id), Ok((Kind::Flow, _)))
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
fn refuse_missing(planned: &mut Vec<Planned<'_>>, standing: &Standing, told: &mut Told) {
    let mut imagined = standing.clone();
    let made = |plan: &&Planned<'_>| plan.is_new;
    for plan in planned.iter().filter(made) {
        imagined.note_made(&plan.kind.id(&plan.names), Some(String::new()));
    }
    loop {
        let before = planned.len();
        let mut gone = Vec::new();
        planned.retain_mut(|plan| {
            if plan.removes {
                return true;
            }
            if has_pieces(plan.kind) && !plan.is_new {
                let (left, refused) = plan.without_missing(&imagined);
                told.refused.entry(plan.at).or_default().extend(refused);
                *plan = left;
                return true;
            }
            let target = plan.target(&[], &imagined);
            let checked = body_calls(&target).and_then(|_| link_calls(&target));
            let Err(error) = checked else { return true };
            told.failed.insert(plan.at, of(&plan.approved.change.id, error));
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
