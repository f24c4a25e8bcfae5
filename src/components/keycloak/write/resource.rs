use super::super::http::segment;
use super::super::kinds::Kind;
use super::call::Call;
use super::standing::Standing;
use super::target::Target;
use super::{client, flow, provider, realm, role, user};
use crate::model::{Error, ErrorKind, Result};

/// What a resource that is there is read from again just before it is written, so that fields that nobody knows stay.
pub(super) fn raw_paths(kind: Kind, names: &[String], standing: &Standing) -> Result<Vec<String>> {
    let own: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = segment(own.last().copied().unwrap_or_default());
    let by_id =
        |folder: &str| -> Result<Vec<String>> { Ok(vec![format!("/{folder}/{}", segment(standing.id(kind, &own)?))]) };
    Ok(match kind {
        Kind::RealmSettings | Kind::Bindings => vec![String::new()],
        Kind::UserProfile => vec!["/users/profile".to_owned()],
        Kind::ClientPolicies => vec!["/client-policies/profiles".to_owned(), "/client-policies/policies".to_owned()],
        Kind::Component => by_id("components")?,
        Kind::RequiredAction => vec![format!("/authentication/required-actions/{name}")],
        Kind::Flow => vec![format!("/authentication/flows/{name}/executions")],
        Kind::ClientScope => by_id("client-scopes")?,
        Kind::Client => by_id("clients")?,
        Kind::Organization => by_id("organizations")?,
        Kind::IdentityProvider => {
            let at = format!("/identity-provider/instances/{name}");
            vec![at.clone(), format!("{at}/mappers")]
        }
        Kind::ServiceAccount => {
            let client = standing.id(Kind::Client, &own)?;
            vec![format!("/clients/{}/service-account-user", segment(client))]
        }
        Kind::Localization | Kind::RealmRole | Kind::ClientRole | Kind::Group | Kind::User => Vec::new(),
    })
}

/// The calls that write a resource by itself: what it refers to may still be to come.
pub(super) fn body_calls(target: &Target<'_>) -> Result<Vec<Call>> {
    match target.kind {
        Kind::RealmSettings => realm::settings(target),
        Kind::Localization => realm::localization(target),
        Kind::UserProfile => realm::profile(target),
        Kind::Component => provider::component(target),
        Kind::RequiredAction => provider::required_action(target),
        Kind::Flow => flow::body(target),
        Kind::ClientScope => client::scope(target),
        Kind::IdentityProvider => provider::body(target),
        Kind::Client => client::body(target),
        Kind::RealmRole | Kind::ClientRole => role::body(target),
        Kind::Group => role::group(target),
        Kind::Organization => provider::organization(target),
        Kind::Bindings | Kind::ClientPolicies | Kind::ServiceAccount | Kind::User => Ok(Vec::new()),
    }
}

/// The calls for what it refers to, once all that is made is there.
pub(super) fn link_calls(target: &Target<'_>) -> Result<Vec<Call>> {
    match target.kind {
        Kind::ClientScope | Kind::Client => client::links(target),
        Kind::RealmRole | Kind::ClientRole => role::links(target),
        Kind::Group => role::group_links(target),
        Kind::Organization => provider::organization_links(target),
        Kind::Bindings => realm::bindings(target),
        Kind::ClientPolicies => realm::policies(target),
        Kind::ServiceAccount => {
            let raw = target.raw(0);
            let id = super::target::text(raw, "id").unwrap_or_default();
            user::calls(id, target.from, target.to, target.to, raw, target.standing)
        }
        _ => Ok(Vec::new()),
    }
}

/// The call that takes a resource away.
pub(super) fn delete_call(kind: Kind, names: &[String], standing: &Standing) -> Result<Call> {
    let own: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = segment(own.last().copied().unwrap_or_default());
    let by_id =
        |folder: &str| -> Result<Call> { Ok(Call::delete(format!("/{folder}/{}", segment(standing.id(kind, &own)?)))) };
    match kind {
        Kind::Localization => Ok(Call::delete(format!("/localization/{name}"))),
        Kind::Component => by_id("components"),
        Kind::RequiredAction => Ok(Call::delete(format!("/authentication/required-actions/{name}"))),
        Kind::Flow => by_id("authentication/flows"),
        Kind::ClientScope => by_id("client-scopes"),
        Kind::IdentityProvider => Ok(Call::delete(format!("/identity-provider/instances/{name}"))),
        Kind::Client => by_id("clients"),
        Kind::RealmRole | Kind::ClientRole => by_id("roles-by-id"),
        Kind::Group => by_id("groups"),
        Kind::Organization => by_id("organizations"),
        Kind::RealmSettings
        | Kind::UserProfile
        | Kind::Bindings
        | Kind::ClientPolicies
        | Kind::ServiceAccount
        | Kind::User => {
            let why = "it is a part of what holds it and goes with that only";
            Err(Error::new(ErrorKind::Unsupported, format!("remove {}", kind.id(names)), why)
                .next("remove the realm or the client itself in the admin console"))
        }
    }
}
