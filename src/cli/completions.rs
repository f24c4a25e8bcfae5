use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Exit, Output};
use crate::model::Result;

/// Print completions for a shell
#[derive(Debug, Args)]
pub struct Completions {
    shell: Shell,
}

impl Completions {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "rekindle", &mut script);
        output.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Fine)
    }
}
