use std::process::ExitCode;

/// Two processors derive a repository's key in two thirds of the time that they need with the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    let _points = fail::FailScenario::setup();
    ExitCode::from(rekindle::cli::run(std::env::args_os()).code())
}
