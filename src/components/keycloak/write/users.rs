use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};

use super::super::http::segment;
use super::super::live::{Details, Keycloak};
use super::call::Call;
use super::directory::{Directory, but_for_notes};
use super::execute::{conflict, execute, for_each, of};
use super::new_user::{NewUser, import};
use super::standing::Standing;
use super::target::{text, without};
use super::{claims, credential, document, permission, same_name, user};
use crate::component::{Approved, Effect, Found};
use crate::diff::documents::off_the_way;
use crate::model::{Error, ErrorKind, Known, Resource, Result, visible};

/// Measured: 20 users a call, 4 calls side by side, is five times one by one, and more of either is slower.
const PER_CALL: usize = 20;
pub(in crate::components::keycloak) const IMPORTS: usize = 4;
const SIDE_BY_SIDE: usize = 8;
/// Each begins by reading: the last one may find that the one before it was done.
const ATTEMPTS: usize = 3;

pub(super) type Answers = Vec<(usize, Result<Effect>)>;

impl Keycloak {
    /// Users that are not there, and users that are.
    pub(super) async fn write_users(&self, standing: &Standing, changes: &[(usize, &Approved)]) -> Answers {
        let (new, others): (Vec<_>, Vec<_>) =
            changes.iter().copied().partition(|(_, one)| one.live.is_none() && one.expected.is_some());
        let mut answers = Vec::with_capacity(changes.len());
        let created: Vec<BoxFuture<'_, Answers>> =
            new.chunks(PER_CALL).map(|some| self.create_some(standing, some).boxed()).collect();
        let changed: Vec<BoxFuture<'_, (usize, Result<Effect>)>> = others
            .into_iter()
            .map(|(at, one)| match one.expected {
                Some(_) => self.update(standing, one).map(move |written| (at, written)).boxed(),
                None => self.remove(standing, one).map(move |written| (at, written)).boxed(),
            })
            .collect();
        answers.extend(stream::iter(created).buffer_unordered(IMPORTS).collect::<Vec<_>>().await.into_iter().flatten());
        answers.extend(stream::iter(changed).buffer_unordered(SIDE_BY_SIDE).collect::<Vec<_>>().await);
        answers
    }

    /// As many as one call takes.
    async fn create_some(&self, standing: &Standing, new: &[(usize, &Approved)]) -> Answers {
        let mut answers = Vec::with_capacity(new.len());
        let mut ready = Vec::with_capacity(new.len());
        for (at, one) in new {
            let ids = self.live.http.config.ids;
            match NewUser::of(document(&one.expected), document(&one.desired), ids, standing) {
                Ok(user) => ready.push((*at, *one, user)),
                Err(error) => answers.push((*at, Err(of(&one.change.id, error)))),
            }
        }
        self.refuse_taken(&mut ready, &mut answers).await;
        if !ready.is_empty() {
            answers.extend(self.create(standing, &ready).await);
        }
        answers
    }

    /// Takes out whose identities are somebody else's, which the server would not say.
    async fn refuse_taken(&self, ready: &mut Vec<(usize, &Approved, NewUser)>, answers: &mut Answers) {
        let users = ready.iter().map(|(at, _, user)| (*at, &user.representation));
        let refused = claims::of_new_users(&self.live.http, users).await;
        ready.retain(|(at, one, _)| {
            let error = match &refused {
                Ok(taken) => taken.iter().find(|(other, _)| other == at).map(|(_, error)| error),
                Err(error) => Some(error),
            };
            answers.extend(error.map(|error| (*at, Err(for_each(&one.change.id, error).known(Known::NotApplied)))));
            error.is_none()
        });
    }

    /// All in one call, and one by one if the server refuses: then one bad user costs only itself.
    async fn create(&self, standing: &Standing, users: &[(usize, &Approved, NewUser)]) -> Answers {
        let together: Vec<&NewUser> = users.iter().map(|(_, _, user)| user).collect();
        let refused = self.call(import(&together)).await.err();
        let hopeless = refused.as_ref().filter(|error| {
            let untouched = error.effect() == Known::NotApplied;
            matches!(error.kind(), ErrorKind::Denied | ErrorKind::LoggedOut | ErrorKind::Held)
                || (untouched && error.kind() == ErrorKind::Unreachable)
        });
        if let Some(error) = hopeless {
            return users.iter().map(|(at, one, _)| (*at, Err(for_each(&one.change.id, error)))).collect();
        }
        let mut answers = Vec::with_capacity(users.len());
        for (at, one, user) in users {
            let written = match (&refused, users.len()) {
                (None, _) => self.finish(standing, one, user).await,
                // Whoever is there is not sent again.
                (Some(error), _) if error.effect() == Known::Unknown => {
                    self.look_and_create(standing, one, user, error).await
                }
                (Some(error), 1) => self.settle(standing, one, user, error).await,
                _ => match self.call(import(&[user])).await {
                    Ok(()) => self.finish(standing, one, user).await,
                    Err(error) if error.effect() == Known::Unknown => {
                        self.look_and_create(standing, one, user, &error).await
                    }
                    Err(error) => self.settle(standing, one, user, &error).await,
                },
            };
            answers.push((*at, written));
        }
        answers
    }

    /// Of whom nobody knows whether the server made them.
    async fn look_and_create(
        &self,
        standing: &Standing,
        one: &Approved,
        user: &NewUser,
        unsure: &Error,
    ) -> Result<Effect> {
        let id = &one.change.id;
        let mut unsure = for_each(id, unsure);
        for _ in 0..ATTEMPTS {
            let details = Details::of(document(&one.expected));
            let Ok(now) = self.live.user_now(standing.view(), id, details).await else { return Err(unsure) };
            if let Some(now) = now {
                // Perhaps by the call of which nobody knows.
                let there = self.is_there(standing, one, user, document(&Some(now))).await;
                return there.map(|effect| Effect { found: Found::AsPlanned, ..effect });
            }
            match self.call(import(&[user])).await {
                Ok(()) => match self.afterwards(standing, one, user).await {
                    Ok(()) => return Ok(Effect::default()),
                    Err(error) if error.effect() == Known::Unknown => unsure = of(id, error),
                    Err(error) => return Err(of(id, error.known(Known::Unknown))),
                },
                Err(error) if error.effect() == Known::Unknown => unsure = of(id, error),
                Err(error) => {
                    let settled = self.settle(standing, one, user, &error).await;
                    return settled.map(|effect| Effect { found: Found::AsPlanned, ..effect });
                }
            }
        }
        Err(unsure)
    }

    async fn call(&self, call: Call) -> Result<()> {
        let _turn = self.live.imports.acquire().await;
        self.live.http.still_held().await?;
        self.live.http.write(call.method, &call.path, call.body.as_ref()).await.map(|_| ())
    }

    /// A user that was made a moment ago, to its end.
    async fn finish(&self, standing: &Standing, one: &Approved, user: &NewUser) -> Result<Effect> {
        let id = &one.change.id;
        if let Some(directory) = Directory::of(document(&one.expected), standing)
            && let Ok(None) = self.live.user_now(standing.view(), id, Details::default()).await
        {
            return Err(of(id, directory.knows_nobody().known(Known::NotApplied)));
        }
        match self.afterwards(standing, one, user).await {
            Ok(()) => Ok(Effect::default()),
            Err(error) if error.effect() == Known::Unknown => self.look_and_create(standing, one, user, &error).await,
            // The user is there, whatever became of this.
            Err(error) => Err(of(id, error.known(Known::Unknown))),
        }
    }

    /// What a new user cannot be given with the rest.
    async fn afterwards(&self, standing: &Standing, one: &Approved, user: &NewUser) -> Result<()> {
        let (none, wanted) = (json!({}), document(&one.expected));
        let has_permissions = permission::differ(&none, wanted);
        if user.groups.is_empty() && user.organizations.is_empty() && !has_permissions {
            return Ok(());
        }
        let now = self.live.user_now(standing.view(), &one.change.id, Details::default()).await?;
        let server_id = now.as_ref().and_then(Resource::document).and_then(|now| text(&now.value, "id"));
        let server_id = server_id.or(user.id()).unwrap_or_default();
        execute(&self.live.http, user.afterwards(server_id, standing)?).await?;
        self.write_permissions(server_id, &none, wanted, standing).await
    }

    /// A user that was refused, or of whom nobody knows: the server is asked what is there, since its refusals name
    /// little, and what it does not name is looked for.
    async fn settle(&self, standing: &Standing, one: &Approved, user: &NewUser, refused: &Error) -> Result<Effect> {
        let id = &one.change.id;
        if refused.kind() == ErrorKind::Held {
            return Err(for_each(id, refused));
        }
        let wanted = document(&one.expected);
        let now =
            self.live.user_now(standing.view(), id, Details::of(wanted)).await.map_err(|_| for_each(id, refused))?;
        if let Some(now) = now {
            return self.is_there(standing, one, user, document(&Some(now))).await;
        }
        Err(match self.reason(one, user).await {
            Some((kind, why, next)) => Error::new(kind, format!("write {id}"), why).next(next),
            None => {
                let why = format!("the server refused it: {}", refused.chain());
                Error::new(refused.kind(), format!("write {id}"), why).known(Known::NotApplied).next(
                    "groups, roles, clients, providers, id and e-mail were looked at and are not it: see the server's log",
                )
            }
        })
    }

    /// A user of this name is there: the one that was to be made, perhaps without what comes after it, or another one.
    async fn is_there(&self, standing: &Standing, one: &Approved, user: &NewUser, now: &Value) -> Result<Effect> {
        let id = &one.change.id;
        let wanted = document(&one.expected);
        if user.id().is_some() && user.id() != text(now, "id") {
            return Err(same_name(id, text(now, "id"), user.id()));
        }
        let mut seen = json!({});
        let mut begun = wanted.clone();
        if let (Some(seen), Some(begun)) = (seen.as_object_mut(), begun.as_object_mut()) {
            let names = wanted.as_object().into_iter().flatten().map(|(name, _)| name);
            seen.extend(names.filter_map(|name| Some((name.clone(), now.get(name)?.clone()))));
            begun.remove("organizations");
            if let Some(groups) = begun.get_mut("groups").and_then(Value::as_array_mut) {
                groups.retain(|group| group.as_str().is_none_or(|way| !user.groups.iter().any(|apart| apart == way)));
            }
            if user.id().is_none() {
                seen.remove("id");
                begun.remove("id");
            }
        }
        let wanted = if user.id().is_none() { without(wanted, &["id"]) } else { wanted.clone() };
        if let Some(place) = off_the_way(Some(&begun), &seen, &wanted, self.schema.kind(&id.kind)) {
            return Err(conflict(id, format!("a user of this name is there now, and its {place} is otherwise")));
        }
        let mut whole = now.clone();
        if let (Some(whole), Some(wanted)) = (whole.as_object_mut(), wanted.as_object()) {
            whole.extend(wanted.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let found = super::found(Some(now), &None);
        let mut now = now.clone();
        for attempt in 1.. {
            match self.change(standing, one, &now, &whole).await {
                Ok(()) => break,
                Err(error) if error.effect() == Known::Unknown && attempt < ATTEMPTS => {
                    let unsure = of(id, error);
                    let looked = self.live.user_now(standing.view(), id, Details::of(&wanted)).await;
                    let Ok(Some(found)) = looked else { return Err(unsure) };
                    now = document(&Some(found)).clone();
                }
                Err(error) => return Err(of(id, error.known(Known::Unknown))),
            }
        }
        Ok(Effect { found, ..Effect::default() })
    }

    /// Why a user whose name is free cannot be created.
    async fn reason(&self, one: &Approved, user: &NewUser) -> Option<(ErrorKind, String, &'static str)> {
        let http = &self.live.http;
        if let Some(id) = user.id()
            && let Ok(Some(holder)) = http.get_maybe(&format!("/users/{}", segment(id)), &[]).await
        {
            let name = visible(text(&holder, "username").unwrap_or_default()).into_owned();
            let why = format!("its id {} belongs to the user {name}", visible(id));
            return Some((
                ErrorKind::Conflict,
                why,
                "rename that user back, or leave out the hunk 'id' to make this one beside it, or set 'ids: new' at the component",
            ));
        }
        if let Some((why, next)) = self.email_is_taken(&user.representation, user.id()).await {
            return Some((ErrorKind::Conflict, why, next));
        }
        // What was there when the plan was checked may have gone since.
        let fresh = Standing::new(self.live.realm_now().await.ok()?);
        let again = NewUser::of(document(&one.expected), document(&one.desired), http.config.ids, &fresh);
        again
            .err()
            .map(|error| (error.kind(), error.chain(), "restore what is missing first, or leave out what refers to it"))
    }

    /// Whose the e-mail of this user is, if it is somebody else's.
    async fn email_is_taken(&self, user: &Value, own: Option<&str>) -> Option<(String, &'static str)> {
        let email = text(user, "email")?;
        let found = self.live.http.get("/users", &[("email", email), ("exact", "true")]).await.ok()?;
        let holder = found.as_array()?.iter().find(|one| text(one, "id") != own)?;
        let name = visible(text(holder, "username").unwrap_or_default());
        let why = format!("its e-mail {} belongs to the user {name}", visible(email));
        Some((why, "change that user's e-mail, or leave this one's out"))
    }

    /// One hunk, one call: what is left out stays out.
    async fn update(&self, standing: &Standing, one: &Approved) -> Result<Effect> {
        let id = &one.change.id;
        let (live, expected) = (document(&one.live), document(&one.expected));
        let (live_id, wanted_id) = (text(live, "id"), text(expected, "id"));
        if wanted_id.is_some() && live_id != wanted_id {
            return Err(same_name(id, live_id, wanted_id));
        }
        let details = Details::of(live).with(Details::of(expected));
        let mut unsure: Option<Error> = None;
        let mut found = None;
        for _ in 0..ATTEMPTS {
            let now = self.live.user_now(standing.view(), id, details.clone()).await;
            let now = now.map_err(|error| unsure.take().unwrap_or_else(|| of(id, error)))?;
            let Some(now) = now else { return Err(conflict(id, "the user is gone")) };
            let now = document(&Some(now)).clone();
            let found = found.get_or_insert_with(|| super::found(Some(&but_for_notes(&now, live)), &one.live));
            if let Some(place) =
                off_the_way(Some(live), &but_for_notes(&now, live), expected, self.schema.kind(&id.kind))
            {
                return Err(conflict(id, format!("its {place} has changed since the plan was made"))
                    .known(unsure.map_or(Known::NotApplied, |error| error.effect())));
            }
            let (expected, refused) = credential::with_names_that_stay(&now, expected);
            let done = self.change(standing, one, &now, &expected).await;
            match done {
                Ok(()) => return Ok(Effect { found: std::mem::take(found), refused, ..Effect::default() }),
                Err(error) if error.effect() == Known::Unknown => unsure = Some(of(id, error)),
                Err(error) => {
                    let known = unsure.map_or(error.effect(), |unsure| unsure.effect());
                    return Err(of(id, error.known(known)));
                }
            }
        }
        Err(unsure.unwrap_or_else(|| conflict(id, "it cannot be read")))
    }

    async fn change(&self, standing: &Standing, one: &Approved, now: &Value, expected: &Value) -> Result<()> {
        let http = &self.live.http;
        let server_id = text(now, "id").unwrap_or_default();
        let raw = match user::changes_profile(now, expected) {
            true => http.get(&format!("/users/{}", segment(server_id)), &[]).await?,
            false => Value::Null,
        };
        let calls = user::calls(server_id, now, expected, document(&one.desired), &raw, standing)?;
        permission::check(expected, standing)?;
        let refused = |error: Error| error.known(Known::NotApplied);
        claims::identities_are_free(http, now, expected, Some(server_id)).await.map_err(refused)?;
        claims::memberships_are_ones_own(http, now, expected, server_id, standing).await.map_err(refused)?;
        http.still_held().await.map_err(refused)?;
        if let Err(error) = execute(http, calls).await {
            let taken = match error.kind() == ErrorKind::Conflict && text(now, "email") != text(expected, "email") {
                true => self.email_is_taken(expected, Some(server_id)).await,
                false => None,
            };
            return Err(match taken {
                Some((why, next)) => Error::new(ErrorKind::Conflict, "change the user", why)
                    .known(error.effect())
                    .next(next)
                    .caused_by(error),
                None => error,
            });
        }
        let several = |of: &Value| of.get("credentials").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
        if several(expected) && now.get("credentials") != expected.get("credentials") {
            let at = format!("/users/{}", segment(server_id));
            let shown =
                http.get(&format!("{at}/credentials"), &[]).await.map_err(|error| error.known(Known::Unknown))?;
            let in_order = credential::order(&at, &shown, document(&one.desired));
            execute(http, in_order).await.map_err(|error| error.known(Known::Unknown))?;
        }
        self.write_permissions(server_id, now, expected, standing).await
    }

    async fn remove(&self, standing: &Standing, one: &Approved) -> Result<Effect> {
        let id = &one.change.id;
        let live = document(&one.live);
        let now = self.live.user_now(standing.view(), id, Details::of(live)).await.map_err(|error| of(id, error))?;
        let Some(now) = now else { return Ok(Effect { found: Found::Nothing, ..Effect::default() }) };
        let now = document(&Some(now)).clone();
        if let Some(place) = off_the_way(Some(live), &but_for_notes(&now, live), live, self.schema.kind(&id.kind)) {
            return Err(conflict(id, format!("its {place} has changed since the plan was made")));
        }
        if let Some(directory) = Directory::of(&now, standing) {
            return Err(of(id, directory.keeps_account()));
        }
        let server_id = text(live, "id").unwrap_or_default();
        let at = format!("/users/{}", segment(server_id));
        // With the last person whom it names the server removes a policy too.
        let left = without(&now, &["authorizationPolicies", "ownedResources"]);
        self.write_permissions(server_id, &now, &left, standing).await.map_err(|error| of(id, error))?;
        self.live.http.still_held().await.map_err(|error| of(id, error))?;
        execute(&self.live.http, vec![Call::delete(at)]).await.map_err(|error| of(id, error))?;
        Ok(Effect::default())
    }
}
