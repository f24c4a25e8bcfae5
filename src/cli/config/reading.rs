use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::visible;
use crate::tui::{KeysFinding as Finding, nearest_name};

pub type Found<T> = Result<T, Finding>;
pub type Value<'t> = Spanned<DeValue<'t>>;

/// A table of settings, each with its line.
pub struct Table<'t> {
    text: &'t str,
    /// As in `on_attention.`; nothing for the file itself.
    pub name: String,
    table: &'t DeTable<'t>,
}

impl<'t> Table<'t> {
    /// `known`: the settings it may hold; any other is an error that names the nearest.
    pub fn of(text: &'t str, name: &str, table: &'t DeTable<'t>, known: &[&str]) -> Found<Self> {
        let table = Self { text, name: name.to_owned(), table };
        for (key, _) in table.table {
            let given = key.get_ref().as_ref();
            if !known.contains(&given) {
                let what = format!("there is no setting {}{}", table.name, visible(given));
                return Err(table.finding(key.span().start, what, nearest_name(given, known)));
            }
        }
        Ok(table)
    }

    pub fn get(&self, name: &str) -> Option<&'t Value<'t>> {
        self.table.iter().find(|(key, _)| key.get_ref().as_ref() == name).map(|(_, value)| value)
    }

    pub fn flag(&self, name: &str) -> Found<Option<bool>> {
        self.read(name, "true or false", |value| match value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => None,
        })
    }

    pub fn text(&self, name: &str) -> Found<Option<String>> {
        self.read(name, "text in quotes", |value| match value {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        })
    }

    /// One of `words`, each with what it stands for.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Found<Option<T>> {
        let Some(given) = self.text(name)? else { return Ok(None) };
        if let Some((_, stands)) = words.iter().find(|(word, _)| *word == given) {
            return Ok(Some(*stands));
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("{}{name} cannot be {}", self.name, visible(&given));
        Err(self.at(name, what, nearest_name(&given, &known)))
    }

    /// A list of texts; a single text is a list of one.
    pub fn texts(&self, name: &str) -> Found<Option<Vec<String>>> {
        let one = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(text.to_string()),
            _ => None,
        };
        self.read(name, "a list of texts in quotes", |value| match value {
            DeValue::Array(all) => all.iter().map(|value| one(value.get_ref())).collect(),
            value => one(value).map(|text| vec![text]),
        })
    }

    pub fn table(&self, name: &str, known: &[&str]) -> Found<Option<Table<'t>>> {
        match self.get(name).map(Spanned::get_ref) {
            Some(DeValue::Table(table)) => {
                Table::of(self.text, &format!("{}{name}.", self.name), table, known).map(Some)
            }
            Some(_) => Err(self.wrong(name, "a table")),
            None => Ok(None),
        }
    }

    fn read<T>(&self, name: &str, wanted: &str, read: impl Fn(&DeValue<'_>) -> Option<T>) -> Found<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.wrong(name, wanted))
    }

    fn wrong(&self, name: &str, wanted: &str) -> Finding {
        self.at(name, format!("{}{name} is not {wanted}", self.name), format!("write {name} as {wanted}"))
    }

    /// What is wrong with that setting.
    pub fn at(&self, name: &str, what: String, next: String) -> Finding {
        self.finding(self.get(name).map_or(0, |value| value.span().start), what, next)
    }

    fn finding(&self, at: usize, what: String, next: String) -> Finding {
        Finding::at(self.text, at, what, next)
    }
}
