use std::collections::BTreeSet;

use serde_json::Value;

use super::super::kinds::Kind;
use super::super::live::Keycloak;
use super::execute::of;
use super::planned::Planned;
use super::resources::Told;
use super::target::text;
use crate::model::{Error, ErrorKind, Result, visible};

/// The kinds of providers that an execution can name.
const PROVIDERS: [&str; 4] = ["authenticator", "form-action", "form-authenticator", "client-authenticator"];

impl Keycloak {
    /// A flow is written call by call, and one that lacks an execution lets people in without it. So a flow of a missing
    /// plugin is refused before the first call, and what refers to it is refused with it.
    pub(super) async fn refuse_lacking_providers(&self, planned: &mut Vec<Planned<'_>>, told: &mut Told) {
        let is_written = |plan: &Planned<'_>| plan.kind == Kind::Flow && !plan.removes && plan.from != plan.to;
        if !planned.iter().any(is_written) {
            return;
        }
        // What cannot be asked now is told by the write.
        let Ok(info) = self.live.http.server_info().await else { return };
        planned.retain(|plan| {
            let lacking = if is_written(plan) { lacking(&info, &plan.to) } else { Vec::new() };
            if lacking.is_empty() {
                return true;
            }
            let why = format!("this server has no provider {}", lacking.join(", "));
            let error = Error::new(ErrorKind::Unsupported, "make its executions", why)
                .next("install the plugin, then retry; or leave this flow out");
            told.failed.insert(plan.at, of(&plan.approved.change.id, error));
            false
        });
    }

    /// Takes away a new flow of which a part could not be made.
    pub(super) async fn unmake_flow(&self, alias: &str) -> Result<()> {
        let flows = self.live.http.get("/authentication/flows", &[]).await?;
        let made = flows.as_array().into_iter().flatten().find(|flow| text(flow, "alias") == Some(alias));
        let Some(id) = made.and_then(|flow| text(flow, "id")) else { return Ok(()) };
        let path = format!("/authentication/flows/{}", super::super::http::segment(id));
        self.live.http.write(reqwest::Method::DELETE, &path, None).await.map(|_| ())
    }
}

/// Providers that a flow names and the server does not. Where the server names none at all, nothing is known.
fn lacking(info: &Value, flow: &Value) -> Vec<String> {
    let of = |kind: &str| info.get("providers")?.get(kind)?.get("providers")?.as_object();
    let known: BTreeSet<&String> = PROVIDERS.into_iter().filter_map(of).flat_map(|all| all.keys()).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![flow];
    while let Some(flow) = open.pop() {
        for execution in flow.get("executions").and_then(Value::as_array).into_iter().flatten() {
            found.extend(text(execution, "authenticator"));
            open.extend(execution.get("flow"));
        }
    }
    let is_lacking = |name: &&str| !known.is_empty() && !known.contains(&(*name).to_owned());
    found.into_iter().filter(is_lacking).map(|name| visible(name).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_authenticator_that_the_server_lacks_is_found_at_any_depth() {
        let info = json!({"providers": {"authenticator": {"providers": {"auth-cookie": {}}},
            "form-action": {"providers": {"registration-password-action": {}}}}});
        let below =
            json!({"executions": [{"authenticator": "corp-badge"}, {"authenticator": "registration-password-action"}]});
        let flow = json!({"executions": [{"authenticator": "auth-cookie"}, {"flow": below}]});
        assert_eq!(lacking(&info, &flow), ["corp-badge"]);
        assert_eq!(lacking(&json!({}), &flow), Vec::<String>::new());
    }
}
