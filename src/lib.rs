//! rekindle walks an operator through restoring live systems from backups, one reviewed step at a time.
//!
//! **A restore is a diff.** A system is four verbs on named resources (list, read, write, remove); preview, restore,
//! verify and undo are written once, here, for every system. A tour, in the order that data takes:
//!
//! - [`model`]: what everything else speaks of. Pure: resources with a body (a document or a tree of files), changes
//!   and their hunks, plans and their digests, events, and [`model::Run`], which is the fold of its events.
//! - [`reader`] and [`component`]: the two traits of a system, with their contract.
//! - [`declared`]: the keys by which a runbook names something. [`adapter`]: what a system declares before it is opened;
//!   [`adapters`] lists systems and stores.
//! - [`stores`]: where a backup's bytes lie (directory, tar, restic), with the owners of its files as [`name_service`]
//!   knows them on this machine. [`components`]: live systems and the formats of
//!   their backups. [`document_files`]: a directory in which each file is one document. [`beneath`]: files beneath one directory handle. Only the registry names these adapters.
//! - [`runbook`]: the file format, its lint, and its expansion into tasks.
//! - [`diff`]: documents by structure, text by lines, trees by merge-joining two walks.
//! - [`engine`]: one actor that owns the fold. Commands go in, events come out, each in the journal first.
//! - [`journal`]: SQLite, chained by hash; pre-images sealed beside it. [`report`]: a run as Markdown and JSON.
//! - [`tui`] and [`cli`]: projections of that one stream of events. [`signals`]: what asks them to leave.
//!
//! A plan is named by its digest, and an approval names a digest:
//!
//! ```
//! use rekindle::diff::documents;
//! use rekindle::model::{DigestKey, Document, KindSchema, Mode, ResourceId, TreePath};
//!
//! let id = ResourceId { kind: "document".into(), key: TreePath::new("ana")? };
//! let live = Document::new(serde_json::json!({ "name": "ana", "quota": 5 }));
//! let backup = Document::new(serde_json::json!({ "name": "ana", "quota": 50 }));
//! let key = DigestKey::new([7; 32]);
//! let change = documents::changes(&id, Some(&live), Some(&backup), &KindSchema::default(), Mode::Merge, &key);
//! assert_eq!(change.map(|change| change.hunks[0].place()), Some("quota".to_owned()));
//! # Ok::<(), rekindle::model::Error>(())
//! ```

pub mod adapter;
pub mod adapters;
pub mod beneath;
mod blocking;
pub mod cli;
pub mod component;
pub mod components;
mod crash;
pub mod declared;
pub mod diff;
pub mod document_files;
pub mod engine;
pub mod journal;
pub mod model;
pub mod name_service;
mod named_file;
pub mod reader;
mod registry;
pub mod report;
pub mod runbook;
pub mod signals;
pub mod stores;
pub mod tui;
mod yaml_problem;
