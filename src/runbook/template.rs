use super::finding::{Finding, Span};
use crate::model::output_of;

/// Text with `${name}` in it; `$${` stands for `${` itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    pub(super) fn parse(text: &str, span: Span) -> Result<Self, Box<Finding>> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, tail) = rest.split_at(at);
            let tail = tail.strip_prefix("${").unwrap_or(tail);
            if let Some(escaped) = before.strip_suffix('$') {
                plain.push_str(escaped);
                plain.push_str("${");
                rest = tail;
                continue;
            }
            plain.push_str(before);
            let Some((name, after)) = tail.split_once('}') else {
                return Err(Box::new(
                    Finding::error(span, "a '${' is not closed by '}'").help("write $${ where ${ itself is meant"),
                ));
            };
            if !is_name(name) && output_of(name).is_none() {
                let about_output = "${steps.ID.output} stands for what a step printed; ";
                let about = if name.starts_with("steps.") { about_output } else { "" };
                return Err(Box::new(Finding::error(span, format!("'${{{name}}}' does not hold a name")).help(
                    format!(
                        "{about}a name is made of letters, digits, '_' and '-'; write $${{ where ${{ itself is meant"
                    ),
                )));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts, span })
    }

    pub fn literal(text: impl Into<String>, span: Span) -> Self {
        Self { parts: vec![Part::Text(text.into())], span }
    }

    pub fn variable(name: &str, span: Span) -> Self {
        Self { parts: vec![Part::Variable(name.to_owned())], span }
    }

    /// The whole text, where no variable is in it.
    pub(super) fn literal_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// What stands before the first variable.
    pub(super) fn leading_text(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }

    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The steps whose outputs it holds, as it names them.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.variables().filter_map(output_of)
    }

    /// As it would be written, with `value` in the place of the variables that it has one for.
    pub(super) fn written<'a>(&self, mut value: impl FnMut(&str) -> Option<&'a str>) -> String {
        let each = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.replace("${", "$${"),
            Part::Variable(name) => value(name).map_or_else(|| format!("${{{name}}}"), str::to_owned),
        });
        each.collect()
    }

    /// The text with every variable replaced once; what a value holds is never looked at again.
    pub fn fill<'a, E>(
        &self,
        mut value: impl FnMut(&str) -> Result<std::borrow::Cow<'a, str>, E>,
    ) -> Result<String, E> {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Variable(name) => filled.push_str(&value(name)?),
            }
        }
        Ok(filled)
    }
}

/// What an input, a source, a component or a set of owners may be called.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        let template = Template::parse(text, Span::default()).unwrap();
        template.fill(|name| Ok::<_, ()>(format!("<{name}>").into())).unwrap()
    }

    #[test]
    fn variables_are_replaced_and_doubled_dollars_are_not() {
        assert_eq!(filled("home/${user}/x"), "home/<user>/x");
        assert_eq!(filled("$${user} costs $5 {a}"), "${user} costs $5 {a}");
        assert_eq!(filled("${a}${b}"), "<a><b>");
    }

    #[test]
    fn a_value_is_not_looked_into() {
        let template = Template::parse("${a}", Span::default()).unwrap();
        assert_eq!(template.fill(|_| Ok::<_, ()>("${b}".into())), Ok("${b}".to_owned()));
    }

    #[test]
    fn an_open_brace_or_a_strange_name_is_refused() {
        for wrong in ["${user", "${}", "${a b}", "${$(id)}", "${1}", "${steps.a}", "${steps..output}", "${user.output}"]
        {
            assert!(Template::parse(wrong, Span::default()).is_err(), "{wrong:?} was taken");
        }
    }
}
