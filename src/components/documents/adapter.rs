use std::sync::Arc;

use super::YamlAndJson;
use crate::adapter::{Adapter, Format, Places, kept_is_not_told};
use crate::component::Component;
use crate::declared::{Given, Key, Opening, Shape, Wrong};
use crate::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource, OWNER, OWNER_KEY};
use crate::model::{Fidelity, FieldRule, FieldShape, KindSchema, Result};

pub static ADAPTER: Adapter = Adapter {
    name: "documents",
    about: "A directory of YAML and JSON files, one document each.",
    keys: &[
        OWNER_KEY,
        Key::new(
            "schema",
            Shape::Map("a schema", &[Key::new("fields", FIELDS, "By their paths, as in roles or *.updatedAt.")]),
            "What is known of the documents' fields; one without a rule is plain, exact and compared.",
        ),
    ],
    questions: &["document"],
    places: Places::FileOfOwner { owner_key: OWNER },
    sends_a_login: false,
    check,
    voice: &["rekindle::components::documents"],
    page: include_str!("README.md"),
    has_kept: kept_is_not_told,
    formats: &[Format {
        name: "documents",
        keys: &[OWNER_KEY],
        is_of_documents: true,
        read: |store, given| Ok(Arc::new(DocumentFilesSource::given(&YamlAndJson, store, given))),
    }],
    open: |opening| Box::pin(async { open(opening) }),
};

const FIELDS: Shape = Shape::Each(
    "a schema's fields",
    "a field's rule",
    &[
        Key::new("set", Shape::Flag, "A list whose order means nothing."),
        Key::new("keyed", Shape::Word, "A list of maps that are told apart by this field."),
        Key::new("secret", Shape::Flag, "Never shown."),
        Key::new("ignored", Shape::Flag, "Neither compared nor written."),
        Key::new(
            "fidelity",
            Shape::Choice(&["exact", "re-created", "unreadable", "irreversible"]),
            "How far what is written can be proved and undone: exact if not given.",
        ),
        Key::new("needs", Shape::Words, "Fields without which this one makes no sense."),
    ],
);

fn fields<T>(given: &Given<T>) -> &[(String, Given<T>)] {
    given.map("schema").map_or(&[], |schema| schema.each("fields"))
}

fn check(given: &Given<()>) -> Vec<Wrong> {
    let both = fields(given).iter().filter(|(_, rule)| rule.flag("set") && rule.has("keyed"));
    let wrong = |(path, _): &(String, Given<()>)| Wrong {
        at: ["schema", "fields", path, "keyed"].map(str::to_owned).into(),
        why: format!("'{path}' cannot be a set and a keyed list at once"),
        help: "keep 'keyed' if its elements are maps, else 'set'",
    };
    both.map(wrong).collect()
}

fn open(opening: &Opening<'_>) -> Result<Arc<dyn Component>> {
    let given = opening.given;
    Ok(Arc::new(DocumentFiles::new(DocumentFilesConfig {
        syntax: &YamlAndJson,
        root: given.text(ADAPTER.name).cloned().unwrap_or_default().into(),
        owner_field: given.word(OWNER).map(str::to_owned),
        schema: KindSchema { fields: fields(given).iter().map(rule).collect(), ..KindSchema::default() },
    })))
}

fn rule((path, given): &(String, Given<String>)) -> FieldRule {
    FieldRule {
        path: path.clone(),
        shape: match given.word("keyed") {
            Some(key) => FieldShape::KeyedList { key: key.to_owned() },
            None if given.flag("set") => FieldShape::Set,
            None => FieldShape::Plain,
        },
        secret: given.flag("secret"),
        ignored: given.flag("ignored"),
        fidelity: match given.word("fidelity") {
            Some("re-created") => Fidelity::ReCreated,
            Some("unreadable") => Fidelity::Unreadable,
            Some("irreversible") => Fidelity::Irreversible,
            _ => Fidelity::Exact,
        },
        needs: given.words("needs").to_vec(),
        ..FieldRule::default()
    }
}
