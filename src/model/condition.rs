use super::TaskStatus;

/// Whether a task is carried out, as far as it can be told of inputs; the rest is told by the run and by probes.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Known(bool),
    /// It is about what a command has not printed.
    Open,
    /// An earlier step of the same owner, or any task of it where it belongs to other owners, is in one of these.
    Step {
        step: u16,
        is: Vec<TaskStatus>,
    },
    /// The answer at this position.
    Probe(usize),
}

impl Condition {
    /// True or false as soon as that is certain. `step`: whether a step is in one of these, if it has ended; `answers`
    /// by position, empty before anything was asked.
    pub fn holds(&self, step: &dyn Fn(u16, &[TaskStatus]) -> Option<bool>, answers: &[bool]) -> Option<bool> {
        let one = |condition: &Self| condition.holds(step, answers);
        match self {
            Self::All(all) => decided(all.iter().map(one), false),
            Self::Any(any) => decided(any.iter().map(one), true),
            Self::Not(not) => one(not).map(|holds| !holds),
            Self::Known(holds) => Some(*holds),
            Self::Open => None,
            Self::Step { step: at, is } => step(*at, is),
            Self::Probe(at) => answers.get(*at).copied(),
        }
    }
}

/// One that is `settles` decides it; without any, all must be known.
fn decided(mut parts: impl Iterator<Item = Option<bool>>, settles: bool) -> Option<bool> {
    let mut is_whole = true;
    let found = parts.any(|part| {
        is_whole &= part.is_some();
        part == Some(settles)
    });
    match found {
        true => Some(settles),
        false => is_whole.then_some(!settles),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certain_needs_no_answer() {
        use Condition as C;
        let unknown = || C::Probe(0);
        let holds = |condition: C, answers: &[bool]| condition.holds(&|_, _| None, answers);
        assert_eq!(holds(C::All(vec![unknown(), C::Known(false)]), &[]), Some(false));
        assert_eq!(holds(C::Any(vec![unknown(), C::Known(true)]), &[]), Some(true));
        assert_eq!(holds(C::All(vec![unknown(), C::Known(true)]), &[]), None);
        assert_eq!(holds(C::Not(Box::new(unknown())), &[]), None);
        assert_eq!(holds(C::All(vec![unknown(), C::Known(true)]), &[true]), Some(true));
        assert_eq!(holds(C::Not(Box::new(unknown())), &[true]), Some(false));
        assert_eq!((holds(C::All(vec![]), &[]), holds(C::Any(vec![]), &[])), (Some(true), Some(false)));
    }
}
