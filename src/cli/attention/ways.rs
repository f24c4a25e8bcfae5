use clap::Args;

use super::Attention;

/// A program and its arguments; no shell reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub program: String,
    pub arguments: Vec<String>,
}

impl Command {
    pub fn new(words: Vec<String>) -> Result<Self, String> {
        let mut words = words.into_iter();
        match words.next().filter(|program| !program.is_empty()) {
            Some(program) => Ok(Self { program, arguments: words.collect() }),
            None => Err("the command is empty".to_owned()),
        }
    }
}

/// Where a call is sent as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Webhook {
    Address(String),
    /// The environment variable that holds the address: it may be a secret.
    Variable(String),
}

impl Webhook {
    /// Holds no login, and others cannot read what is sent to it.
    pub fn address(text: &str) -> Result<Self, String> {
        let Ok(url) = reqwest::Url::parse(text) else { return Err("this is no address".to_owned()) };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a login has no place in the address".to_owned());
        }
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        match url.scheme() {
            "https" => Ok(Self::Address(text.to_owned())),
            "http" if is_local => Ok(Self::Address(text.to_owned())),
            _ => Err("it must begin with https://".to_owned()),
        }
    }

    /// The address itself, or why there is none.
    pub fn resolve(&self) -> Result<String, String> {
        let given = match self {
            Self::Address(address) => return Ok(address.clone()),
            Self::Variable(name) => std::env::var(name).map_err(|_| format!("${name} is not set"))?,
        };
        match Self::address(&given) {
            Ok(_) => Ok(given),
            Err(why) => Err(why),
        }
    }
}

/// How a person is called.
#[derive(Args, Clone, Debug, Default)]
pub struct NotifyArgs {
    /// Call a person when one is needed, when something failed and when all is done: bell, title, notification,
    /// command:PROGRAM ARGUMENTS, webhook:ADDRESS or webhook:env:NAME; can be repeated, instead of the configuration's
    #[arg(long, value_name = "WAY", value_parser = way)]
    notify: Vec<Way>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Bell,
    Title,
    Notification,
    Command(Command),
    Webhook(Webhook),
}

fn way(text: &str) -> Result<Way, String> {
    let (kind, rest) = text.split_once(':').map_or((text, ""), |(kind, rest)| (kind, rest));
    Ok(match kind {
        "bell" => Way::Bell,
        "title" => Way::Title,
        "notification" => Way::Notification,
        "command" => Way::Command(Command::new(rest.split_whitespace().map(str::to_owned).collect())?),
        "webhook" => Way::Webhook(match rest.strip_prefix("env:") {
            Some(name) => Webhook::Variable(name.to_owned()),
            None => Webhook::address(rest)?,
        }),
        _ => return Err("one of: bell, title, notification, command:PROGRAM, webhook:ADDRESS".to_owned()),
    })
}

impl NotifyArgs {
    /// The flags, where some are given, else what the configuration has; when is the configuration's in either case.
    pub fn attention(&self, configured: Attention) -> Attention {
        if self.notify.is_empty() {
            return configured;
        }
        let mut attention = Attention { when: configured.when, ..Attention::default() };
        for way in &self.notify {
            match way.clone() {
                Way::Bell => attention.bell = true,
                Way::Title => attention.title = true,
                Way::Notification => attention.notification = true,
                Way::Command(command) => attention.command = Some(command),
                Way::Webhook(webhook) => attention.webhook = Some(webhook),
            }
        }
        attention
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_or_refused_by_name() {
        assert_eq!(way("bell"), Ok(Way::Bell));
        let Ok(Way::Command(command)) = way("command:notify-send rekindle") else { panic!("{:?}", way("command:x")) };
        assert_eq!((command.program.as_str(), command.arguments.len()), ("notify-send", 1));
        assert_eq!(way("webhook:env:HOOK"), Ok(Way::Webhook(Webhook::Variable("HOOK".to_owned()))));
        for refused in
            ["smoke", "command:", "webhook:", "webhook:http://example.org", "webhook:https://a:b@example.org"]
        {
            assert!(way(refused).is_err(), "{refused}");
        }
    }
}
