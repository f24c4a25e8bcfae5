use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::reading::{Found, Table};
use crate::cli::attention::{Attention, Command, Webhook};
use crate::cli::screen::ThemeChoice;
use crate::model::{Moment, Zone, visible};
use crate::tui::{Keymap, KeysFinding as Finding};

/// What an operator has chosen; what is None is as rekindle comes.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub theme: Option<ThemeChoice>,
    pub ascii: bool,
    pub mouse: bool,
    pub zone: Option<Zone>,
    /// A program and its arguments.
    pub pager: Option<String>,
    pub keys: Option<Keymap>,
    pub attention: Attention,
}

pub const NAMES: [&str; 7] = ["theme", "ascii", "mouse", "time_zone", "pager", "keys", "on_attention"];
pub const OF_ATTENTION: [&str; 6] = ["when", "bell", "title", "notification", "command", "webhook"];
pub const THEMES: [(&str, ThemeChoice); 3] =
    [("dark", ThemeChoice::Dark), ("light", ThemeChoice::Light), ("mono", ThemeChoice::Mono)];

pub fn parse(text: &str) -> Found<Config> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let what = visible(error.message()).into_owned();
        Finding::at(text, at, what, "mend the file's form; it is TOML".to_owned())
    })?;
    let settings = Table::of(text, "", table.get_ref(), &NAMES)?;
    Ok(Config {
        theme: settings.choice("theme", &THEMES)?,
        ascii: settings.flag("ascii")?.unwrap_or(false),
        mouse: settings.flag("mouse")?.unwrap_or(false),
        zone: zone(&settings)?,
        pager: settings.text("pager")?.filter(|pager| !pager.trim().is_empty()),
        keys: super::keys::read(text, &settings)?,
        attention: match settings.table("on_attention", &OF_ATTENTION)? {
            Some(table) => attention(&table)?,
            None => Attention::default(),
        },
    })
}

fn zone(settings: &Table<'_>) -> Found<Option<Zone>> {
    let Some(name) = settings.text("time_zone")?.filter(|name| name != "system") else { return Ok(None) };
    if name.eq_ignore_ascii_case("utc") {
        return Ok(Some(Zone::utc()));
    }
    TimeZone::get(&name).map(|zone| Some(Zone::from(zone))).map_err(|_| {
        let what = format!("this machine knows no time zone {}", visible(&name));
        settings.at("time_zone", what, "write system, utc or a name as in Europe/Berlin".to_owned())
    })
}

fn attention(table: &Table<'_>) -> Found<Attention> {
    let mut attention = Attention {
        bell: table.flag("bell")?.unwrap_or(false),
        title: table.flag("title")?.unwrap_or(false),
        notification: table.flag("notification")?.unwrap_or(false),
        ..Attention::default()
    };
    for word in table.texts("when")?.unwrap_or_default() {
        let Some(moment) = Moment::ALL.into_iter().find(|moment| moment.word() == word) else {
            let words = Moment::ALL.map(Moment::word);
            let what = format!("on_attention.when knows no {}", visible(&word));
            return Err(table.at("when", what, crate::tui::nearest_name(&word, &words)));
        };
        attention.when.push(moment);
    }
    if let Some(argv) = table.texts("command")? {
        attention.command = Some(Command::new(argv).map_err(|why| table.at("command", why, HOW.to_owned()))?);
    }
    attention.webhook = webhook(table)?;
    Ok(attention)
}

/// The address itself, or the variable that holds it: an address that is a secret does not stand in a file.
fn webhook(table: &Table<'_>) -> Found<Option<Webhook>> {
    if matches!(table.get("webhook").map(toml::Spanned::get_ref), Some(toml::de::DeValue::Table(_))) {
        let of_variable = table.table("webhook", &["env"])?;
        let name = of_variable.and_then(|table| table.text("env").transpose()).transpose()?;
        return match name {
            Some(name) => Ok(Some(Webhook::Variable(name))),
            None => {
                Err(table.at("webhook", "webhook names no variable".to_owned(), "write { env = \"NAME\" }".to_owned()))
            }
        };
    }
    let Some(address) = table.text("webhook")? else { return Ok(None) };
    Webhook::address(&address).map(Some).map_err(|why| table.at("webhook", why, SECRET.to_owned()))
}

const HOW: &str = "write it as in command = [\"notify-send\", \"rekindle\"]; the words are in $REKINDLE_TEXT";
const SECRET: &str = "write https://HOST/PATH, or { env = \"NAME\" } where the address itself is a secret";

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (usize, String, String) {
        let found = parse(text).unwrap_err();
        (found.line, found.what, found.next)
    }

    #[test]
    fn every_setting_is_read() {
        let text = "theme = \"light\"\nascii = true\nmouse = true\ntime_zone = \"utc\"\npager = \"less -R\"\n\
                    [keys.steps]\nskip = \"ctrl-s\"\n[on_attention]\nwhen = [\"person\", \"failure\"]\nbell = true\n\
                    title = true\nnotification = true\ncommand = [\"true\"]\nwebhook = \"https://example.org/x\"\n";
        let config = parse(text).unwrap();
        assert!(matches!(config.theme, Some(ThemeChoice::Light)) && config.ascii && config.mouse);
        assert_eq!((config.pager.as_deref(), config.zone.unwrap().name()), (Some("less -R"), "UTC"));
        assert!(config.keys.is_some());
        assert_eq!(config.attention.when, [Moment::Person, Moment::Failure]);
        assert!(config.attention.command.is_some() && config.attention.webhook.is_some());
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_line_and_the_nearest_name() {
        assert_eq!(
            refused("\nmuose = true"),
            (2, "there is no setting muose".to_owned(), "did you mean mouse?".to_owned())
        );
        let (line, what, next) = refused("[on_attention]\nbel = true");
        assert_eq!(
            (line, what.as_str(), next.as_str()),
            (2, "there is no setting on_attention.bel", "did you mean bell?")
        );
        assert_eq!(refused("theme = \"drak\"").2, "did you mean dark?");
        assert_eq!(refused("mouse = \"yes\"").1, "mouse is not true or false");
        assert_eq!(refused("[keys.stps]").2, "did you mean steps?");
        assert_eq!(refused("time_zone = \"Mars\"").0, 1);
        assert_eq!(refused("[on_attention]\nwhen = [\"persn\"]").2, "did you mean person?");
    }

    #[test]
    fn a_secret_has_no_place_in_the_settings() {
        let (_, what, next) = refused("[on_attention]\nwebhook = \"https://me:hush@example.org/\"");
        assert!(what.contains("login") && !what.contains("hush"), "{what}");
        assert!(next.contains("env"));
        assert!(parse("[on_attention]\nwebhook = { env = \"HOOK\" }").is_ok());
        assert!(refused("[on_attention]\nwebhook = \"http://example.org/\"").1.contains("https"));
    }
}
