use clap::Args;
use serde_json::json;

use super::{Exit, Output};
use crate::model::Result;

/// Show version, build and adapters
#[derive(Debug, Args)]
pub struct Info {}

const STORES: [&str; 3] = ["directory", "tar", "restic"];
const FORMATS: [&str; 2] = ["files", "documents"];
const COMPONENTS: [&str; 2] = ["files", "documents"];

impl Info {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let version = env!("CARGO_PKG_VERSION");
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let system = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        if output.json {
            output.print_json(&json!({
                "version": version, "build": build, "system": system,
                "stores": STORES, "formats": FORMATS, "components": COMPONENTS,
            }))?;
        } else {
            output.print(&format!(
                "rekindle {version} ({build}, {system})\nstores      {}\nformats     {}\ncomponents  {}\n",
                STORES.join(", "),
                FORMATS.join(", "),
                COMPONENTS.join(", ")
            ))?;
        }
        Ok(Exit::Fine)
    }
}
