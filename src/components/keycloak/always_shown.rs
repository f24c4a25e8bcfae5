//! Fields that the server fills in by itself and always shows, as a fresh realm of Keycloak 26.5.3 shows them. A file
//! that lacks one of them, since it is older or short, takes what the server has.

use serde_json::Value;

use super::canonical::DEFAULT_ROLE;
use super::kinds::Kind;
use crate::model::TreePath;

/// Of the realm's settings.
pub(super) const SETTINGS_ALWAYS_SHOWN: [&str; 85] = [
    "notBefore",
    "defaultSignatureAlgorithm",
    "revokeRefreshToken",
    "refreshTokenMaxReuse",
    "accessTokenLifespan",
    "accessTokenLifespanForImplicitFlow",
    "ssoSessionIdleTimeout",
    "ssoSessionMaxLifespan",
    "ssoSessionIdleTimeoutRememberMe",
    "ssoSessionMaxLifespanRememberMe",
    "offlineSessionIdleTimeout",
    "offlineSessionMaxLifespanEnabled",
    "offlineSessionMaxLifespan",
    "clientSessionIdleTimeout",
    "clientSessionMaxLifespan",
    "clientOfflineSessionIdleTimeout",
    "clientOfflineSessionMaxLifespan",
    "accessCodeLifespan",
    "accessCodeLifespanUserAction",
    "accessCodeLifespanLogin",
    "actionTokenGeneratedByAdminLifespan",
    "actionTokenGeneratedByUserLifespan",
    "oauth2DeviceCodeLifespan",
    "oauth2DevicePollingInterval",
    "enabled",
    "sslRequired",
    "registrationAllowed",
    "registrationEmailAsUsername",
    "rememberMe",
    "verifyEmail",
    "loginWithEmailAllowed",
    "duplicateEmailsAllowed",
    "resetPasswordAllowed",
    "editUsernameAllowed",
    "bruteForceProtected",
    "permanentLockout",
    "maxTemporaryLockouts",
    "bruteForceStrategy",
    "maxFailureWaitSeconds",
    "minimumQuickLoginWaitSeconds",
    "waitIncrementSeconds",
    "quickLoginCheckMilliSeconds",
    "maxDeltaTimeSeconds",
    "failureFactor",
    "requiredCredentials",
    "otpPolicyType",
    "otpPolicyAlgorithm",
    "otpPolicyInitialCounter",
    "otpPolicyDigits",
    "otpPolicyLookAheadWindow",
    "otpPolicyPeriod",
    "otpPolicyCodeReusable",
    "webAuthnPolicyRpEntityName",
    "webAuthnPolicySignatureAlgorithms",
    "webAuthnPolicyAttestationConveyancePreference",
    "webAuthnPolicyAuthenticatorAttachment",
    "webAuthnPolicyRequireResidentKey",
    "webAuthnPolicyUserVerificationRequirement",
    "webAuthnPolicyCreateTimeout",
    "webAuthnPolicyAvoidSameAuthenticatorRegister",
    "webAuthnPolicyPasswordlessRpEntityName",
    "webAuthnPolicyPasswordlessSignatureAlgorithms",
    "webAuthnPolicyPasswordlessAttestationConveyancePreference",
    "webAuthnPolicyPasswordlessAuthenticatorAttachment",
    "webAuthnPolicyPasswordlessRequireResidentKey",
    "webAuthnPolicyPasswordlessUserVerificationRequirement",
    "webAuthnPolicyPasswordlessCreateTimeout",
    "webAuthnPolicyPasswordlessAvoidSameAuthenticatorRegister",
    "browserSecurityHeaders",
    "eventsEnabled",
    "adminEventsEnabled",
    "adminEventsDetailsEnabled",
    "internationalizationEnabled",
    "userManagedAccessAllowed",
    "organizationsEnabled",
    "verifiableCredentialsEnabled",
    "adminPermissionsEnabled",
    "attributes.cibaAuthRequestedUserHint",
    "attributes.cibaBackchannelTokenDeliveryMode",
    "attributes.cibaExpiresIn",
    "attributes.cibaInterval",
    "attributes.oauth2DeviceCodeLifespan",
    "attributes.oauth2DevicePollingInterval",
    "attributes.parRequestUriLifespan",
    "attributes.realmReusableOtpCode",
];

/// Whether settings that a backup holds have all that a server shows of them: then a server of this version wrote it, and
/// what it lacks is not there.
pub(super) fn says_all(settings: &Value, shown: &Value) -> bool {
    let mut names = SETTINGS_ALWAYS_SHOWN.iter().filter(|name| !name.contains('.'));
    names.all(|name| settings.get(name).is_some() || shown.get(name).is_none())
}

/// Of a client.
pub(super) const CLIENT_ALWAYS_SHOWN: [&str; 16] = [
    "surrogateAuthRequired",
    "enabled",
    "alwaysDisplayInConsole",
    "clientAuthenticatorType",
    "notBefore",
    "bearerOnly",
    "consentRequired",
    "standardFlowEnabled",
    "implicitFlowEnabled",
    "directAccessGrantsEnabled",
    "serviceAccountsEnabled",
    "publicClient",
    "frontchannelLogout",
    "protocol",
    "fullScopeAllowed",
    "nodeReRegistrationTimeout",
];

/// Clients that the server makes with every realm.
pub(super) const CLIENTS: [&str; 7] = [
    "account",
    "account-console",
    "admin-cli",
    "broker",
    "realm-management",
    "security-admin-console",
    "admin-permissions",
];
/// The one that the server gives to a client with its service account.
pub(super) const SCOPE_OF_ACCOUNT: &str = "service_account";
/// Those of [`SCOPES_OF_THE_SERVER`] that are for SAML.
pub(super) const SAML_SCOPES: [&str; 2] = ["role_list", "saml_organization"];
/// Client scopes that the server makes where a file lists none.
pub(super) const SCOPES_OF_THE_SERVER: [&str; 14] = [
    "acr",
    "address",
    "basic",
    "email",
    "microprofile-jwt",
    "offline_access",
    "organization",
    "phone",
    "profile",
    "role_list",
    "roles",
    "saml_organization",
    "service_account",
    "web-origins",
];
const REALM_ROLES: [&str; 3] = [DEFAULT_ROLE, "offline_access", "uma_authorization"];
/// By client, the roles that the server makes with it.
const CLIENT_ROLES: [(&str, &[&str]); 3] = [
    (
        "account",
        &[
            "delete-account",
            "manage-account",
            "manage-account-links",
            "manage-consent",
            "view-applications",
            "view-consent",
            "view-groups",
            "view-profile",
        ],
    ),
    ("broker", &["read-token"]),
    (
        "realm-management",
        &[
            "create-client",
            "impersonation",
            "manage-authorization",
            "manage-clients",
            "manage-events",
            "manage-identity-providers",
            "manage-realm",
            "manage-users",
            "query-clients",
            "query-groups",
            "query-realms",
            "query-users",
            "realm-admin",
            "view-authorization",
            "view-clients",
            "view-events",
            "view-identity-providers",
            "view-realm",
            "view-users",
        ],
    ),
];
const FLOWS: [&str; 8] = [
    "browser",
    "clients",
    "direct grant",
    "docker auth",
    "first broker login",
    "registration",
    "reset credentials",
    "saml ecp",
];
/// Last names of the types of components that the server makes with each realm.
const COMPONENTS: [&str; 2] = ["ClientRegistrationPolicy", "KeyProvider"];

/// Whether the server makes a resource of this name with every realm, so that it says nothing of who was there since.
pub(super) fn is_of_every_realm(key: &TreePath) -> bool {
    let Some((kind, names)) = Kind::of_key(key) else { return false };
    let first = names.first().map_or("", String::as_str);
    match kind {
        Kind::RealmSettings | Kind::UserProfile | Kind::Bindings | Kind::ClientPolicies | Kind::RequiredAction => true,
        Kind::Client | Kind::ClientRole => CLIENTS.contains(&first),
        Kind::ClientScope => SCOPES_OF_THE_SERVER.contains(&first),
        Kind::RealmRole => REALM_ROLES.contains(&first),
        Kind::Flow => FLOWS.contains(&first),
        Kind::Component => COMPONENTS.iter().any(|known| first.ends_with(known)),
        Kind::Localization
        | Kind::IdentityProvider
        | Kind::Group
        | Kind::Organization
        | Kind::ServiceAccount
        | Kind::User => false,
    }
}

/// Whether it is a role that the server makes with every realm.
pub(super) fn is_role_of_the_server(key: &TreePath) -> bool {
    let Some((kind, names)) = Kind::of_key(key) else { return false };
    match (kind, names.as_slice()) {
        (Kind::RealmRole, [role]) => REALM_ROLES.contains(&role.as_str()),
        (Kind::ClientRole, [client, role]) => {
            CLIENT_ROLES.iter().any(|(of, roles)| of == client && roles.contains(&role.as_str()))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::canonical::CLIENT_FIELDS;
    use super::*;

    #[test]
    fn what_is_shown_of_every_client_is_known_of_a_client() {
        let strange: Vec<_> = CLIENT_ALWAYS_SHOWN.iter().filter(|name| !CLIENT_FIELDS.contains(name)).collect();
        assert!(strange.is_empty(), "{strange:?}");
    }
}
