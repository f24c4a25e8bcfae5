//! Where an argument list hands text to an interpreter that runs it as code: `sh -c`, `python -c`, `ssh host …`.

use super::template::Template;

/// How a program takes code from its arguments.
struct Interpreter {
    names: &'static [&'static str],
    /// Letters of the options that code follows.
    code: &'static str,
    /// The same as words.
    words: &'static [&'static str],
    /// Letters of other options that take the next argument.
    values: &'static str,
    /// Which argument is code by its position, from 0.
    position: Option<usize>,
    /// Code goes on to the end of the arguments.
    to_the_end: bool,
    /// Options may stand behind other arguments.
    options_anywhere: bool,
}

const PLAIN: Interpreter = Interpreter {
    names: &[],
    code: "",
    words: &[],
    values: "",
    position: None,
    to_the_end: false,
    options_anywhere: false,
};

const SHELL: Interpreter = Interpreter {
    names: &["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "yash", "rbash", "csh", "tcsh", "fish", "expect"],
    code: "c",
    words: &["command"],
    values: "oO",
    ..PLAIN
};

const INTERPRETERS: [Interpreter; 16] = [
    SHELL,
    Interpreter {
        names: &["pwsh", "powershell"],
        code: "c",
        words: &["command", "commandwithargs", "encodedcommand"],
        to_the_end: true,
        ..PLAIN
    },
    Interpreter { names: &["python", "pypy"], code: "c", values: "WX", ..PLAIN },
    Interpreter { names: &["perl"], code: "eE", values: "I", ..PLAIN },
    Interpreter { names: &["ruby"], code: "e", values: "IrCE", ..PLAIN },
    Interpreter { names: &["node", "nodejs", "bun"], code: "ep", words: &["eval", "print"], values: "rC", ..PLAIN },
    Interpreter { names: &["deno"], code: "", words: &["eval"], position: Some(1), ..PLAIN },
    Interpreter { names: &["php"], code: "rRBE", words: &["run"], values: "dcz", ..PLAIN },
    Interpreter { names: &["lua", "luajit", "Rscript", "julia", "osascript"], code: "e", values: "lL", ..PLAIN },
    Interpreter {
        names: &["awk", "gawk", "mawk", "nawk"],
        code: "e",
        words: &["source"],
        values: "Fvf",
        position: Some(0),
        ..PLAIN
    },
    Interpreter { names: &["sed"], code: "e", words: &["expression"], values: "f", position: Some(0), ..PLAIN },
    Interpreter {
        names: &["psql"],
        code: "c",
        words: &["command"],
        values: "dfhpUvLoPRFT",
        options_anywhere: true,
        ..PLAIN
    },
    Interpreter {
        names: &["mysql", "mariadb"],
        code: "e",
        words: &["execute"],
        values: "",
        options_anywhere: true,
        ..PLAIN
    },
    Interpreter { names: &["sqlite3"], words: &["cmd"], position: Some(1), ..PLAIN },
    Interpreter {
        names: &["su", "runuser", "script", "flock"],
        code: "c",
        words: &["command", "session-command"],
        values: "gGs",
        options_anywhere: true,
        ..PLAIN
    },
    Interpreter { names: &["env"], code: "S", words: &["split-string"], values: "uC", ..PLAIN },
];

/// Whose arguments are a command for a shell, from the one at this position on.
const JOINERS: [Interpreter; 2] = [
    Interpreter { names: &["ssh"], values: "bcDEeFIiJLlmOopQRSWw", position: Some(1), to_the_end: true, ..PLAIN },
    Interpreter { names: &["watch", "eval", "parallel"], values: "n", position: Some(0), to_the_end: true, ..PLAIN },
];

/// Programs that run another one, which their arguments name.
const WRAPPERS: [&str; 20] = [
    "env",
    "sudo",
    "doas",
    "nice",
    "ionice",
    "nohup",
    "timeout",
    "setsid",
    "stdbuf",
    "chroot",
    "xargs",
    "time",
    "busybox",
    "unshare",
    "nsenter",
    "runuser",
    "flock",
    "exec",
    "command",
    "systemd-run",
];

/// The first argument that holds a variable and is run as code.
pub(super) fn code_with_a_variable(argv: &[Template]) -> Option<&Template> {
    let is_wrapped = argv.first().and_then(program).is_some_and(|name| WRAPPERS.contains(&name.as_str()));
    (0..argv.len()).find_map(|at| {
        let rest = argv.get(at + 1..)?;
        let is_first = at == 0 || is_wrapped;
        let Some(name) = program(argv.get(at)?) else {
            // It may be any program, a shell too.
            return if at == 0 { SHELL.code_in(rest) } else { None };
        };
        let all = INTERPRETERS.iter().chain(&JOINERS);
        let mut known = all.filter(|one| is_first || one.position.is_none());
        known.find(|one| one.names.contains(&name.as_str()))?.code_in(rest)
    })
}

/// The name of the program that an argument would be: `python` for `/usr/bin/python3.12`. None where a variable
/// decides.
fn program(argument: &Template) -> Option<String> {
    let name = argument.literal_text()?;
    let name = name.rsplit('/').next().unwrap_or_default();
    let version = |one: char| one.is_ascii_digit() || one == '.' || one == '-';
    let known = |name: &str| INTERPRETERS.iter().chain(&JOINERS).any(|one| one.names.contains(&name));
    let bare = name.trim_end_matches(version);
    Some(if known(name) || !known(bare) { name.to_owned() } else { bare.to_owned() })
}

impl Interpreter {
    fn code_in<'a>(&self, arguments: &'a [Template]) -> Option<&'a Template> {
        let (mut position, mut expects_code, mut skips, mut options_end) = (0, false, false, false);
        for argument in arguments {
            let text = argument.leading_text();
            let holds_variable = argument.variables().next().is_some();
            if std::mem::take(&mut skips) {
                continue;
            }
            if !options_end && text.len() > 1 && text.starts_with(['-', '+']) {
                if text == "--" && !holds_variable {
                    options_end = true;
                    continue;
                }
                match self.option(text, holds_variable) {
                    Follows::Nothing => {}
                    Follows::Value => skips = true,
                    Follows::Code => expects_code = true,
                    Follows::HoldsCode if holds_variable => return Some(argument),
                    Follows::HoldsCode if self.options_anywhere => {}
                    Follows::HoldsCode => return None,
                }
                continue;
            }
            let is_code = expects_code
                || self.position.is_some_and(|code| position == code || (self.to_the_end && position > code));
            if is_code && holds_variable {
                return Some(argument);
            }
            let goes_on = self.options_anywhere || self.to_the_end || self.position.is_some_and(|code| position < code);
            if !goes_on {
                return None;
            }
            expects_code &= self.to_the_end;
            position += 1;
        }
        None
    }

    fn option(&self, text: &str, holds_variable: bool) -> Follows {
        let bare = text.trim_start_matches(['-', '+']);
        let (word, joined) = bare.split_once('=').map_or((bare, false), |(word, _)| (word, true));
        let is_word = self.words.contains(&word.to_ascii_lowercase().as_str());
        if text.starts_with("--") || (is_word && word.len() > 1) {
            return match (is_word, joined) {
                (true, true) => Follows::HoldsCode,
                (true, false) => Follows::Code,
                (false, false) if matches!(word, "rcfile" | "init-file" | "require" | "import") => Follows::Value,
                _ => Follows::Nothing,
            };
        }
        // A shell reads all letters as options of their own; with the others code may stand right behind its letter.
        let is_shell = self.names == SHELL.names;
        let mut follows = Follows::Nothing;
        for (at, letter) in bare.char_indices() {
            let is_last = at + letter.len_utf8() == bare.len() && !holds_variable;
            if self.code.contains(letter) {
                if !is_shell && !is_last {
                    return Follows::HoldsCode;
                }
                follows = Follows::Code;
            } else if self.values.contains(letter) && is_last {
                // `-co pipefail CODE`: the value comes first.
                return if matches!(follows, Follows::Code) { Follows::Code } else { Follows::Value };
            }
        }
        follows
    }
}

/// What comes with an option, or behind it.
enum Follows {
    Nothing,
    Value,
    Code,
    HoldsCode,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::finding::Span;

    fn found(argv: &str) -> Option<String> {
        let template = |word: &str| Template::parse(&word.replace('_', " "), Span::default()).unwrap();
        let argv: Vec<Template> = argv.split(' ').map(template).collect();
        code_with_a_variable(&argv).map(|code| code.fill(|name| Ok::<_, ()>(format!("<{name}>").into())).unwrap())
    }

    #[test]
    fn a_variable_in_code_is_found_whatever_runs_the_code() {
        for argv in [
            "sh -c echo_${user}",
            "/bin/bash -c echo_${user}",
            "bash -ec echo_${user}",
            "bash -euo pipefail -c echo_${user}",
            "bash --norc -c -- echo_${user}",
            "sh -c -e echo_${user}",
            "env sh -c echo_${user}",
            "env A=b /usr/bin/env -i dash -lc echo_${user}",
            "env -S sh_-c_${user}",
            "env --split-string=sh_${user}",
            "sudo -u ana sh -c echo_${user}",
            "timeout 5 nice zsh -c echo_${user}",
            "busybox sh -c echo_${user}",
            "find . -exec sh -c echo_${user} ;",
            "xargs -n1 sh -c echo_${user}",
            "kubectl exec pod -c main -- sh -c echo_${user}",
            "python3 -c print(${user})",
            "python3.12 -I -c print(${user})",
            "python -cprint(${user})",
            "perl -ne print_${user}",
            "perl -e${user}",
            "ruby -e puts_${user}",
            "node --eval=f(${user})",
            "node -p ${user}",
            "php -r echo_${user};",
            "awk {print_${user}} file",
            "sed -n s/a/${user}/e file",
            "sed -e s/a/${user}/ file",
            "su ana -c echo_${user}",
            "su - ana --command=echo_${user}",
            "runuser -u ana -- sh -c echo_${user}",
            "ssh -p 22 host rm ${user}",
            "watch -n 1 ls ${user}",
            "psql -d db -c select_'${user}'",
            "mysql --execute=select_${user}",
            "pwsh -Command echo ${user}",
            "${shell} -c echo_${user}",
        ] {
            assert!(found(argv).is_some(), "{argv}: it is taken");
        }
    }

    #[test]
    fn arguments_that_are_no_code_may_hold_variables() {
        for argv in [
            "sh -c printf_%s_\"$1\" sh ${user}",
            "bash /srv/script.sh ${user}",
            "bash -x /srv/script.sh -c ${user}",
            "python3 /srv/script.py -c ${user}",
            "python3 -m module ${user}",
            "systemctl restart hub@${user}",
            "env A=${user} /srv/program ${user}",
            "sudo -u ${user} /srv/program -c ${user}",
            "ssh ${host} uptime",
            "psql -d ${user} -f file",
            "awk -v name=${user} {print_name} file",
            "sed -i s/a/b/ /home/${user}/x",
            "apt-get install sed ${package}",
            "su ${user} -c uptime",
            "echo ${user}",
        ] {
            assert_eq!(found(argv), None, "{argv}");
        }
    }
}
