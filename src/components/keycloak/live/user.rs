use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::realm_view::{list, text};
use crate::components::keycloak::http::Http;
use crate::model::Result;

/// The first line of a call may have 4,096 bytes on the server; a blank and a colon take up to three each.
const MOST_IDS: usize = 3000;
const SIDE_BY_SIDE: usize = 4;

/// A user as the server shows it, and what lists tell of it.
#[derive(Clone, Debug)]
pub(in crate::components::keycloak) struct User {
    pub id: String,
    pub representation: Value,
    /// Whether some identity provider knows this user.
    pub linked: bool,
    pub organizations: Vec<String>,
}

impl User {
    /// Ids of the groups that it is in.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        list(&self.representation, "groups").iter().filter_map(Value::as_str)
    }

    pub fn is_named(&self, name: &str) -> bool {
        text(&self.representation, "username").is_some_and(|own| own.to_lowercase() == name)
    }
}

/// A user without what describes the profile's form, which is most of an answer and is passed over unread.
#[derive(Deserialize)]
struct Lean {
    #[serde(default, rename = "userProfileMetadata")]
    _form: IgnoredAny,
    #[serde(default, rename = "access")]
    _access: IgnoredAny,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Lean {
    fn id(&self) -> Option<&str> {
        self.fields.get("id").and_then(Value::as_str)
    }
}

/// The same of one that is held as a value.
pub(super) fn lean(user: &Value) -> Value {
    Value::Object(Lean::deserialize(user).map(|lean| lean.fields).unwrap_or_default())
}

/// Those of these ids that are there, with all their attributes: a third of the time that pages of everybody take,
/// and nobody is missed who moves to another page. A server of before version 22 knows no more than one id a call,
/// and answers none.
pub(super) async fn of_ids(http: &Http, ids: Vec<String>) -> Result<HashMap<String, User>> {
    let calls = stream::iter(queries(ids)).map(|search| async move {
        let query = [("briefRepresentation", "false"), ("search", search.as_str())];
        http.read(Method::GET, "/users", &query).await?.items::<Lean>()
    });
    let found: Vec<Vec<Lean>> = calls.buffer_unordered(SIDE_BY_SIDE).try_collect().await?;
    let user = |lean: Lean| {
        let id = lean.id()?.to_owned();
        Some((
            id.clone(),
            User { id, representation: Value::Object(lean.fields), linked: false, organizations: vec![] },
        ))
    };
    Ok(found.into_iter().flatten().filter_map(user).collect())
}

/// As many ids in each as one call takes. An id may be anything that a file once held.
fn queries(ids: Vec<String>) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    let mut room = 0;
    let askable = |id: &String| id.len() < MOST_IDS / 3 && !id.is_empty() && !id.contains(char::is_whitespace);
    for id in ids.into_iter().filter(askable) {
        let cost =
            3 + id.bytes().map(|byte| if byte.is_ascii_alphanumeric() || byte == b'-' { 1 } else { 3 }).sum::<usize>();
        match queries.last_mut() {
            Some(last) if cost <= room => {
                last.push(' ');
                last.push_str(&id);
                room -= cost;
            }
            _ => {
                queries.push(format!("id:{id}"));
                room = MOST_IDS.saturating_sub(cost);
            }
        }
    }
    queries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_share_calls_as_far_as_a_line_of_the_server_goes() {
        let ids: Vec<String> = (0..1000).map(|at| format!("20b20194-0000-4000-8000-{at:012}")).collect();
        let asked = queries(ids.clone());
        assert!(asked.iter().all(|query| query.len() < 3500), "{:?}", asked.first());
        assert!(asked.len() <= 14, "{}", asked.len());
        let told: Vec<&str> = asked.iter().flat_map(|query| query.strip_prefix("id:").unwrap().split(' ')).collect();
        assert_eq!(told, ids);
    }

    #[test]
    fn what_cannot_be_an_id_among_others_is_not_asked_for() {
        let strange = ["", "two words", "tab\there", &"x".repeat(5000)];
        assert!(queries(strange.map(str::to_owned).to_vec()).is_empty());
        assert!(queries(Vec::new()).is_empty());
        let long: Vec<String> = (0..9).map(|at| format!("{at}{}", "é".repeat(400))).collect();
        assert_eq!(queries(long).len(), 9, "800 bytes are 2,400 in a call");
    }
}
