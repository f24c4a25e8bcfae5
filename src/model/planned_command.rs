use serde::{Deserialize, Serialize};

use super::{Secret, Shown, visible};

/// A command as it is approved: what runs, where, and what its step adds to the environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "OnRecord")]
pub struct PlannedCommand {
    pub argv: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<(String, Shown)>,
    /// Where it runs, an absolute path. Plans of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

/// What a step gives its command in one variable.
#[derive(Clone, Debug)]
pub enum EnvironmentValue {
    Plain(String),
    Secret(Secret),
}

impl EnvironmentValue {
    /// The value itself, for the command alone.
    pub fn expose(&self) -> &str {
        match self {
            Self::Plain(value) => value,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OnRecord {
    /// As earlier versions wrote it.
    Words(Vec<String>),
    Whole {
        argv: Vec<String>,
        #[serde(default)]
        environment: Vec<(String, Shown)>,
        #[serde(default)]
        directory: Option<String>,
    },
}

impl From<OnRecord> for PlannedCommand {
    fn from(found: OnRecord) -> Self {
        match found {
            OnRecord::Words(argv) => Self { argv, environment: Vec::new(), directory: None },
            OnRecord::Whole { argv, environment, directory } => Self { argv, environment, directory },
        }
    }
}

impl PlannedCommand {
    /// All of it, a line for each line of a script, with `mask` in place of secrets. No line of a value can be taken
    /// for one of these.
    pub fn lines(&self, mask: &str) -> Vec<String> {
        let text = self.argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let marks = std::iter::once("$ ").chain(std::iter::repeat("| "));
        let mut lines: Vec<String> =
            text.split('\n').zip(marks).map(|(line, mark)| format!("{mark}{}", visible(line))).collect();
        lines.extend(self.directory.iter().map(|directory| format!("in      {}", visible(directory))));
        lines.extend(self.environment.iter().map(|(name, value)| {
            let value = match value {
                Shown::Plain(serde_json::Value::String(text)) => visible(text).into_owned(),
                Shown::Plain(value) => visible(&value.to_string()).into_owned(),
                Shown::Secret(_) | Shown::Masked => mask.to_owned(),
            };
            format!("with    {}={value}", visible(name))
        }));
        lines
    }
}

/// A command on one line, as it can be read and pasted: words quoted where a shell would need it.
pub fn shown_command(argv: &[String]) -> String {
    visible(&argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")).into_owned()
}

fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|one| one.is_alphanumeric() || "-_./=:,@%+".contains(one));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    #[test]
    fn a_command_is_shown_with_its_directory_and_environment_and_no_secret() {
        let command = PlannedCommand {
            argv: ["sh", "-c", "set -e\nhubctl stop\n"].map(str::to_owned).to_vec(),
            environment: vec![
                ("HUB".to_owned(), Shown::Plain("eu west".into())),
                ("TOKEN".to_owned(), Shown::Secret(Digest::of("x"))),
            ],
            directory: Some("/srv/hub".to_owned()),
        };
        let lines = [
            "$ sh -c 'set -e",
            "| hubctl stop",
            "| '",
            "in      /srv/hub",
            "with    HUB=eu west",
            "with    TOKEN=****",
        ];
        assert_eq!(command.lines("****"), lines);
    }

    #[test]
    fn a_word_with_lines_in_it_cannot_be_taken_for_the_directory() {
        let argv = ["echo", "\nin      /tmp\nwith    A=b"].map(str::to_owned).to_vec();
        let command = PlannedCommand { argv, environment: Vec::new(), directory: Some("/srv".to_owned()) };
        let lines = command.lines("****");
        assert_eq!(lines.iter().filter(|line| line.starts_with("in ")).count(), 1, "{lines:?}");
    }

    #[test]
    fn a_plan_of_an_earlier_version_opens() {
        let command: PlannedCommand = serde_json::from_str(r#"["touch", "made by hand"]"#).unwrap();
        assert_eq!(command.lines("*"), ["$ touch 'made by hand'"]);
        let again = serde_json::to_string(&command).unwrap();
        assert_eq!(serde_json::from_str::<PlannedCommand>(&again).unwrap(), command);
    }
}
