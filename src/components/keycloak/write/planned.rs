use serde_json::{Value, json};

use super::super::canonical::{DEFAULT_ROLE, DIRECTORY, as_said};
use super::super::held::HELD_BY;
use super::super::kinds::Kind;
use super::execute::conflict;
use super::standing::Standing;
use super::target::{Target, field, without};
use super::{document, empty, found};
use crate::component::{Approved, Found};
use crate::diff::documents::{filled_in, off_the_way};
use crate::model::{Document, KindSchema, Result, Schema};

/// Given to what is created, and shown by no server, so it says nothing of what is there.
const UNSEEN: [&str; 7] =
    ["id", "secretConfig", "smtpPassword", "subFlows", "privateKey", "certificate", "keycloakVersion"];

/// The server's to give, and otherwise after each write of what they belong to.
const FOLLOWING: [&str; 3] = ["id", "subFlows", "order"];

/// What a change is looked at by, besides what is there.
#[derive(Clone, Copy)]
pub(super) struct Terms<'s> {
    pub schema: &'s Schema,
    pub keeps_ids: bool,
    /// A try of this write may have been at it already.
    pub again: bool,
    /// A server of this version wrote the backup: what it lacks is not there.
    pub is_whole: bool,
}

/// One approved change of a resource, looked at beside what is there now.
pub(super) struct Planned<'a> {
    pub at: usize,
    pub approved: &'a Approved,
    pub kind: Kind,
    pub names: Vec<String>,
    pub from: Value,
    pub to: Value,
    pub is_new: bool,
    pub removes: bool,
    pub found: Found,
    /// Who held it before it was removed, and is to hold it again.
    pub held: Value,
    /// Whom the plan of its removal named.
    pub held_before: Value,
}

impl<'a> Planned<'a> {
    /// A resource that is not as it was planned from is a conflict, unless it is on the way to what is wanted.
    pub fn of(at: usize, approved: &'a Approved, standing: &Standing, terms: Terms<'_>) -> Result<Self> {
        let id = &approved.change.id;
        let (kind, names) = Kind::of_id(id)?;
        let key = kind.id(&names).key;
        let (live, expected) = (document(&approved.live), document(&approved.expected));
        let (held_before, held) = (field(live, HELD_BY).clone(), field(expected, HELD_BY).clone());
        let (live, expected) = (&without(live, &[HELD_BY]), &without(expected, &[HELD_BY]));
        let removes = approved.expected.is_none();
        let now = standing.document(&key).map(|now| as_said(kind, now, if removes { live } else { expected }));
        // An undo was planned from what is there beside what the run had written.
        let now = now.map(|now| if approved.live.is_some() { as_said(kind, &now, live) } else { now });
        let now = now.as_ref();
        let mut to = expected.clone();
        if !terms.keeps_ids {
            to = without(&to, &["id"]);
        }
        let made_apart =
            matches!(kind, Kind::ServiceAccount | Kind::Bindings | Kind::UserProfile | Kind::ClientPolicies);
        let is_ours = terms.again || standing.is_ours(&key) || made_apart;
        let schema = terms.schema.kind(&id.kind);
        let found = match now == Some(live) || is_ours {
            true => Found::AsPlanned,
            false => with_holders(found(now, &approved.live), &held_before),
        };
        match (now, &approved.live) {
            (None, None) => {}
            (None, Some(_)) if removes => {}
            (None, Some(_)) => return Err(conflict(id, "it is gone since the plan was made")),
            (Some(_), None) if is_ours => {}
            (Some(now), None) => {
                let made = without(&to, &UNSEEN);
                if off_the_way(Some(&made), &without(now, &UNSEEN), &made, schema).is_some() {
                    return Err(conflict(id, "somebody has made it since the plan was made"));
                }
            }
            (Some(now), Some(_)) => {
                let wanted = if removes { live } else { expected };
                let bare = |of: &Value| without(of, &FOLLOWING);
                if let Some(place) = off_the_way(Some(&bare(live)), &bare(now), &bare(wanted), schema) {
                    return Err(conflict(id, format!("its {place} has changed since the plan was made")));
                }
            }
        }
        let is_new = now.is_none() && !removes;
        let from = match now {
            // What the server made on its own holds no secret that could be seen, nor was asked for one.
            Some(now) if approved.live.is_none() => {
                let from = without(now, &["id"]);
                let seen = without(&to, &UNSEEN);
                // Of these the server takes back what it has filled in.
                let takes_back = terms.is_whole && matches!(kind, Kind::Client | Kind::ClientScope);
                to = match schema.fills_in && standing.is_ours(&key) && !takes_back {
                    true => filled_in(seen, &from, schema),
                    false => with_given(seen, now, schema),
                };
                from
            }
            Some(now) => {
                to = without(&to, &["id"]);
                without(now, &["id"])
            }
            None => json!({}),
        };
        Ok(Self { at, approved, kind, names, from, to, is_new, removes, found, held, held_before })
    }

    /// The same change with another end.
    pub fn with(&self, to: Value) -> Self {
        let (from, names, found) = (self.from.clone(), self.names.clone(), Found::AsPlanned);
        let (at, approved, kind, is_new, removes) = (self.at, self.approved, self.kind, self.is_new, self.removes);
        let (held, held_before) = (self.held.clone(), self.held_before.clone());
        Self { at, approved, kind, names, from, to, is_new, removes, found, held, held_before }
    }

    pub fn target<'t>(&'t self, raw: &'t [Value], standing: &'t Standing) -> Target<'t> {
        let from = if self.is_new { empty() } else { &self.from };
        Target { kind: self.kind, names: &self.names, from, to: &self.to, is_new: self.is_new, raw, standing }
    }

    /// Once it is made: what the server gave to it that nobody wants.
    pub fn mended(&self, standing: &Standing, schema: &Schema) -> Option<Self> {
        let now = as_said(self.kind, standing.document(&self.kind.id(&self.names).key)?, &self.to);
        let to = with_given(without(&self.to, &UNSEEN), &now, schema.kind(self.kind.name()));
        let mut from = without(&now, &["id"]);
        // A secret that the backup does not tell is the server's to make.
        if let Some(Value::Object(made)) = from.get_mut("secretAttributes") {
            made.retain(|name, _| to.get("secretAttributes").is_some_and(|told| told.get(name).is_some()));
        }
        let (names, is_new, removes) = (self.names.clone(), false, false);
        let (at, approved, kind, found) = (self.at, self.approved, self.kind, Found::AsPlanned);
        let (held, held_before) = (Value::Null, Value::Null);
        Some(Self { at, approved, kind, names, from, to, is_new, removes, found, held, held_before })
    }

    /// The first place where what is there now is not what was written.
    pub fn otherwise(&self, standing: &Standing, schema: &Schema) -> Option<String> {
        let now = as_said(self.kind, standing.document(&self.kind.id(&self.names).key)?, &self.to);
        let wanted = without(&self.to, &UNSEEN);
        off_the_way(Some(&wanted), &without(&now, &UNSEEN), &wanted, schema.kind(self.kind.name()))
    }

    pub fn is_done(&self, standing: &Standing) -> bool {
        self.removes && !standing.has(&self.kind.id(&self.names).key)
    }

    /// Whether the other one can be written at the same time: neither lies in the other, nor do they refer to each
    /// other but by links.
    pub fn goes_beside(&self, other: &Self) -> bool {
        let many =
            matches!(self.kind, Kind::Client | Kind::RealmRole | Kind::ClientRole | Kind::Group | Kind::ServiceAccount);
        many && self.kind == other.kind && self.names.len() == other.names.len()
    }

    /// Whether the server makes an account for it, or the role of its authorization service.
    pub fn makes_account(&self) -> bool {
        let comes = |name: &str| {
            let is = |of: &Value| of.get(name).and_then(Value::as_bool) == Some(true);
            is(&self.to) && (self.is_new || !is(&self.from))
        };
        self.kind == Kind::Client && (comes("authorizationServicesEnabled") || comes("serviceAccountsEnabled"))
    }

    /// Whether there is no body of its own to write before what it refers to.
    pub fn is_all_links(&self) -> bool {
        matches!(self.kind, Kind::Bindings | Kind::ClientPolicies | Kind::ServiceAccount)
    }

    /// A directory of people, which comes with mappers.
    pub fn is_new_directory(&self) -> bool {
        let is_directory = self.names.len() == 2 && self.names.first().is_some_and(|of| of == DIRECTORY);
        self.kind == Kind::Component && self.is_new && is_directory
    }

    /// The name that it gives to the realm's default role.
    pub fn default_role(&self) -> Option<&str> {
        let is_it = self.kind == Kind::RealmRole && self.names.first().map(String::as_str) == Some(DEFAULT_ROLE);
        self.to.get("name").and_then(Value::as_str).filter(|_| is_it)
    }

    /// LDAP's mappers come with their provider, some by themselves, so the provider is first.
    pub fn is_deep(&self) -> bool {
        self.kind == Kind::Component && self.names.len() > 2
    }
}

/// What was found, with whom the plan named: it says nothing of them.
fn with_holders(found: Found, held: &Value) -> Found {
    let Found::Document(mut document) = found else { return found };
    if held.is_object() {
        let mut value = Value::clone(&document.value);
        value[HELD_BY] = held.clone();
        document = Document::new(value);
    }
    Found::Document(document)
}

/// What is wanted, with what the server filled in where the backup says nothing.
fn with_given(mut wanted: Value, now: &Value, schema: &KindSchema) -> Value {
    for rule in schema.fields.iter().filter(|rule| rule.given && !UNSEEN.contains(&rule.path.as_str())) {
        let (mut into, mut from) = (Some(&mut wanted), Some(now));
        let mut steps = rule.path.split('.').peekable();
        while let Some(step) = steps.next() {
            let Some(fields) = into.take().and_then(Value::as_object_mut) else { break };
            from = from.and_then(|from| from.get(step));
            let Some(there) = from else { break };
            if steps.peek().is_some() {
                into = fields.get_mut(step);
                continue;
            }
            match (fields.get_mut(step), there) {
                (None, there) => {
                    fields.insert(step.to_owned(), there.clone());
                }
                (Some(Value::Object(wanted)), Value::Object(there)) => {
                    for (name, value) in there {
                        wanted.entry(name.clone()).or_insert_with(|| value.clone());
                    }
                }
                _ => {}
            }
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::keycloak::config::Ids;
    use crate::components::keycloak::schema::schema;

    #[test]
    fn what_the_backup_does_not_say_stays_as_the_server_filled_it_in() {
        let schema = schema(Ids::Keep, &[]);
        let of = |kind: Kind, wanted: Value, now: Value| with_given(wanted, &now, schema.kind(kind.name()));
        assert_eq!(
            of(
                Kind::Bindings,
                json!({"browserFlow": "mine"}),
                json!({"browserFlow": "browser", "firstBrokerLoginFlow": "x"})
            ),
            json!({"browserFlow": "mine", "firstBrokerLoginFlow": "x"})
        );
        let now = json!({"sslRequired": "external", "displayName": "made since", "browserSecurityHeaders": {"a": "1", "b": "1"},
            "attributes": {"cibaInterval": "5", "mine": "1"}});
        let wanted = json!({"browserSecurityHeaders": {"a": ""}, "attributes": {}});
        assert_eq!(
            of(Kind::RealmSettings, wanted, now),
            json!({"sslRequired": "external", "browserSecurityHeaders": {"a": "", "b": "1"}, "attributes": {"cibaInterval": "5"}})
        );
    }
}
