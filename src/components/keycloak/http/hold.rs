use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::components::keycloak::canonical::HOLDER;
use crate::model::TargetHolder;

/// What a session leaves in an attribute of the realm while it writes there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    /// Higher each time it is taken from somebody: of two that believe they have it, the lower one is refused.
    pub epoch: u64,
    #[serde(flatten)]
    pub holder: TargetHolder,
    /// That run has made the realm: it was born with this name in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made: bool,
}

/// A longer text is none of ours.
const MAX_BYTES: usize = 4096;

impl Hold {
    /// Of the realm's representation. What cannot be read is somebody's all the same.
    pub fn of(realm: &Value) -> Option<Self> {
        let text = realm.get("attributes")?.get(HOLDER)?.as_str()?;
        let read = (text.len() <= MAX_BYTES).then(|| serde_json::from_str(text).ok()).flatten();
        let nobody_known = || TargetHolder { run: "of unknown name".to_owned(), by: "somebody".to_owned(), since: 0 };
        Some(read.unwrap_or_else(|| Self { epoch: u64::MAX, holder: nobody_known(), made: false }))
    }

    pub fn has_made(&self, run: &str) -> bool {
        self.made && self.holder.run == run
    }

    /// The realm's representation with this name in it instead of the former, or with none. All the rest goes with it:
    /// the server resets some settings whose attributes are not sent.
    pub fn laid_over(realm: &Value, hold: Option<&Self>) -> Value {
        let mut body = realm.clone();
        let Some(fields) = body.as_object_mut() else { return body };
        let attributes = fields.entry("attributes").or_insert_with(|| Value::Object(Map::new()));
        if let Some(attributes) = attributes.as_object_mut() {
            attributes.remove(HOLDER);
            attributes.extend(hold.map(|hold| (HOLDER.to_owned(), json!(hold.text()))));
        }
        body
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_was_laid_over_a_realm_is_read_again_and_all_else_stays() {
        let holder = TargetHolder { run: "r1".to_owned(), by: "ana@bastion".to_owned(), since: 7 };
        let hold = Hold { epoch: 3, holder, made: true };
        let realm = json!({"realm": "staff", "attributes": {"cibaInterval": "9"}});
        let held = Hold::laid_over(&realm, Some(&hold));
        assert_eq!(Hold::of(&held), Some(hold));
        let free = Hold::laid_over(&held, None);
        assert_eq!(free, realm);
        assert_eq!(Hold::of(&free), None);
        assert_eq!(Hold::of(&json!({"realm": "staff"})), None, "a login that sees no attributes");
    }

    #[test]
    fn what_cannot_be_read_is_held_by_somebody() {
        let long = format!("{{\"epoch\":1,\"run\":\"{}\",\"by\":\"a@b\",\"since\":1}}", "r".repeat(MAX_BYTES));
        for text in ["", "mine", "{\"epoch\":-1}", &long] {
            let found = Hold::of(&json!({"attributes": {HOLDER: text}})).unwrap();
            assert_eq!((found.epoch, found.holder.by.as_str()), (u64::MAX, "somebody"), "{text}");
        }
    }
}
