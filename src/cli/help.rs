use clap::{Args, CommandFactory, Parser};
use serde_json::json;

use super::pager::Pager;
use super::topic::Topic;
use super::{CommandLine, Exit, Output, failure, markdown};
use crate::model::{Error, ErrorKind, Result, visible};

/// Print a page on a topic, or a verb's help; without a name, list both
///
/// On a terminal a page is shown through $REKINDLE_PAGER, else $PAGER, else less. Elsewhere it is printed as it is
/// written, in Markdown.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A topic, as in runbook, or a verb, as in plan
    #[arg(value_name = "TOPIC")]
    name: Option<String>,
    /// Print on the terminal without a pager
    #[arg(long)]
    no_pager: bool,
}

/// Longer lines are hard to follow.
const MOST_COLUMNS: usize = 120;

pub async fn run(args: HelpArgs, output: &mut Output) -> Result<Exit> {
    let Some(name) = args.name else { return Ok(of_the_program(&["--help"])) };
    if let Some(topic) = Topic::named(&name) {
        return page(topic, args.no_pager, output).await;
    }
    if CommandLine::command().find_subcommand(&name).is_some() {
        return Ok(of_the_program(&[&name, "--help"]));
    }
    let topics: Vec<&str> = Topic::all().map(|topic| topic.name).collect();
    let doing = format!("show help on '{}'", visible(&name));
    Err(Error::new(ErrorKind::NotFound, doing, "there is no topic and no verb of that name")
        .next(format!("name a topic: {}; 'rekindle help' lists the verbs", topics.join(", "))))
}

async fn page(topic: Topic, no_pager: bool, output: &Output) -> Result<Exit> {
    if output.json {
        let fact = json!({ "topic": topic.name, "about": topic.about(), "markdown": topic.text() });
        return output.print_json(&fact).map(|()| Exit::Fine);
    }
    if !output.is_terminal {
        return output.print(&topic.text()).map(|()| Exit::Fine);
    }
    let text = markdown::laid_out(&topic.text(), output.columns().min(MOST_COLUMNS), output.color);
    let pager = if no_pager { None } else { Pager::chosen() };
    match pager {
        Some(mut pager) => {
            // A reader who closes the pager has seen enough.
            let _ = text.lines().all(|line| pager.line(line));
            pager.close().await;
        }
        None => output.print(&text)?,
    }
    Ok(Exit::Fine)
}

/// What the program says of itself and of its verbs, in the same words as `--help`.
fn of_the_program(words: &[&str]) -> Exit {
    match CommandLine::try_parse_from(["rekindle"].iter().chain(words)) {
        Err(help) => failure::usage(&help, false),
        Ok(_) => Exit::Failed,
    }
}
