//! The shape of `config.toml` for editors. Reading it says more; this says what may be written where.

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};

/// The JSON Schema of `config.toml`.
pub fn json_schema() -> serde_json::Value {
    schema_for!(Settings).to_value()
}

macro_rules! shapes {
    ($($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $shape:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "the types are read by the schema's derive only")]
        struct $name { $($(#[$note])* $field: Option<$shape>,)* }
    )*};
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum Theme {
    Dark,
    Light,
    Mono,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum Moment {
    Person,
    Failure,
    Done,
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum Address {
    Address(String),
    Variable { env: String },
}

shapes! {
    /// Settings of rekindle.
    Settings {
        /// Colours of the terminal UI.
        theme: Theme,
        /// Draw with ASCII characters only.
        ascii: bool,
        /// Take clicks and the wheel; the terminal's own selection needs shift then.
        mouse: bool,
        /// In which times are said: system, utc, or a name as in Europe/Berlin.
        time_zone: String,
        /// A program and its arguments, instead of $PAGER.
        pager: String,
        /// Keys for actions, by place and by the name that the palette shows.
        keys: BTreeMap<String, BTreeMap<String, OneOrMore>>,
        /// How a person is called.
        on_attention: OnAttention,
    }
    OnAttention {
        /// When: a person is needed, something failed, all is done. All three without it.
        when: Vec<Moment>,
        /// Ring the terminal's bell.
        bell: bool,
        /// Say it in the terminal's title.
        title: bool,
        /// Ask the terminal for a notification (OSC 9 and 777).
        notification: bool,
        /// Run this program; it gets REKINDLE_EVENT, REKINDLE_TEXT and REKINDLE_RUN.
        command: Vec<String>,
        /// Send it to this address as JSON.
        webhook: Address,
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{NAMES, OF_ATTENTION};

    #[test]
    fn the_schema_has_the_settings_that_are_read_and_no_others() {
        let schema = super::json_schema();
        let names = |value: &serde_json::Value| -> Vec<String> {
            value["properties"].as_object().unwrap().keys().cloned().collect()
        };
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&schema), sorted(NAMES.to_vec()));
        assert_eq!(names(&schema["$defs"]["OnAttention"]), sorted(OF_ATTENTION.to_vec()));
        assert_eq!(schema["additionalProperties"], false);
    }
}
