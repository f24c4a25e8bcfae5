//! Live systems and their backup formats, one folder each. They know the traits and the model, and not
//! one another.

pub mod documents;
pub mod files;
pub mod keycloak;
