use serde_json::{Value, json};

use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::document;
use super::planned::Planned;
use super::resources::Told;
use crate::component::{Approved, Refusal};
use crate::model::{DocumentPath, PathStep, Result, some_of};

const ENABLED: &str = "enabled";

/// Settings that let nobody in: a realm that lacks one of them can be opened.
const LETS_NOBODY_IN: [&str; 20] = [
    "displayName",
    "displayNameHtml",
    "loginTheme",
    "accountTheme",
    "adminTheme",
    "emailTheme",
    "smtpServer",
    "smtpPassword",
    "internationalizationEnabled",
    "supportedLocales",
    "defaultLocale",
    "eventsEnabled",
    "eventsExpiration",
    "eventsListeners",
    "enabledEventTypes",
    "adminEventsEnabled",
    "adminEventsDetailsEnabled",
    "defaultGroups",
    "defaultDefaultClientScopes",
    "defaultOptionalClientScopes",
];
/// So many of the parts that keep a realm closed are named.
const NAMED: usize = 5;

/// A realm is made closed: with a part of its settings, of its flows or of its policies only, it might let people in
/// that the backup keeps out. It is opened once all that guards its logins is as approved.
pub(super) fn closed(mut realm: Value) -> Value {
    if let Some(fields) = realm.as_object_mut() {
        fields.insert(ENABLED.to_owned(), json!(false));
    }
    realm
}

/// Opening is left for the end, whatever else of the settings is written.
pub(super) fn hold_back(plan: &mut Planned<'_>) {
    let is_open = |of: &Value| of.get(ENABLED).and_then(Value::as_bool) == Some(true);
    if plan.kind == Kind::RealmSettings
        && !plan.removes
        && is_open(&plan.to)
        && !is_open(&plan.from)
        && let Some(fields) = plan.to.as_object_mut()
    {
        fields.insert(ENABLED.to_owned(), json!(false));
    }
}

impl Keycloak {
    /// The last thing that is written, if it is wanted and nothing that guards the logins is otherwise than approved.
    pub(super) async fn open(&self, changes: &[(usize, &Approved)], told: &mut Told) {
        let opens = |one: &Approved| {
            let is_open = |side| document(side).get(ENABLED).and_then(Value::as_bool) == Some(true);
            is_of(one, Kind::RealmSettings) && is_open(&one.expected) && !is_open(&one.live)
        };
        let Some((at, _)) = changes.iter().find(|(_, one)| opens(one)) else { return };
        if told.failed.contains_key(at) {
            return;
        }
        let guards: Vec<String> = changes
            .iter()
            .filter(|(at, one)| told.failed.contains_key(at) && guards(one, None))
            .map(|(_, one)| one.change.id.to_string())
            .chain(changes.iter().flat_map(|(at, one)| {
                let refused = told.refused.get(at).map_or(&[][..], Vec::as_slice);
                refused.iter().filter(|refused| guards(one, Some(refused))).map(|refused| refused.place.to_string())
            }))
            .collect();
        if !guards.is_empty() {
            let named = some_of(guards, NAMED, ", ");
            let why = format!("the realm stays closed to logins, for {named} guard them and are not as approved");
            told.refused.entry(*at).or_default().push(Refusal { place: field(ENABLED), why });
            return;
        }
        if let Err(error) = self.put_enabled().await {
            let refusal = Refusal { place: field(ENABLED), why: error.chain() };
            told.refused.entry(*at).or_default().push(refusal);
        }
    }

    async fn put_enabled(&self) -> Result<()> {
        let http = &self.live.http;
        http.still_held().await?;
        let mut realm = http.get("", &[]).await?;
        if let Some(fields) = realm.as_object_mut() {
            fields.remove("id");
            fields.insert(ENABLED.to_owned(), json!(true));
        }
        http.write(reqwest::Method::PUT, "", Some(&realm)).await.map(|_| ())
    }
}

fn field(name: &str) -> DocumentPath {
    DocumentPath(vec![PathStep::Field(name.to_owned())])
}

fn is_of(one: &Approved, kind: Kind) -> bool {
    matches!(Kind::of_id(&one.change.id), Ok((found, _)) if found == kind)
}

/// Whether somebody could get in for want of it.
fn guards(one: &Approved, refused: Option<&Refusal>) -> bool {
    let Ok((kind, names)) = Kind::of_id(&one.change.id) else { return false };
    match kind {
        Kind::RealmSettings | Kind::Bindings => refused.is_none_or(|refused| {
            let first = refused.place.0.first();
            !matches!(first, Some(PathStep::Field(name)) if LETS_NOBODY_IN.contains(&name.as_str()))
        }),
        Kind::Flow | Kind::RequiredAction | Kind::UserProfile | Kind::ClientPolicies => true,
        // Without its keys a realm makes new ones, without its directory it knows fewer people.
        Kind::Component => {
            let of = names.first().map_or("", String::as_str);
            !of.ends_with(".KeyProvider") && !of.ends_with("StorageProvider") && !of.ends_with("StorageMapper")
        }
        _ => false,
    }
}
