//! The shape of a runbook for editors. Lint says more; this says what may be written where.

use std::collections::BTreeMap;

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use super::declared_schema::{Component, Source};
use crate::model::Mode;

/// The JSON Schema of the runbook format.
pub fn json_schema() -> Value {
    schema_for!(Runbook).to_value()
}

/// Text that may hold `${name}`; numbers and yes or no are taken as they are written.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
pub(super) enum Text {
    Words(String),
    Number(f64),
    Flag(bool),
}

macro_rules! shapes {
    ($($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $shape:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[allow(dead_code, reason = "the types are read by the schema's derive only")]
        pub(super) struct $name { $($(#[$note])* $field: $shape,)* }
    )*};
}

shapes! {
    /// A runbook of rekindle.
    Runbook {
        /// The format's version: 2, where steps run in written order, or 1, where only `needs` puts them in order.
        rekindle: u8,
        title: Option<Text>,
        /// The time in which all of it is to be restored, as in 2h: the report says whether it was kept.
        goal: Option<Text>,
        inputs: Option<BTreeMap<String, Option<Input>>>,
        /// Texts that ${name} stands for.
        vars: Option<BTreeMap<String, Text>>,
        sources: Option<BTreeMap<String, Source>>,
        components: Option<BTreeMap<String, Component>>,
        owners: Option<BTreeMap<String, Owners>>,
        steps: Vec<Step>,
    }
    Input {
        about: Option<Text>,
        default: Option<Text>,
        secret: Option<bool>,
        env: Option<String>,
    }
    Password {
        env: Option<String>,
        file: Option<Text>,
        command: Option<Vec<Text>>,
        input: Option<String>,
        /// PATH#FIELD of a secret in Vault or OpenBao. $VAULT_ADDR and $VAULT_TOKEN say where, and who asks.
        vault: Option<Text>,
        /// A key of the kernel's keyring, by its description.
        keyring: Option<Text>,
    }
    Retry {
        times: u16,
        wait: Option<String>,
    }
    /// In the run's time zone. Where `until` is not later than `from`, they end on the next day.
    Window {
        /// As in "22:00".
        from: String,
        until: String,
        /// On which it opens; without this key on all.
        days: Option<OneOrMoreDays>,
    }
    Condition {
        input: Option<String>,
        step: Option<String>,
        /// A step whose captured output is one of these.
        output: Option<String>,
        is: Option<OneOrMore>,
        probe: Option<BTreeMap<String, Value>>,
        on: Option<String>,
        not: Option<Box<When>>,
        all: Option<Vec<When>>,
        any: Option<Vec<When>>,
    }
    Owners {
        from: String,
        below: Option<Text>,
        kind: Option<String>,
    }
    Step {
        id: Option<Text>,
        about: Option<Text>,
        /// The set of owners it is repeated for.
        each: Option<String>,
        /// Steps that it waits for. In format 2, without this key: the one written before it.
        needs: Option<Vec<Text>>,
        /// It is skipped where this does not hold.
        when: Option<When>,
        /// It is tried again when it failed.
        retry: Option<Retry>,
        on_failure: Option<OnFailure>,
        /// How many of its owners are worked on at once.
        parallel: Option<u16>,
        /// It writes, runs or asks only in these hours.
        window: Option<Window>,
        /// A person is called for these moments of the step.
        notify: Option<OneOrMoreMoments>,
        restore: Option<String>,
        apply: Option<String>,
        run: Option<Command>,
        wait: Option<BTreeMap<String, Value>>,
        check: Option<BTreeMap<String, Value>>,
        confirm: Option<Text>,
        include: Option<String>,
        from: Option<String>,
        below: Option<Text>,
        to: Option<Text>,
        mode: Option<Mode>,
        content: Option<bool>,
        documents: Option<BTreeMap<String, Value>>,
        shell: Option<bool>,
        env: Option<BTreeMap<String, Text>>,
        cwd: Option<Text>,
        deadline: Option<String>,
        /// What the command prints is kept: ${steps.ID.output} stands for it in later steps.
        capture: Option<bool>,
        every: Option<String>,
        on_timeout: Option<OnTimeout>,
        on: Option<String>,
        probe: Option<BTreeMap<String, Value>>,
    }
}

macro_rules! words {
    ($case:literal: $($name:ident { $($word:ident),* })*) => {$(
        #[derive(JsonSchema)]
        #[serde(rename_all = $case)]
        #[allow(dead_code, reason = "the types are read by the schema's derive only")]
        enum $name { $($word),* }
    )*};
}

words! { "snake_case":
    OnFailure { Ask, Stop, Continue }
    OnTimeout { Fail, GoOn }
    Day { Mon, Tue, Wed, Thu, Fri, Sat, Sun }
    Moment { Person, Failure, Done }
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum OneOrMoreDays {
    One(Day),
    More(Vec<Day>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum OneOrMoreMoments {
    One(Moment),
    More(Vec<Moment>),
}

/// A list of arguments, or a script where `shell: true` is set.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum Command {
    Argv(Vec<Text>),
    Script(String),
}

/// One condition, or several that must all hold.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum When {
    One(Condition),
    All(Vec<When>),
}

#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the types are read by the schema's derive only")]
enum OneOrMore {
    One(Text),
    More(Vec<Text>),
}
