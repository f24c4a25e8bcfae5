use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;

use super::super::always_shown::is_of_every_realm;
use super::super::config::Ids;
use super::super::held::HELD_BY;
use super::super::kinds::Kind;
use super::super::live::{Keycloak, RealmView};
use super::new_realm::{Wanted, representation};
use super::opening;
use super::pieces::is_refusal;
use super::realm::MADE_WITH;
use super::self_contained::without_missing;
use super::standing::Standing;
use super::{document, target::without};
use crate::component::{Approved, Maker};
use crate::model::{Error, ErrorKind, Known, Result, visible};

pub(super) const OTHER_REALM: &str = "if it is this realm under a new name, name it in the runbook as it is named now, or \
     rename it; for a copy beside it, set 'ids: new' at the component";

/// Kind, names and what is wanted.
type One = (Kind, Vec<String>, Value);

/// Kinds that are left out together, one group after the other, where the server refuses the whole: each can be written
/// once the realm is there, resource by resource. The likeliest are first; the last ones get new ids by that.
const PARTS: [&[Kind]; 10] = [
    &[Kind::RealmSettings],
    &[Kind::Flow, Kind::Bindings],
    &[Kind::Component],
    &[Kind::Client],
    &[Kind::IdentityProvider],
    &[Kind::UserProfile],
    &[Kind::Localization, Kind::RequiredAction],
    &[Kind::ClientScope],
    &[Kind::Organization],
    &[Kind::RealmRole, Kind::ClientRole, Kind::Group],
];
/// What is left out at once where several parts are refused: all that keeps its ids elsewhere too, then everything.
const MANY_PARTS: [&[Kind]; 2] = [
    &[
        Kind::RealmSettings,
        Kind::Flow,
        Kind::Bindings,
        Kind::Component,
        Kind::IdentityProvider,
        Kind::UserProfile,
        Kind::Localization,
        Kind::RequiredAction,
        Kind::Organization,
    ],
    &Kind::ALL,
];

impl Keycloak {
    /// A realm that is not there, made with all that is wanted in it at once: so everything keeps its id. Where the
    /// server refuses the whole, the part that it refuses is left out, and is for the caller to write.
    pub(super) async fn create_realm(
        &self,
        standing: Standing,
        changes: &[(usize, &Approved)],
    ) -> Result<Standing, (Standing, Error)> {
        let documents: Vec<One> = changes.iter().filter_map(|(_, one)| wanted_of(one)).collect();
        if !documents.iter().any(|(kind, _, _)| *kind == Kind::RealmSettings) {
            let realm = visible(&self.live.http.config.realm);
            let error = Error::new(ErrorKind::NotFound, "write into the realm", format!("there is no realm {realm}"))
                .next("restore realm/settings with it or before it: that makes the realm");
            return Err((standing, error));
        }
        let first = match self.make_realm(&documents).await {
            Ok(view) => return Ok(standing.looked_again(view)),
            // A call of this run that was cut off is done now.
            Err(error) if error.kind() == ErrorKind::Conflict && self.is_made_by_this_run(changes).await => {
                return match self.live.realm_now().await {
                    Ok(view) => Ok(standing.looked_again(view)),
                    Err(_) => Err((standing, error)),
                };
            }
            Err(error) if is_refusal(&error) => error,
            Err(error) => return Err((standing, error)),
        };
        let holds = |parts: &[Kind]| documents.iter().any(|(kind, _, _)| parts.contains(kind));
        // A part that cannot be missing is no part that can be left out alone: the next one is tried.
        let goes_on = |error: &Error| is_refusal(error) || error.kind() == ErrorKind::Conflict;
        for parts in PARTS.into_iter().filter(|parts| holds(parts)).chain(MANY_PARTS) {
            match self.make_realm(&without_parts(&documents, parts)).await {
                Ok(view) => return Ok(standing.looked_again(view)),
                Err(error) if goes_on(&error) => {}
                Err(error) => return Err((standing, error)),
            }
        }
        Err((standing, first))
    }

    async fn is_made_by_this_run(&self, changes: &[(usize, &Approved)]) -> bool {
        let Some((_, one)) = changes.first() else { return false };
        matches!(self.live.http.maker(&one.run, None).await, Ok(Maker::ThisRun))
    }

    /// In words, which realm has the id that this one is to have.
    pub(super) async fn renamed_realm(&self, settings: &Value) -> Option<String> {
        let id = settings.get("id").and_then(Value::as_str)?;
        let realms = self.live.http.realms().await.ok()?;
        let name = realms.as_array()?.iter().find(|one| one.get("id").and_then(Value::as_str) == Some(id))?;
        let name = visible(name.get("realm").and_then(Value::as_str)?).into_owned();
        Some(format!("its id {} is here the one of the realm {name}, perhaps itself under a new name", visible(id)))
    }

    /// The one call. Answers the realm as it is then.
    async fn make_realm(&self, documents: &[One]) -> Result<Arc<RealmView>> {
        let http = &self.live.http;
        let documents = without_missing(documents.to_vec());
        let wanted: Vec<Wanted<'_>> =
            documents.iter().map(|(kind, names, wanted)| (*kind, names.clone(), wanted)).collect();
        let body = representation(&http.config.realm, &wanted, http.config.ids != Ids::New);
        let body = http.with_holder(opening::closed(body)).await;
        let made = http.write_to(Method::POST, &http.realms_url(), Some(&body)).await;
        match (made, self.live.realm_now().await) {
            (Ok(_), Ok(view)) => Ok(view),
            (Ok(_), Err(error)) => Err(error.known(Known::Unknown)),
            // The connection may have gone while the server was at it.
            (Err(error), Ok(view)) if error.effect() == Known::Unknown && view.realm.is_some() => Ok(view),
            // No realm has this name, so what is there already are the ids.
            (Err(error), Ok(view)) if error.kind() == ErrorKind::Conflict && view.realm.is_none() => {
                let settings = wanted.iter().find(|(kind, _, _)| *kind == Kind::RealmSettings);
                let named = self.renamed_realm(settings.map_or(&Value::Null, |(_, _, document)| document)).await;
                let next = "another realm of this server has ids that the backup holds: for a copy beside it, set \
                            'ids: new' at the component; else check the realm's name in the runbook";
                Err(named.map_or(error.next(next), |why| taken_realm(&http.config.realm, why)))
            }
            // The server said that it failed, and the realm is not there.
            (Err(error), Ok(view)) if is_refusal(&error) && view.realm.is_none() => Err(error.known(Known::NotApplied)),
            // It may still be at it, where nobody knows.
            (Err(error), _) => Err(error),
        }
    }
}

fn taken_realm(realm: &str, why: String) -> Error {
    Error::new(ErrorKind::Conflict, format!("make the realm {}", visible(realm)), why)
        .known(Known::NotApplied)
        .next(OTHER_REALM)
}

fn wanted_of(one: &Approved) -> Option<One> {
    let (kind, names) = Kind::of_id(&one.change.id).ok()?;
    one.expected.as_ref()?;
    let mut wanted = without(document(&one.expected), &[HELD_BY]);
    // Elsewhere a service account's id is the server's to give, so it is not compared; here it can be kept.
    let apart = match kind {
        Kind::ServiceAccount => "id",
        Kind::RealmSettings => "keycloakVersion",
        _ => "",
    };
    if let (Some(fields), Some(value)) = (wanted.as_object_mut(), document(&one.desired).get(apart)) {
        fields.entry(apart).or_insert_with(|| value.clone());
    }
    Some((kind, names, wanted))
}

/// The settings are what makes a realm: of them stays what can only be given then.
fn without_parts(documents: &[One], parts: &[Kind]) -> Vec<One> {
    let left = |(kind, names, wanted): &One| match kind {
        Kind::RealmSettings if parts.contains(kind) => {
            let kept = MADE_WITH.iter().filter_map(|name| Some(((*name).to_owned(), wanted.get(*name)?.clone())));
            Some((*kind, names.clone(), Value::Object(kept.collect())))
        }
        // The server's own clients come with every realm, and would come twice. What is a client's goes with it.
        Kind::Client | Kind::ClientRole | Kind::ServiceAccount if parts.contains(&Kind::Client) => {
            let client = Kind::Client.id(&names[..names.len().min(1)]);
            is_of_every_realm(&client.key).then(|| (*kind, names.clone(), wanted.clone()))
        }
        // What overrides a flow is found by the flow's id.
        Kind::Client if parts.contains(&Kind::Flow) && !parts.contains(kind) => {
            Some((*kind, names.clone(), without(wanted, &["authenticationFlowBindingOverrides"])))
        }
        kind => (!parts.contains(kind)).then(|| (*kind, names.clone(), wanted.clone())),
    };
    documents.iter().filter_map(left).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_realm_without_a_part_keeps_its_id_and_all_else() {
        let documents = [
            (Kind::Client, vec!["account".to_owned()], json!({})),
            (Kind::RealmSettings, vec![], json!({"id": "r1", "sslRequired": "sometimes"})),
            (Kind::Client, vec!["app".to_owned()], json!({"authenticationFlowBindingOverrides": {"browser": "mine"}})),
            (Kind::ServiceAccount, vec!["app".to_owned()], json!({})),
        ];
        let of = |parts: &[Kind]| without_parts(&documents, parts);
        assert_eq!(of(&[Kind::RealmSettings])[1].2, json!({"id": "r1"}));
        assert_eq!(of(&[Kind::RealmSettings]).len(), 4);
        assert_eq!(
            of(&[Kind::Client]).len(),
            2,
            "the server's own client stays, a service account goes with its client"
        );
        assert_eq!(of(&[Kind::Flow])[2].2, json!({}));
        assert_eq!(of(&Kind::ALL).len(), 2);
    }
}
