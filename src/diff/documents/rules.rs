use crate::model::{DocumentPath, Fidelity, FieldRule, FieldShape, KindSchema, Op};

use super::walk::Step;

/// A schema's field rules, split once, so that a walk asks for each field only the rules that can
/// still match it.
pub(crate) struct Rules<'a> {
    schema: &'a KindSchema,
    rules: Vec<(Vec<Token<'a>>, &'a FieldRule)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    AnyName,
    /// A `*` in it stands for any text, and upper and lower case are the same.
    Like(&'a str),
    Element,
}

impl Token<'_> {
    fn names(self, field: &str) -> bool {
        match self {
            Token::Name(name) => name == field,
            Token::AnyName => true,
            Token::Like(pattern) => is_like(pattern, field),
            Token::Element => false,
        }
    }
}

fn is_like(pattern: &str, field: &str) -> bool {
    let (pattern, field) = (pattern.to_lowercase(), field.to_lowercase());
    let (first, last) = (pattern.split('*').next().unwrap_or_default(), pattern.rsplit('*').next().unwrap_or_default());
    let Some(mut rest) = field.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    let between = pattern.get(first.len()..pattern.len() - last.len()).unwrap_or_default();
    between.split('*').all(|part| match rest.find(part) {
        Some(at) => {
            rest = rest.get(at + part.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

/// A place in a document as the rules see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cursor {
    /// Rules whose first `depth` tokens match the way here.
    active: Vec<usize>,
    depth: usize,
    /// Here or above, everything is secret.
    pub secret: bool,
    pub ignored: bool,
    /// Here or above, only what is created gets a value.
    pub create_only: bool,
    pub removable: bool,
    /// Here or above, what is there stays where nothing else is wanted.
    pub given: bool,
}

impl<'a> Rules<'a> {
    pub fn new(schema: &'a KindSchema) -> Self {
        Self { schema, rules: schema.fields.iter().map(|rule| (tokens(&rule.path), rule)).collect() }
    }

    pub fn said(&self, path: &DocumentPath) -> Option<String> {
        self.schema.said(path)
    }

    pub fn root(&self) -> Cursor {
        self.settled(Cursor { active: (0..self.rules.len()).collect(), ..Cursor::default() })
    }

    pub fn field(&self, from: &Cursor, name: &str) -> Cursor {
        self.descend(from, |token| token.names(name))
    }

    pub fn element(&self, from: &Cursor) -> Cursor {
        self.descend(from, |token| token == Token::Element)
    }

    fn descend(&self, from: &Cursor, matches: impl Fn(Token<'a>) -> bool) -> Cursor {
        let still = |at: &&usize| self.rules[**at].0.get(from.depth).is_some_and(|token| matches(*token));
        let active = from.active.iter().filter(still).copied().collect();
        self.settled(Cursor {
            active,
            depth: from.depth + 1,
            secret: from.secret,
            ignored: from.ignored,
            create_only: from.create_only,
            removable: from.removable,
            given: from.given,
        })
    }

    fn settled(&self, mut cursor: Cursor) -> Cursor {
        let rules: Vec<&FieldRule> = self.here(&cursor).collect();
        for rule in rules {
            cursor.secret |= rule.secret;
            cursor.ignored |= rule.ignored;
            cursor.create_only |= rule.create_only;
            cursor.removable |= rule.removable;
            cursor.given |= rule.given;
        }
        cursor
    }

    fn here<'s>(&'s self, cursor: &'s Cursor) -> impl Iterator<Item = &'a FieldRule> + 's {
        let of = |at: &usize| &self.rules[*at];
        cursor.active.iter().map(of).filter(|(tokens, _)| tokens.len() == cursor.depth).map(|(_, rule)| *rule)
    }

    /// Rules of this place and of all below it.
    fn reach<'s>(&'s self, cursor: &'s Cursor) -> impl Iterator<Item = &'a FieldRule> + 's {
        cursor.active.iter().map(|at| self.rules[*at].1)
    }

    pub fn shape(&self, cursor: &Cursor) -> &'a FieldShape {
        self.here(cursor)
            .map(|rule| &rule.shape)
            .find(|shape| **shape != FieldShape::Plain)
            .unwrap_or(&FieldShape::Plain)
    }

    /// Whether another order of the same values is written by way of another list.
    pub fn goes_by_way(&self, cursor: &Cursor) -> bool {
        self.here(cursor).any(|rule| rule.by_way)
    }

    /// The rule by whose path a difference here is none where there is no other, and its reason.
    pub fn alone(&self, cursor: &Cursor) -> Option<(&'a str, &'a str)> {
        self.here(cursor).find_map(|rule| Some((rule.path.as_str(), rule.alone.as_deref()?)))
    }

    /// The field beside a set that cannot hold the same elements.
    pub fn excludes(&self, cursor: &Cursor) -> Option<&'a str> {
        self.here(cursor).find_map(|rule| rule.excludes.as_deref())
    }

    pub fn fidelity(&self, cursor: &Cursor, op: Op) -> Fidelity {
        let of = |rule: &FieldRule| match op {
            Op::Create => rule.created.unwrap_or(rule.fidelity),
            Op::Update | Op::Delete => rule.fidelity,
        };
        self.reach(cursor).map(of).max().unwrap_or_default()
    }

    pub fn needs<'s>(&'s self, cursor: &'s Cursor) -> impl Iterator<Item = &'a str> + 's {
        self.here(cursor).flat_map(|rule| rule.needs.iter().map(String::as_str))
    }

    pub fn ignores_below(&self, cursor: &Cursor) -> bool {
        self.reach(cursor).any(|rule| rule.ignored)
    }

    pub fn secret_below(&self, cursor: &Cursor) -> bool {
        cursor.secret || self.reach(cursor).any(|rule| rule.secret)
    }
}

/// Whether a hunk at `steps` concerns what the pattern names: it is there or below.
pub(super) fn concerns(pattern: &str, steps: &[Step<'_>]) -> bool {
    let tokens = tokens(pattern);
    tokens.len() <= steps.len()
        && tokens.iter().zip(steps).all(|(token, step)| match (token, step) {
            (token, Step::Field(field)) => token.names(field),
            (Token::Element, _) => true,
            _ => false,
        })
}

fn tokens(path: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let name = part.trim_end_matches("[]");
        match name {
            "" => {}
            "*" => tokens.push(Token::AnyName),
            name if name.contains('*') => tokens.push(Token::Like(name)),
            name => tokens.push(Token::Name(name)),
        }
        tokens.extend(std::iter::repeat_n(Token::Element, (part.len() - name.len()) / 2));
    }
    tokens
}
