use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::super::http::{Http, segment};
use super::super::kinds::Kind;
use super::overlay::{keyed_changes, set_changes};
use super::standing::Standing;
use super::target::text;
use crate::model::{Error, ErrorKind, Result, visible};

const SIDE_BY_SIDE: usize = 4;

/// That nobody else is linked to the identities that a user is to be linked to. The server takes such a link, and from
/// then on neither of the two logs in by that provider.
///
/// `own`: the id of the user itself, who is there or not.
pub(super) async fn identities_are_free(http: &Http, from: &Value, to: &Value, own: Option<&str>) -> Result<()> {
    let links = keyed_changes(from, to, "federatedIdentities", "identityProvider");
    for link in links {
        let Some(external) = link.after.and_then(|after| text(after, "userId")) else { continue };
        let query = [("idpAlias", link.name), ("idpUserId", external), ("briefRepresentation", "true")];
        let found = http.get("/users", &query).await?;
        let other = found.as_array().into_iter().flatten().find(|one| text(one, "id") != own);
        if let Some(other) = other {
            let holder = visible(text(other, "username").unwrap_or_default()).into_owned();
            let (external, provider) = (visible(external), visible(link.name));
            let why = format!("{external} of the identity provider {provider} belongs to the user {holder}");
            return Err(Error::new(ErrorKind::Conflict, "link an identity", why)
                .next("take the link from that user, or leave it out of this one"));
        }
    }
    Ok(())
}

/// That nobody is taken out of an organization who would be removed with that: an account that came by way of the
/// organization's own identity provider is the organization's.
pub(super) async fn memberships_are_ones_own(
    http: &Http,
    from: &Value,
    to: &Value,
    user: &str,
    standing: &Standing,
) -> Result<()> {
    let (_, left) = set_changes(from, to, "organizations");
    for alias in left {
        let organization = standing.id(Kind::Organization, &[alias])?;
        let path = format!("/organizations/{}/members/{}", segment(organization), segment(user));
        if http.get_maybe(&path, &[]).await?.as_ref().is_some_and(is_managed) {
            return Err(takes_accounts(&format!("take the user out of the organization {}", visible(alias))));
        }
    }
    Ok(())
}

/// That an organization has no accounts of its own, which would go with it.
pub(super) async fn organization_is_nobodys_home(http: &Http, id: &str, alias: &str) -> Result<()> {
    let path = format!("/organizations/{}/members", segment(id));
    let managed: Vec<Value> = http.listed(&path, &[("membershipType", "MANAGED")], 100).await?;
    match managed.iter().any(is_managed) {
        true => Err(takes_accounts(&format!("remove the organization {}", visible(alias)))),
        false => Ok(()),
    }
}

fn is_managed(member: &Value) -> bool {
    text(member, "membershipType") == Some("MANAGED")
}

fn takes_accounts(doing: &str) -> Error {
    Error::new(ErrorKind::Refused, doing, "the server would remove the account of each member that it manages")
        .next("leave that out, or do it in the admin console, where the accounts are seen")
}

/// A new user, by its place among the changes, and whose identity it would be given.
type Taken = (usize, Error);
type Asked<'u> = BoxFuture<'u, Result<Option<Taken>>>;

/// The same of many new users, side by side; answers with those whose links are not free.
pub(super) async fn of_new_users<'u>(
    http: &'u Http,
    users: impl Iterator<Item = (usize, &'u Value)>,
) -> Result<Vec<Taken>> {
    let linked = users.filter(|(_, user)| user.get("federatedIdentities").is_some());
    let asked: Vec<Asked<'u>> = linked.map(|(at, user)| is_taken(http, at, user).boxed()).collect();
    let found: Vec<Option<Taken>> = stream::iter(asked).buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn is_taken(http: &Http, at: usize, user: &Value) -> Result<Option<Taken>> {
    match identities_are_free(http, &Value::Null, user, user.get("id").and_then(Value::as_str)).await {
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(Some((at, error))),
        other => other.map(|()| None),
    }
}
