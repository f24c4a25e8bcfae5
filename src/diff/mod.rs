//! What differs between live and backup. Pure: no file is opened here and nothing is written.

pub mod documents;
pub mod lines;
