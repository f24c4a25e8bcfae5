//! A backup as this server can hold it. A tour:
//!
//! - [`abilities`]: what the server can do, as it says itself: its providers and their settings.
//! - [`document`]: pure; takes out of one document what the server passes over or lacks a plugin for, in words.
//! - [`choices`]: what the server makes with every realm, where a file says less than a server shows.
//! - [`source`]: a source whose documents are read so.
//!
//! What is taken out is neither planned nor compared, and the plan names it once: without this, a public client's
//! secret would be planned for ever, and a mapper of a missing plugin would cost everything that comes after it.

mod abilities;
mod choices;
mod document;
mod policies;
mod source;

pub(super) use source::FittedSource;
