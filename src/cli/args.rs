use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags that every verb takes.
#[derive(Clone, Debug, Default, Args)]
pub struct GlobalArgs {
    /// Print facts and errors as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print in colours: auto means on a terminal, unless the environment variable NO_COLOR is set
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Short for --color never
    #[arg(long, global = true)]
    pub no_color: bool,
    /// Say times in UTC instead of this machine's time zone
    #[arg(long, global = true)]
    pub utc: bool,
    /// Log more; twice for all
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// Values of a runbook's inputs.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub struct InputArgs {
    /// Value of one input; stronger than --inputs, REKINDLE_INPUT_NAME and the runbook's default
    #[arg(long = "input", value_name = "NAME=VALUE", value_parser = pair)]
    pub input: Vec<(String, String)>,
    /// YAML or JSON file with values of inputs
    #[arg(long, value_name = "FILE")]
    pub inputs: Option<PathBuf>,
    /// Do not check the certificates of servers, and send logins over http too, for this run alone; it is on record,
    /// and others on the network may read the login
    #[arg(long)]
    pub insecure: bool,
}

impl InputArgs {
    /// As they were given; of inputs those that may be on record, for the others are secret.
    pub fn words(&self, recorded: &BTreeMap<String, String>) -> Vec<String> {
        let known = self.input.iter().filter(|(name, _)| recorded.contains_key(name));
        let mut words: Vec<String> =
            known.flat_map(|(name, value)| ["--input".to_owned(), format!("{name}={value}")]).collect();
        if let Some(path) = &self.inputs {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            words.extend(["--inputs".to_owned(), path.display().to_string()]);
        }
        words.extend(self.insecure.then(|| "--insecure".to_owned()));
        words
    }
}

impl OwnerArgs {
    /// As they were given.
    pub fn words(&self) -> Vec<String> {
        let each = [("--only", &self.only), ("--except", &self.except), ("--user", &self.user)];
        let words = each.into_iter().flat_map(|(flag, values)| values.iter().map(move |value| (flag, value)));
        words.flat_map(|(flag, value)| [flag.to_owned(), value.clone()]).collect()
    }
}

/// Which owners to take.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Owners")]
pub struct OwnerArgs {
    /// Take these only, as in user=ana,bob or user=@FILE with one name a line
    #[arg(long, value_name = "SET=NAMES")]
    pub only: Vec<String>,
    /// Take all but these
    #[arg(long, value_name = "SET=NAMES")]
    pub except: Vec<String>,
    /// Short for --only user=NAMES
    #[arg(long, value_name = "NAMES")]
    pub user: Vec<String>,
}

/// Who approves when nobody is asked.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Approval")]
pub struct ApprovalArgs {
    /// Approve each plan as computed, except deletes and irreversible changes
    #[arg(long, conflicts_with = "decisions")]
    pub yes: bool,
    /// With --yes: approve deletes too
    #[arg(long, requires = "yes")]
    pub yes_deletes: bool,
    /// With --yes: approve changes that cannot be undone too
    #[arg(long, requires = "yes")]
    pub yes_irreversible: bool,
    /// Write to a system that another run holds: that run is refused at its next write; it is on record
    #[arg(long)]
    pub take_over: bool,
    /// Apply what a review approved and stop at anything else
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() { Err("the name is missing".to_owned()) } else { Ok((name.to_owned(), value.to_owned())) }
}
