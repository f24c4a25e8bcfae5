use std::sync::Arc;

use super::Dotenv;
use crate::adapter::{Adapter, Format, Places, kept_is_not_told};
use crate::component::Component;
use crate::declared::{Key, Opening, Shape, nothing_to_check};
use crate::document_files::{DocumentFiles, DocumentFilesConfig, DocumentFilesSource, OWNER, OWNER_KEY};
use crate::model::{FieldRule, KindSchema};

/// Names of variables that mostly hold a secret.
const SECRET: &str = "*pass *passwd* *password* *passphrase* *pwd* *secret* *token* *key* *credential* *private* *dsn \
                      *database_url* *connection_string*";

pub static ADAPTER: Adapter = Adapter {
    name: "dotenv",
    about: "A directory of files of KEY=value lines, such as web.env and .env.",
    keys: &[
        OWNER_KEY,
        Key::new(
            "secret",
            Shape::Words,
            "More variables whose values are never shown, as in LICENCE or *_URL. What is named like a password is none \
             of them: it is masked anyway.",
        ),
    ],
    questions: &["document"],
    places: Places::FileOfOwner { owner_key: OWNER },
    sends_a_login: false,
    check: nothing_to_check,
    voice: &["rekindle::components::dotenv"],
    page: include_str!("README.md"),
    has_kept: kept_is_not_told,
    formats: &[Format {
        name: "dotenv",
        keys: &[OWNER_KEY],
        is_of_documents: true,
        read: |store, given| Ok(Arc::new(DocumentFilesSource::given(&Dotenv, store, given))),
    }],
    open: |opening| Box::pin(async { Ok(open(opening)) }),
};

fn open(opening: &Opening<'_>) -> Arc<dyn Component> {
    let given = opening.given;
    let secret = |name: &str| FieldRule { path: name.to_owned(), secret: true, ..FieldRule::default() };
    let names = SECRET.split_whitespace().chain(given.words("secret").iter().map(String::as_str));
    Arc::new(DocumentFiles::new(DocumentFilesConfig {
        syntax: &Dotenv,
        root: given.text(ADAPTER.name).cloned().unwrap_or_default().into(),
        owner_field: given.word(OWNER).map(str::to_owned),
        schema: KindSchema { fields: names.map(secret).collect(), ..KindSchema::default() },
    }))
}
