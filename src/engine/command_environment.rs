use std::ffi::OsString;

use super::lineage::Lineage;

/// What a command needs to find programs, files and words. Anything else, secrets above all, it gets from its step.
const KEPT: [&str; 15] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TZ",
    "TZDIR",
    "TMPDIR",
    "HOSTNAME",
    "REKINDLE_STATE",
];
/// The same by their beginnings. A rekindle that runs commands may itself be a command's child: it stays marked.
const KEPT_BEGINNINGS: [&str; 3] = ["LC_", "XDG_", Lineage::MARK];

/// Of this process's environment, what a command of the runbook begins with.
pub(super) fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_kept))
}

fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || KEPT_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_the_environment_are_not_inherited() {
        for name in ["RESTIC_PASSWORD", "REKINDLE_INPUT_TOKEN", "AWS_SECRET_ACCESS_KEY", "KEYCLOAK_PASSWORD", "PATHS"] {
            assert!(!is_kept(name), "{name} is inherited");
        }
        for name in ["PATH", "HOME", "LANG", "LC_ALL", "TERM", "REKINDLE_COMMAND_1_2_3"] {
            assert!(is_kept(name), "{name} is not inherited");
        }
    }
}
