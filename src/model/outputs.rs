/// What earlier commands of a run printed, by the id of their step: nothing where it is not known.
pub type Outputs<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The step whose output a variable of a runbook stands for: `stop` for `steps.stop.output`.
pub fn output_of(variable: &str) -> Option<&str> {
    variable.strip_prefix("steps.")?.strip_suffix(".output").filter(|step| !step.is_empty())
}

/// The variable that stands for the output of a step.
pub fn output_variable(step: &str) -> String {
    format!("steps.{step}.output")
}

/// What a command may print where its step captures it, in bytes: a word for later steps, not a file.
pub const MOST_OUTPUT: usize = 16_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_an_output_may_have_dots_in_its_name() {
        assert_eq!(output_of("steps.stop.output"), Some("stop"));
        assert_eq!(output_of(&output_variable("hub.stop")), Some("hub.stop"));
        for other in ["steps..output", "steps.stop", "stop.output", "user", "steps.output"] {
            assert_eq!(output_of(other), None, "{other}");
        }
    }
}
