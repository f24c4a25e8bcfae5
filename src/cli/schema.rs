use clap::Args;

use super::{Exit, Output};
use crate::model::Result;

/// Print the JSON Schema of runbooks, for editors
#[derive(Debug, Args)]
pub struct Schema {
    /// That of config.toml instead
    #[arg(long)]
    of_config: bool,
}

impl Schema {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let schema = if self.of_config { super::config::json_schema() } else { crate::runbook::json_schema() };
        output.print_json(&schema)?;
        Ok(Exit::Fine)
    }
}
