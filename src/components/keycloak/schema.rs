use crate::model::{Fidelity, FieldRule, FieldShape, KindSchema, Schema};

use super::always_shown::{CLIENT_ALWAYS_SHOWN, SETTINGS_ALWAYS_SHOWN};
use super::canonical::{FLOWS_IN_USE, OF_THE_DIRECTORY, ORDERED};
use super::config::Ids;
use super::held::HELD_BY;
use super::kinds::Kind;

/// What is known of every kind's fields. A list without a rule is one value: the server keeps its order and what is
/// repeated in it, and both mean something. So it is with the values of attributes, of which claims take the first, and
/// with what a realm prefers of WebAuthn. A set is a list that the server gives in an order of its own, freed of repeats.
/// Values of a component's settings are one value in sorted order, for the server gives them in an order of its own.
/// `ids` says what a user of the same name and another id is; `leave` names
/// fields of users that this runbook neither compares nor restores.
pub fn schema(ids: Ids, leave: &[String]) -> Schema {
    let kinds = Kind::ALL.into_iter().map(|kind| {
        let mut fields = match kind {
            Kind::RealmSettings => settings(),
            Kind::Localization => Vec::new(),
            Kind::RequiredAction => ["name", "providerId", "enabled", "defaultAction", "priority"].map(given).to_vec(),
            Kind::UserProfile => profile(),
            Kind::Component => component(),
            Kind::Flow => {
                vec![chosen_once("id"), FieldRule { said: words("ids of its sub-flows"), ..made_once("subFlows") }]
            }
            Kind::ClientScope | Kind::Client => client(),
            Kind::IdentityProvider => provider(),
            Kind::RealmRole | Kind::ClientRole | Kind::Group => role(),
            Kind::Bindings => bindings(),
            Kind::ClientPolicies => vec![keyed("policies", "name"), keyed("profiles", "name")],
            Kind::Organization => organization(),
            Kind::ServiceAccount => user(Ids::New),
            Kind::User => user(ids),
        };
        if matches!(kind, Kind::User | Kind::ServiceAccount) {
            fields.extend(leave.iter().map(|name| FieldRule { ignored: true, ..at(name) }));
        }
        fields.extend(holders());
        if ids == Ids::New {
            // A copy beside the original has none of its ids.
            fields.iter_mut().filter(|rule| rule.path == "id").for_each(|rule| rule.ignored = true);
        }
        let after = after(kind).iter().map(|kind| kind.name().to_owned()).collect();
        let identity = (matches!(kind, Kind::RealmSettings | Kind::User) && ids != Ids::New).then(|| "id".to_owned());
        let fills_in = fills_in(kind);
        (kind.name().to_owned(), KindSchema { fields, after, identity, fills_in, ..KindSchema::default() })
    });
    Schema { kinds: kinds.collect() }
}

/// Whether the server gives fields of its own choice to what is made, where a file does not say them. What roles and
/// groups hold and what people are is compared to the last of it: there a field too many is a right too many.
fn fills_in(kind: Kind) -> bool {
    match kind {
        Kind::RealmSettings
        | Kind::UserProfile
        | Kind::Component
        | Kind::RequiredAction
        | Kind::Flow
        | Kind::ClientScope
        | Kind::IdentityProvider
        | Kind::Client
        | Kind::Bindings
        | Kind::ClientPolicies
        | Kind::Organization => true,
        Kind::Localization | Kind::RealmRole | Kind::ClientRole | Kind::Group | Kind::ServiceAccount | Kind::User => {
            false
        }
    }
}

/// The kinds that a resource of this kind can refer to by name. They are never made by side effect: what refers to
/// one that is missing is refused with its name.
pub fn after(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::RealmSettings => &[],
        Kind::Localization | Kind::UserProfile | Kind::Component | Kind::RequiredAction | Kind::Flow => {
            &[Kind::RealmSettings]
        }
        Kind::ClientScope => &[Kind::RealmSettings],
        Kind::IdentityProvider => &[Kind::Flow],
        Kind::Client => &[Kind::ClientScope, Kind::Flow],
        Kind::RealmRole | Kind::ClientRole => &[Kind::Client],
        Kind::Group => &[Kind::RealmRole, Kind::ClientRole],
        Kind::Bindings => &[Kind::Flow, Kind::ClientScope, Kind::Group],
        Kind::ClientPolicies => &[Kind::RealmRole, Kind::ClientRole, Kind::ClientScope],
        Kind::Organization => &[Kind::IdentityProvider],
        Kind::ServiceAccount => &[Kind::Client, Kind::Group, Kind::RealmRole, Kind::ClientRole],
        Kind::User => &[
            Kind::UserProfile,
            Kind::Component,
            Kind::Client,
            Kind::RealmRole,
            Kind::ClientRole,
            Kind::Group,
            Kind::IdentityProvider,
            Kind::Organization,
        ],
    }
}

fn at(path: &str) -> FieldRule {
    FieldRule { path: path.to_owned(), ..FieldRule::default() }
}

fn set(path: &str) -> FieldRule {
    FieldRule { shape: FieldShape::Set, ..at(path) }
}

/// Client scopes, which are given by default or on request. Never both.
fn scopes() -> [FieldRule; 2] {
    let [default, optional] = ["defaultClientScopes", "optionalClientScopes"];
    exclusive(default, optional)
}

fn exclusive(one: &str, other: &str) -> [FieldRule; 2] {
    [(one, other), (other, one)].map(|(path, beside)| FieldRule {
        excludes: Some(beside.to_owned()),
        given: true,
        ..set(path)
    })
}

/// Attributes of users, groups and organizations: see [`crate::diff::documents::way_to`].
fn attributes_by_way() -> FieldRule {
    FieldRule { by_way: true, ..at("attributes.*") }
}

fn keyed(path: &str, key: &str) -> FieldRule {
    FieldRule { shape: FieldShape::KeyedList { key: key.to_owned() }, ..at(path) }
}

/// An id that only a realm made anew keeps: elsewhere the server gives another one.
fn made_once(path: &str) -> FieldRule {
    FieldRule { create_only: true, fidelity: Fidelity::ReCreated, ..given(path) }
}

/// Filled in by the server where a file does not say it, and always shown: a file without it asks for no change.
fn given(path: &str) -> FieldRule {
    FieldRule { given: true, ..at(path) }
}

/// An id that whoever makes the resource can choose, in a living realm too.
fn chosen_once(path: &str) -> FieldRule {
    FieldRule { created: Some(Fidelity::Exact), ..made_once(path) }
}

/// The server masks it, so it is written with what is created and proven by nothing.
fn hidden_secret(path: &str) -> FieldRule {
    FieldRule { secret: true, create_only: true, fidelity: Fidelity::Unreadable, ..at(path) }
}

/// In words, what a field is called by none but this adapter.
fn words(said: &str) -> Option<String> {
    Some(said.to_owned())
}

fn secret_settings() -> FieldRule {
    FieldRule { said: words("secret settings"), ..hidden_secret("secretConfig") }
}

fn settings() -> Vec<FieldRule> {
    let mut rules: Vec<FieldRule> =
        ["eventsListeners", "enabledEventTypes", "supportedLocales"].into_iter().map(set).collect();
    rules.extend(SETTINGS_ALWAYS_SHOWN.into_iter().filter(|name| *name != "enabled").map(given));
    rules.extend(ORDERED.into_iter().filter(|name| !SETTINGS_ALWAYS_SHOWN.contains(name)).map(given));
    // A realm is opened once all that guards its logins is there.
    rules.push(FieldRule { written_last: true, ..given("enabled") });
    rules.push(made_once("id"));
    rules.push(FieldRule { said: words("password of the mail server"), ..hidden_secret("smtpPassword") });
    rules.push(hidden_secret("privateKey"));
    rules.push(FieldRule { secret: false, ..hidden_secret("certificate") });
    // Told to the server that makes the realm.
    rules.push(FieldRule { ignored: true, ..at("keycloakVersion") });
    rules
}

fn profile() -> Vec<FieldRule> {
    vec![
        keyed("attributes", "name"),
        keyed("groups", "name"),
        given("attributes[].multivalued"),
        set("attributes[].permissions.view"),
        set("attributes[].permissions.edit"),
        FieldRule { create_only: true, ..at("order") },
    ]
}

fn component() -> Vec<FieldRule> {
    vec![chosen_once("id"), secret_settings()]
}

/// A client's secret is shown in clear to those who may see clients, so it is compared. No call takes it away.
fn client() -> Vec<FieldRule> {
    let mut rules = vec![
        chosen_once("id"),
        set("redirectUris"),
        set("webOrigins"),
        FieldRule { secret: true, given: true, ..at("secret") },
        FieldRule { secret: true, ..at("secretAttributes.*") },
        keyed("protocolMappers", "name"),
        keyed("authorizationSettings.resources", "name"),
        keyed("authorizationSettings.policies", "name"),
        keyed("authorizationSettings.scopes", "name"),
        set("scopeMappings.realm"),
        set("scopeMappings.client.*"),
    ];
    rules.extend(scopes());
    rules.extend(CLIENT_ALWAYS_SHOWN.into_iter().map(given));
    rules
}

fn provider() -> Vec<FieldRule> {
    vec![chosen_once("id"), secret_settings(), keyed("mappers", "name")]
}

/// Of roles and of groups. Only the default role has a name beside its key.
fn role() -> Vec<FieldRule> {
    let name = given("name");
    vec![
        made_once("id"),
        name,
        set("composites.realm"),
        set("composites.client.*"),
        set("realmRoles"),
        set("clientRoles.*"),
        attributes_by_way(),
    ]
}

fn bindings() -> Vec<FieldRule> {
    let mut rules = vec![set("defaultGroups")];
    rules.extend(FLOWS_IN_USE.into_iter().map(given));
    rules.extend(exclusive("defaultDefaultClientScopes", "defaultOptionalClientScopes"));
    rules
}

/// Of whom a removal took what, so that an undo can give it back to each.
fn holders() -> Vec<FieldRule> {
    let lists =
        ["users", "groups", "accounts", "clients", "clientScopes", "defaultOf", "optionalOf", "organizations", "realm"];
    let mut rules: Vec<FieldRule> = lists.iter().map(|list| set(&format!("{HELD_BY}.{list}"))).collect();
    rules.push(set(&format!("{HELD_BY}.roles.realm")));
    rules.push(set(&format!("{HELD_BY}.roles.client.*")));
    rules.push(keyed(&format!("{HELD_BY}.links"), "user"));
    rules
}

fn organization() -> Vec<FieldRule> {
    vec![made_once("id"), keyed("domains", "name"), set("identityProviders"), attributes_by_way()]
}

const NO_NOT_BEFORE: &str = "the server sets it for a new user, and by a logout to that moment";
const NO_CONSENTS: &str = "the server takes consents with a new user only; this one is asked at the next login";

const OTHER_ID: &str = "the account of this name has another one, and is as in the backup in all else";

fn user(ids: Ids) -> Vec<FieldRule> {
    let created_exact =
        |path: &str| FieldRule { fidelity: Fidelity::Irreversible, created: Some(Fidelity::Exact), ..at(path) };
    let once = |path: &str| FieldRule { create_only: true, ..at(path) };
    let once_given = |path: &str| FieldRule { given: true, ..once(path) };
    let id = match ids {
        // Another account has the name: what to do about that is a person's to say, so it is a difference, but where
        // nothing of it would be written.
        Ids::Keep => FieldRule { given: true, alone: Some(OTHER_ID.to_owned()), ..created_exact("id") },
        Ids::Accept => once_given("id"),
        Ids::New => FieldRule { ignored: true, ..at("id") },
    };
    let mut rules = vec![
        id,
        once_given("createdTimestamp"),
        FieldRule { missed: Some(NO_NOT_BEFORE.to_owned()), ..once_given("notBefore") },
        given("enabled"),
        given("emailVerified"),
        given("totp"),
        once("federationLink"),
        set("requiredActions"),
        set("groups"),
        set("realmRoles"),
        set("clientRoles.*"),
        set("organizations"),
        set("authorizationPolicies"),
        keyed("ownedResources", "key"),
        set("ownedResources[].uris"),
        keyed("federatedIdentities", "identityProvider"),
        keyed("credentials", "key"),
        FieldRule { said: Some("{}".to_owned()), ..at("credentials[]") },
        FieldRule { said: Some("{}".to_owned()), given: true, ..created_exact("credentials[].state") },
        FieldRule { said: Some("label of the {}".to_owned()), ..at("credentials[].userLabel") },
        FieldRule { ignored: true, secret: true, ..at("credentials[].hidden") },
        FieldRule { missed: Some(NO_CONSENTS.to_owned()), ..keyed("clientConsents", "clientId") },
        FieldRule {
            fidelity: Fidelity::Irreversible,
            created: Some(Fidelity::ReCreated),
            removable: true,
            ..once("clientConsents[]")
        },
        set("clientConsents[].grantedClientScopes"),
        attributes_by_way(),
    ];
    rules.extend(OF_THE_DIRECTORY.iter().map(|name| once(&format!("attributes.{name}"))));
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DocumentPath, PathStep};

    #[test]
    fn the_order_of_kinds_is_that_of_their_dependencies() {
        for kind in Kind::ALL {
            for needed in after(kind) {
                assert!(*needed < kind, "{kind} comes before {needed}, which it can refer to");
            }
        }
        assert!(Kind::ALL.is_sorted());
    }

    #[test]
    fn an_id_is_promised_only_where_the_server_lets_it_be_chosen() {
        let id = |schema: &Schema, kind: Kind| {
            let rule = schema.kinds[kind.name()].fields.iter().find(|rule| rule.path == "id").unwrap();
            (rule.created.unwrap_or(rule.fidelity), rule.ignored)
        };
        let kept = schema(Ids::Keep, &[]);
        for kind in [Kind::Client, Kind::ClientScope, Kind::Flow, Kind::IdentityProvider, Kind::Component, Kind::User] {
            assert_eq!(id(&kept, kind), (Fidelity::Exact, false), "{kind}");
        }
        for kind in [Kind::RealmRole, Kind::ClientRole, Kind::Group, Kind::Organization] {
            assert_eq!(id(&kept, kind), (Fidelity::ReCreated, false), "{kind}");
        }
        let new = schema(Ids::New, &[]);
        assert!(
            Kind::ALL
                .into_iter()
                .filter(|kind| !kind.is_single() && *kind != Kind::Localization && *kind != Kind::RequiredAction)
                .all(|kind| id(&new, kind).1)
        );
    }

    #[test]
    fn credentials_are_named_as_people_name_them() {
        let said = |key: &str, more: &[&str]| {
            let keyed = PathStep::Keyed { key: "key".to_owned(), is: key.into() };
            let more = more.iter().map(|name| PathStep::Field((*name).to_owned()));
            let path = [PathStep::Field("credentials".to_owned()), keyed].into_iter().chain(more).collect();
            schema(Ids::Keep, &[]).kinds["user"].said(&DocumentPath(path))
        };
        assert_eq!(said("password", &["state"]).as_deref(), Some("password"));
        assert_eq!(said("otp@1700000000000", &[]).as_deref(), Some("otp of 2023-11-14 22:13:20"));
        assert_eq!(said("otp@7#2", &["userLabel"]).as_deref(), Some("label of the otp@7#2"));
        assert_eq!(said("password", &["hidden"]), None);
        let of = |kind: Kind, field: &str| {
            let path = DocumentPath(vec![PathStep::Field(field.to_owned())]);
            schema(Ids::Keep, &[]).kinds[kind.name()].words(&path)
        };
        assert_eq!(of(Kind::IdentityProvider, "secretConfig"), "secret settings");
        assert_eq!(of(Kind::Flow, "subFlows"), "ids of its sub-flows");
    }

    #[test]
    fn every_kind_has_a_schema_and_a_folder_of_its_own() {
        let schema = schema(Ids::Keep, &[]);
        let folders: std::collections::BTreeSet<_> = Kind::ALL.into_iter().map(Kind::folder).collect();
        assert_eq!(folders.len(), Kind::ALL.len());
        assert!(Kind::ALL.into_iter().all(|kind| schema.kinds.contains_key(kind.name())));
    }
}
