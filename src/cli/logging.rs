use tracing_subscriber::prelude::*;

/// Log lines go to the screen's log pane; with `-v`, and where no screen is drawn, to stderr.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let filter = tracing_subscriber::filter::Targets::new().with_target("rekindle", level).with_targets([
        ("engine", level),
        ("run", level),
        ("journal", level),
        ("plain", level),
    ]);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).without_time().with_filter(filter);
    let lines = (verbose > 0).then_some(lines);
    // A second start in one process keeps the first one's settings.
    let _ = tracing_subscriber::registry().with(crate::tui::log_layer()).with(lines).try_init();
    crate::tui::start_log(log::LevelFilter::Info);
}
