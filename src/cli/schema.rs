use clap::Args;

use super::{Exit, Output};
use crate::model::Result;

/// Print the JSON Schema of runbooks, for editors
#[derive(Debug, Args)]
pub struct Schema {}

impl Schema {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        output.print_json(&crate::runbook::json_schema())?;
        Ok(Exit::Fine)
    }
}
