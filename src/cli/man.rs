use clap::{Args, CommandFactory};

use super::{CommandLine, Exit, Output};
use crate::model::{Error, Result};

/// Print the manual page, for man -l -
#[derive(Debug, Args)]
pub struct Man {}

impl Man {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let mut page = Vec::new();
        let made = clap_mangen::Man::new(CommandLine::command()).render(&mut page);
        made.map_err(|error| Error::io("make the manual page", error))?;
        output.print(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Fine)
    }
}
