use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _points = fail::FailScenario::setup();
    ExitCode::from(rekindle::cli::run(std::env::args_os()).code())
}
