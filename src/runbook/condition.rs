use super::fields::{Fields, text, wrong_type};
use super::finding::{Finding, Findings, Placed};
use super::inputs::Inputs;
use super::near::suggestion;
use super::node::{Key, Node, Value};
use super::step::ProbeStep;
use super::step_form::probe;
use crate::model::{Condition, Error, ErrorKind, Outputs, Result, TaskStatus};

/// `when:` of a step, as written.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    All(Vec<When>),
    Any(Vec<When>),
    Not(Box<When>),
    Input { name: Placed<String>, is: Vec<String> },
    Step { id: Placed<String>, is: Vec<TaskStatus> },
    Output { of: Placed<String>, is: Vec<String> },
    Probe(ProbeStep),
}

/// How a step can have ended, in the words of runbook and screen.
const ENDINGS: [TaskStatus; 4] = [TaskStatus::Done, TaskStatus::Unchanged, TaskStatus::Skipped, TaskStatus::Failed];

impl When {
    pub(super) fn decode(fields: &mut Fields, findings: &mut Findings) -> Option<Self> {
        let (key, node) = fields.entry("when")?;
        Self::of(key, node, findings)
    }

    fn of(key: &Key, node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Value::List(nodes) = &node.value {
            return Some(Self::All(Self::each(key, nodes, findings)));
        }
        let mut fields = Fields::of("a condition", key.span, node, findings)?;
        let kinds = ["input", "step", "output", "probe", "not", "all", "any"];
        let given: Vec<_> = kinds.iter().filter_map(|kind| Some((*kind, fields.entry(kind)?))).collect();
        let [(kind, (key, node))] = given[..] else {
            let at = given.get(1).map_or(key.span, |(_, (key, _))| key.span);
            let finding = Finding::error(at, "a condition is about one thing");
            findings.push(finding.help(format!("give one of {}; several stand in a list", kinds.join(", "))));
            return None;
        };
        let found = match (kind, &node.value) {
            ("input", _) => {
                let name = text(node, "input", findings);
                let is = Self::is(&mut fields, findings);
                Some(Self::Input { name: name?, is: is?.into_iter().map(|is| is.value).collect() })
            }
            ("output", _) => {
                let of = text(node, "output", findings);
                let is = Self::is(&mut fields, findings);
                Some(Self::Output { of: of?, is: is?.into_iter().map(|is| is.value).collect() })
            }
            ("step", _) => {
                let id = text(node, "step", findings);
                let is = Self::is(&mut fields, findings)?;
                let is = is.iter().flat_map(|word| endings(word, findings)).collect();
                Some(Self::Step { id: id?, is })
            }
            ("probe", _) => Some(Self::Probe(probe(key, node, &mut fields, findings)?)),
            ("not", _) => Some(Self::Not(Box::new(Self::of(key, node, findings)?))),
            (_, Value::List(nodes)) if !nodes.is_empty() => {
                let each = Self::each(key, nodes, findings);
                Some(if kind == "all" { Self::All(each) } else { Self::Any(each) })
            }
            _ => {
                findings.push(wrong_type(node, kind, "a list of conditions"));
                None
            }
        };
        fields.finish(findings);
        found
    }

    fn each(key: &Key, nodes: &[Node], findings: &mut Findings) -> Vec<Self> {
        nodes.iter().filter_map(|node| Self::of(key, node, findings)).collect()
    }

    /// One text or several.
    fn is(fields: &mut Fields, findings: &mut Findings) -> Option<Vec<Placed<String>>> {
        let node = fields.require("is", findings)?;
        Some(match &node.value {
            Value::List(nodes) => nodes.iter().filter_map(|node| text(node, "is", findings)).collect(),
            _ => vec![text(node, "is", findings)?],
        })
    }

    /// Names of steps are those of the file it stands in.
    pub(super) fn prefix(&mut self, prefix: &str) {
        match self {
            Self::All(of) | Self::Any(of) => of.iter_mut().for_each(|one| one.prefix(prefix)),
            Self::Not(of) => of.prefix(prefix),
            Self::Step { id, .. } | Self::Output { of: id, .. } => id.value.insert_str(0, prefix),
            Self::Input { .. } | Self::Probe(_) => {}
        }
    }

    /// All that stand in it, itself too.
    pub(super) fn parts(&self) -> Vec<&Self> {
        let mut parts = vec![self];
        match self {
            Self::All(of) | Self::Any(of) => parts.extend(of.iter().flat_map(Self::parts)),
            Self::Not(of) => parts.extend(of.parts()),
            Self::Input { .. } | Self::Step { .. } | Self::Output { .. } | Self::Probe(_) => {}
        }
        parts
    }

    /// The steps whose ends or outputs it asks for.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Placed<String>> {
        self.parts().into_iter().filter_map(|part| match part {
            Self::Step { id, .. } | Self::Output { of: id, .. } => Some(id),
            _ => None,
        })
    }

    pub(super) fn probes(&self) -> impl Iterator<Item = &ProbeStep> {
        self.parts().into_iter().filter_map(|part| match part {
            Self::Probe(probe) => Some(probe),
            _ => None,
        })
    }

    /// With the inputs' values; `at` finds a step. Probes are counted in the order of [`When::probes`].
    ///
    /// # Errors
    /// An input without a value.
    pub(super) fn fill(
        &self,
        inputs: &Inputs,
        at: &dyn Fn(&str) -> Option<u16>,
        outputs: Outputs<'_>,
    ) -> Result<Condition> {
        self.filled(inputs, at, outputs, &mut 0)
    }

    fn filled(
        &self,
        inputs: &Inputs,
        at: &dyn Fn(&str) -> Option<u16>,
        outputs: Outputs<'_>,
        probes: &mut usize,
    ) -> Result<Condition> {
        let mut each =
            |of: &[Self]| of.iter().map(|one| one.filled(inputs, at, outputs, probes)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Self::Output { of, is } => match outputs(&of.value) {
                Some(output) => Condition::Known(is.contains(&output)),
                None => Condition::Open,
            },
            Self::All(of) => Condition::All(each(of)?),
            Self::Any(of) => Condition::Any(each(of)?),
            Self::Not(of) => Condition::Not(Box::new(of.filled(inputs, at, outputs, probes)?)),
            Self::Input { name, is } => {
                let value = inputs.plain().get(&name.value).ok_or_else(|| {
                    Error::new(ErrorKind::Invalid, format!("look at the input '{}'", name.value), "it has no value")
                        .next(format!("give --input {}=VALUE", name.value))
                })?;
                Condition::Known(is.contains(value))
            }
            Self::Step { id, is } => match at(&id.value) {
                Some(step) => Condition::Step { step, is: is.clone() },
                None => Condition::Known(false),
            },
            Self::Probe(_) => {
                *probes += 1;
                Condition::Probe(*probes - 1)
            }
        })
    }

    /// As in "the input 'mode' is full, and the step 'account' is done".
    pub fn words(&self) -> String {
        let join = |of: &[Self], with: &str| of.iter().map(Self::words).collect::<Vec<_>>().join(with);
        match self {
            Self::All(of) => join(of, ", and "),
            Self::Any(of) => join(of, ", or "),
            Self::Not(of) => format!("not ({})", of.words()),
            Self::Input { name, is } => format!("the input '{}' is {}", name.value, is.join(" or ")),
            Self::Step { id, is } => {
                let is: Vec<&str> = is.iter().map(|status| status.word()).collect();
                format!("the step '{}' is {}", id.value, is.join(" or "))
            }
            Self::Output { of, is } => format!("the output of '{}' is {}", of.value, is.join(" or ")),
            Self::Probe(probe) => format!("the probe '{}' holds", probe.question.value),
        }
    }
}

/// A command that failed is unknown: nobody knows what it did before.
fn endings(word: &Placed<String>, findings: &mut Findings) -> Vec<TaskStatus> {
    match ENDINGS.into_iter().find(|status| status.word() == word.value) {
        Some(TaskStatus::Failed) => vec![TaskStatus::Failed, TaskStatus::Unknown],
        Some(status) => vec![status],
        None => {
            let words = ENDINGS.iter().map(|status| status.word());
            let finding = Finding::error(word.span, format!("no step ends as '{}'", word.value));
            findings.push(finding.maybe_help(suggestion(&word.value, words)));
            Vec::new()
        }
    }
}
