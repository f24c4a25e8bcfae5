use std::process::Stdio;
use std::time::Duration;

use super::call::Call;
use super::ways::{Command, Webhook};

/// Who does not answer by then is given up: nothing waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the operator's program. What fails is logged, and holds nothing.
pub async fn by_command(command: Command, call: Call, run: String) {
    let mut process = tokio::process::Command::new(&command.program);
    process.args(&command.arguments).kill_on_drop(true).process_group(0);
    process.env("REKINDLE_EVENT", call.moment.word()).env("REKINDLE_TEXT", &call.text).env("REKINDLE_RUN", run);
    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let program = &command.program;
    match tokio::time::timeout(PATIENCE, process.status()).await {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => tracing::warn!("the notification command {program} ended with {status}"),
        Ok(Err(error)) => tracing::warn!("the notification command {program} cannot be run: {error}"),
        Err(_) => tracing::warn!("the notification command {program} was killed after {} s", PATIENCE.as_secs()),
    }
}

/// Sends it as JSON. An address may be a secret: no message names it.
pub async fn by_webhook(webhook: Webhook, call: Call, run: String) {
    let sent = tokio::time::timeout(PATIENCE, send(webhook, call, run)).await;
    let why = match sent {
        Ok(Ok(())) => return,
        Ok(Err(why)) => why,
        Err(_) => format!("no answer in {} s", PATIENCE.as_secs()),
    };
    tracing::warn!("the webhook could not be told: {why}");
}

async fn send(webhook: Webhook, call: Call, run: String) -> Result<(), String> {
    let address = webhook.resolve()?;
    let told = |error: reqwest::Error| error.without_url().to_string();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().map_err(told)?;
    let body = serde_json::json!({ "event": call.moment.word(), "text": call.text, "run": run });
    let answer = client.post(address).json(&body).send().await.map_err(told)?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answered {}", answer.status())) }
}
