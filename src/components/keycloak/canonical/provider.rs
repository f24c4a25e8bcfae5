use serde_json::{Value, json};

use super::Canonical;
use super::fields::{Fields, compact, keyed, of_texts, split_secrets, unmasked};
use super::names::{list, text};
use crate::components::keycloak::kinds::Kind;

/// An identity provider with its mappers.
pub(super) fn identity_provider(representation: &Value, realm: &Value) -> Canonical {
    let mut fields = Fields::of(representation);
    let alias = fields.text("alias").unwrap_or_default();
    let internal = fields.text("internalId").map(|id| json!(id));
    fields.put("id", internal);
    fields.keep(&[
        "displayName",
        "providerId",
        "enabled",
        "hideOnLogin",
        "trustEmail",
        "storeToken",
        "addReadTokenRoleOnCreate",
        "authenticateByDefault",
        "linkOnly",
    ]);
    for flow in ["firstBrokerLoginFlowAlias", "postBrokerLoginFlowAlias"] {
        let alias = fields.text(flow).map(|alias| json!(alias));
        fields.put(flow, alias);
    }
    let (mut plain, secret) = fields.take("config").map_or((None, None), split_secrets);
    // Files of up to Keycloak 25 keep this among the settings; the server makes it a field.
    let hides = plain.as_mut().and_then(Value::as_object_mut).and_then(|plain| plain.remove("hideOnLoginPage"));
    if let (Some(hides), None) = (hides, representation.get("hideOnLogin")) {
        fields.put("hideOnLogin", Some(json!(hides == "true")));
    }
    fields.put("config", plain.filter(|plain| plain.as_object().is_some_and(|plain| !plain.is_empty())));
    fields.put("secretConfig", unmasked(secret));
    let ours = list(realm, "identityProviderMappers").iter();
    let ours = ours.filter(|mapper| text(mapper, "identityProviderAlias") == Some(alias));
    let mappers = ours.map(|mapper| {
        let mut fields = Fields::of(mapper);
        fields.keep(&["name", "identityProviderMapper"]);
        let config = fields.take("config").map(of_texts);
        fields.put("config", config.as_ref().and_then(compact));
        fields.pass_over(&["id", "identityProviderAlias"]);
        fields.finish()
    });
    let (mappers, not_known): (Vec<Value>, Vec<Vec<String>>) = mappers.unzip();
    fields.put("mappers", keyed(mappers, "name"));
    // `updateProfileFirstLoginMode` is in files of up to Keycloak 25. The server passes it over, so it is named as unknown.
    // Which organization uses it is written at the organization.
    fields.pass_over(&["types", "organizationId", "updateProfileFirstLogin"]);
    let (document, mut unknown) = fields.finish();
    unknown.extend(not_known.into_iter().flatten().map(|field| format!("its mappers' {field}")));
    Canonical { id: Kind::IdentityProvider.id(&[alias]), document, unknown }
}

pub(super) fn required_action(representation: &Value) -> Canonical {
    let mut fields = Fields::of(representation);
    let alias = current_action(fields.text("alias").unwrap_or_default());
    fields.keep(&["name", "enabled", "defaultAction", "priority", "config"]);
    let provider = fields.text("providerId").map(|provider| json!(current_action(provider)));
    fields.put("providerId", provider);
    fields.pass_over(&["alias"]);
    let (document, unknown) = fields.finish();
    Canonical { id: Kind::RequiredAction.id(&[alias]), document, unknown }
}

/// What every server can ask of somebody, whether the realm lists it or not.
pub const ACTIONS: [&str; 14] = [
    "CONFIGURE_RECOVERY_AUTHN_CODES",
    "CONFIGURE_TOTP",
    "TERMS_AND_CONDITIONS",
    "UPDATE_EMAIL",
    "UPDATE_PASSWORD",
    "UPDATE_PROFILE",
    "VERIFY_EMAIL",
    "VERIFY_PROFILE",
    "delete_account",
    "delete_credential",
    "idp_link",
    "update_user_locale",
    "webauthn-register",
    "webauthn-register-passwordless",
];

/// Keycloak 21 gave one action another name; the server gives it to what older files hold.
pub(super) fn current_action(alias: &str) -> &str {
    if alias == "terms_and_conditions" { "TERMS_AND_CONDITIONS" } else { alias }
}

/// The same of what somebody is to do, which the server reads in any case.
pub(super) fn action_of_user(alias: &str) -> &str {
    ACTIONS.into_iter().find(|known| known.eq_ignore_ascii_case(alias)).unwrap_or(alias)
}

/// An organization; who is a member is written at each user.
pub fn organization(representation: &Value) -> Canonical {
    let mut fields = Fields::of(representation);
    let alias = fields.text("alias").or_else(|| text(representation, "name")).unwrap_or_default();
    fields.keep(&["id", "name", "enabled", "description", "redirectUrl"]);
    fields.keep_lists_by_name(&["attributes"]);
    let domains = fields
        .take("domains")
        .and_then(Value::as_array)
        .and_then(|domains| keyed(domains.iter().filter_map(compact).collect(), "name"));
    fields.put("domains", domains);
    let providers = fields.take("identityProviders").and_then(Value::as_array).and_then(|providers| {
        let aliases = providers.iter().filter_map(|provider| provider.get("alias").cloned()).collect();
        super::fields::set(&Value::Array(aliases))
    });
    fields.put("identityProviders", providers);
    fields.pass_over(&["alias", "members", "groups"]);
    let (document, unknown) = fields.finish();
    Canonical { id: Kind::Organization.id(&[alias]), document, unknown }
}
