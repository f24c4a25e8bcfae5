//! A directory in which each file is one document, live or in a backup: written once for all systems that are such a
//! directory.
//!
//! A system says in a [`Syntax`] which files are its documents, what their text means, and how a text is edited. Everything
//! else is here: listing, owners, reading through one directory handle, mode and owner of new files, replacing files by
//! rename, and the way back byte by byte.

mod checker;
mod component;
mod config;
mod folder;
mod links;
mod new_file;
mod owners;
mod probe;
mod rewrite;
mod source;
mod spliced;
mod syntax;
mod text;
mod writer;

pub use component::DocumentFiles;
pub use config::{DocumentFilesConfig, OWNER, OWNER_KEY};
pub use rewrite::{Rewritten, rewrite};
pub use source::DocumentFilesSource;
pub use spliced::spliced;
pub use syntax::{Edit, Edited, Syntax};
pub use text::{BYTE_ORDER_MARK, MAX_BYTES, document};
