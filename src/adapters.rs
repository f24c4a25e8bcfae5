//! The list of systems, each declared in its own folder. A new one is a folder and a line here.

use crate::adapter::Adapter;
use crate::components::{documents, files, keycloak};

pub static ADAPTERS: [&Adapter; 3] = [&files::ADAPTER, &documents::ADAPTER, &keycloak::ADAPTER];
