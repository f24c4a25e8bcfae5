use crate::model::{Known, Problem, ResourceId, plural, some_of};

/// So many reasons are told in full; the evidence counts the rest.
const MOST_REASONS: usize = 8;
/// So many resources are named for one reason.
const MOST_NAMES: usize = 4;

/// What failed of one task, resource by resource.
#[derive(Default)]
pub(super) struct Failures(Vec<(Option<ResourceId>, Problem)>);

impl Failures {
    pub fn of_task(&mut self, problem: Problem) {
        self.0.push((None, problem));
    }

    pub fn of_resource(&mut self, id: &ResourceId, problem: Problem) {
        self.0.push((Some(id.clone()), problem));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One problem of all of them: a single one as it is, several by their reasons, each with the resources it is about.
    pub fn into_problem(self, of: usize) -> Option<Problem> {
        let count = self.0.len();
        let first = self.0.first().map(|(_, problem)| problem.clone())?;
        if count == 1 {
            return Some(first);
        }
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for (id, problem) in &self.0 {
            let id = id.as_ref().map(ToString::to_string);
            let told = id.as_ref().map(|id| format!("cannot write {id}: "));
            let why = told.and_then(|told| problem.what.strip_prefix(&told)).unwrap_or(&problem.what).to_owned();
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.extend(id),
                None => reasons.push((why, id.into_iter().collect())),
            }
        }
        let more = reasons.len().saturating_sub(MOST_REASONS);
        let mut words: Vec<String> =
            reasons.into_iter().take(MOST_REASONS).map(|(why, names)| told(&why, names)).collect();
        if more > 0 {
            words.push(format!("and {} more", plural(more as u64, "reason")));
        }
        let known = if self.0.iter().any(|(_, problem)| problem.known == Known::Unknown) {
            Known::Unknown
        } else {
            first.known
        };
        let what = format!("cannot write {count} of {}: {}", plural(of as u64, "resource"), words.join("; "));
        Some(Problem { known, what, ..first })
    }
}

fn told(why: &str, names: Vec<String>) -> String {
    match names.is_empty() {
        true => why.to_owned(),
        false => format!("{}: {why}", some_of(names, MOST_NAMES, ", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Error, ErrorKind, TreePath};

    fn failing(failures: &mut Failures, name: &str, why: &str) {
        let id = ResourceId { kind: "document".into(), key: TreePath::new(name).unwrap() };
        let error = Error::new(ErrorKind::Invalid, format!("write {id}"), why).next("mend it");
        failures.of_resource(&id, error.problem());
    }

    #[test]
    fn one_failure_is_told_as_it_is() {
        let mut failures = Failures::default();
        failing(&mut failures, "a", "400: no such theme");
        let problem = failures.into_problem(7).unwrap();
        assert!(
            problem.what.starts_with("cannot write ") && problem.what.ends_with("400: no such theme"),
            "{problem:?}"
        );
    }

    #[test]
    fn several_failures_are_told_by_their_reasons() {
        let mut failures = Failures::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            failing(&mut failures, name, "no such provider");
        }
        failing(&mut failures, "g", "no such flow");
        let problem = failures.into_problem(40).unwrap();
        assert!(problem.what.starts_with("cannot write 7 of 40 resources: "), "{}", problem.what);
        assert!(problem.what.contains(" and 2 more: no such provider; "), "{}", problem.what);
        assert_eq!(problem.what.matches("no such provider").count(), 1);
        assert!(problem.what.ends_with("g: no such flow"), "{}", problem.what);
        assert_eq!(problem.next.as_deref(), Some("mend it"));
    }

    #[test]
    fn a_thousand_reasons_are_not_a_thousand_lines() {
        let mut failures = Failures::default();
        for at in 0..1000 {
            failing(&mut failures, &format!("d{at}"), &format!("reason {at}"));
        }
        let problem = failures.into_problem(1000).unwrap();
        assert!(problem.what.len() < 1000 && problem.what.ends_with("and 992 reasons more"), "{}", problem.what);
    }
}
