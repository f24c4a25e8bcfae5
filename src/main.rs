use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(rekindle::cli::run(std::env::args_os()).code())
}
