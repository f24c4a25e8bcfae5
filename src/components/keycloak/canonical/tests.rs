use serde_json::{Value, json};

use super::*;
use crate::components::keycloak::kinds::Kind;
use crate::model::TreePath;

fn a_realm() -> Value {
    json!({
        "id": "1", "realm": "Staff", "enabled": true, "keycloakVersion": "26.5.3", "browserFlow": "mine",
        "accessTokenLifespan": 300, "settingOfALaterVersion": "yes", "listOfALaterVersion": [1], "emptyOne": [],
        "attributes": {"rekindle.holder": "x", "own": "1", "accessTokenLifespan": "300"},
        "smtpServer": {"host": "mail", "password": "hunter2"},
        "defaultGroups": ["/a/s/lash"],
        "groups": [{"id": "g1", "name": "a", "path": "/a", "attributes": {}, "subGroups": [
            {"id": "g2", "name": "s/lash", "path": "/a/s/lash", "realmRoles": ["default-roles-staff", "dev"]}]}],
        "roles": {
            "realm": [{"id": "r1", "name": "default-roles-staff", "composite": true, "composites":
                {"realm": ["uma", "dev"], "client": {"app": ["read"]}}, "containerId": "1"}],
            "client": {"app": [{"id": "r2", "name": "read", "clientRole": true, "attributes": {"k": ["2", "1", "2"]}}]}},
        "clients": [{"id": "c1", "clientId": "app", "secret": "s3", "redirectUris": ["b", "a"],
            "attributes": {"saml.signing.private.key": "MIIE", "use.refresh.tokens": "true", "empty": ""},
            "authenticationFlowBindingOverrides": {"browser": "f1"},
            "protocolMappers": [{"id": "m", "name": "m1", "config": {"x": "y"}}]}],
        "clientScopeMappings": {"account": [{"client": "app", "roles": ["manage"]}]},
        "authenticationFlows": [
            {"id": "f1", "alias": "mine", "topLevel": true, "builtIn": false, "authenticationExecutions": [
                {"authenticator": "auth-cookie", "requirement": "ALTERNATIVE", "priority": 10},
                {"flowAlias": "forms", "authenticatorFlow": true, "requirement": "REQUIRED", "priority": 20}]},
            {"id": "f2", "alias": "forms", "topLevel": false, "authenticationExecutions": [
                {"authenticator": "otp", "authenticatorConfig": "c", "requirement": "REQUIRED"}]}],
        "authenticatorConfig": [{"id": "x", "alias": "c", "config": {"k": "v"}}],
        "identityProviders": [{"alias": "gh", "internalId": "i", "config": {"clientId": "c", "clientSecret": "s"}}],
        "identityProviderMappers": [{"id": "y", "name": "im", "identityProviderAlias": "gh", "config": {"a": "b"}}],
        "components": {"org.keycloak.keys.KeyProvider": [
                {"id": "k", "name": "rsa", "providerId": "rsa-generated", "config": {"priority": ["100"], "privateKey": ["MII"], "certificate": ["MIC"]}}],
            "org.keycloak.storage.UserStorageProvider": [{"id": "l", "name": "ldap", "config": {"bindCredential": ["pw"]},
                "subComponents": {"org.keycloak.storage.ldap.mappers.LDAPStorageMapper": [{"id": "n", "name": "username"}]}}],
            "org.keycloak.userprofile.UserProfileProvider": [{"config": {"kc.user.profile.config":
                ["{\"attributes\":[{\"name\":\"email\",\"validations\":{\"email\":{}}}]}"]}}]},
        "organizations": [{"id": "o", "alias": "org1", "name": "Org", "members": [{"username": "Ana"}]}]
    })
}

fn at<'r>(realm: &'r Realm, key: &str) -> &'r Value {
    let key = TreePath::new(key).unwrap();
    let found = realm.resources.get(&key).unwrap_or_else(|| panic!("no {key} in {:?}", realm.resources.keys()));
    &found.document
}

#[test]
fn a_realm_is_taken_apart_into_what_can_be_restored_alone() {
    let realm = realm(&a_realm()).unwrap();
    assert_eq!(at(&realm, "realm/groups/a/s%2Flash")["realmRoles"], json!(["default-roles-{realm}", "dev"]));
    assert_eq!(at(&realm, "realm/bindings"), &json!({"browserFlow": "mine", "defaultGroups": ["/a/s%2Flash"]}));
    assert_eq!(
        at(&realm, "realm/roles/realm/default-roles-{realm}")["composites"],
        json!({"realm": ["dev", "uma"], "client": {"app": ["read"]}})
    );
    assert_eq!(at(&realm, "realm/roles/client/app/read")["attributes"], json!({"k": ["2", "1", "2"]}));
    let client = at(&realm, "realm/clients/app");
    assert_eq!(client["redirectUris"], json!(["a", "b"]));
    assert_eq!(client["attributes"], json!({"use.refresh.tokens": "true", "empty": ""}));
    assert_eq!(client["secretAttributes"], json!({"saml.signing.private.key": "MIIE"}));
    assert_eq!(client["authenticationFlowBindingOverrides"], json!({"browser": "mine"}));
    assert_eq!(client["protocolMappers"], json!([{"name": "m1", "config": {"x": "y"}}]));
    assert_eq!(client["scopeMappings"], json!({"client": {"account": ["manage"]}}));
    let flow = at(&realm, "realm/flows/mine");
    assert_eq!(flow["executions"][1]["flow"]["executions"][0]["config"], json!({"alias": "c", "config": {"k": "v"}}));
    let provider = at(&realm, "realm/identity-providers/gh");
    assert_eq!(
        (&provider["secretConfig"], &provider["mappers"][0]["name"]),
        (&json!({"clientSecret": "s"}), &json!("im"))
    );
    let keys = at(&realm, "realm/components/KeyProvider/rsa");
    assert_eq!(keys["config"], json!({"priority": ["100"]}));
    assert_eq!(keys["secretConfig"], json!({"privateKey": ["MII"], "certificate": ["MIC"]}));
    at(&realm, "realm/components/UserStorageProvider/ldap/LDAPStorageMapper/username");
    let profile = at(&realm, "realm/user-profile");
    assert_eq!(profile["attributes"], json!([{"name": "email", "validations": {"email": {}}}]));
    assert_eq!(realm.names.organizations("ana"), Some(json!(["org1"])));
}

#[test]
fn settings_of_a_later_version_are_kept_and_what_is_no_setting_is_named() {
    let realm = realm(&a_realm()).unwrap();
    let settings = at(&realm, "realm/settings");
    assert_eq!(settings["settingOfALaterVersion"], json!("yes"));
    assert_eq!(settings["attributes"], json!({"own": "1"}));
    assert_eq!((&settings["smtpServer"], &settings["smtpPassword"]), (&json!({"host": "mail"}), &json!("hunter2")));
    assert_eq!(realm.unknown, ["listOfALaterVersion"]);
}

#[test]
fn a_masked_secret_is_no_value_but_a_mask_where_it_is_compared() {
    let mut masked = a_realm();
    masked["clients"][0]["secret"] = json!(MASK);
    masked["smtpServer"]["password"] = json!(MASK);
    masked["identityProviders"][0]["config"]["clientSecret"] = json!(MASK);
    masked["components"]["org.keycloak.keys.KeyProvider"][0]["config"]["privateKey"] = json!([MASK]);
    masked["clients"][0]["attributes"]["saml.signing.private.key"] = json!(MASK);
    let realm = realm(&masked).unwrap();
    let client = Kind::Client.id(&["app"]).key;
    for (key, one) in realm.resources.iter().filter(|(key, _)| **key != client) {
        assert!(!one.document.to_string().contains(MASK), "{key}");
    }
    let client = at(&realm, "realm/clients/app");
    assert_eq!(client["secret"], json!(MASK));
    assert_eq!(client["secretAttributes"], json!({"saml.signing.private.key": MASK}));
}

#[test]
fn users_of_an_export_and_of_the_server_are_equal() {
    let names = realm(&a_realm()).unwrap().names;
    let exported = json!({
        "id": "u1", "username": "ana", "email": "Ana@X.org", "enabled": true, "emailVerified": true, "totp": false,
        "createdTimestamp": 5, "attributes": {"dept": ["it", "hr"]}, "disableableCredentialTypes": [], "notBefore": 0,
        "requiredActions": [], "groups": ["/a/s/lash"], "realmRoles": ["default-roles-staff"], "credentials": [],
        "federatedIdentities": [{"identityProvider": "gh", "userId": "1", "userName": "a"}],
        "hobbies": ["later versions"]
    });
    let live = json!({
        "id": "u1", "username": "ana", "email": "ana@x.org", "enabled": true, "emailVerified": true, "totp": true,
        "createdTimestamp": 5, "attributes": {"dept": ["it", "hr"], "blank": [""]}, "access": {"manage": true}, "notBefore": 0,
        "userProfileMetadata": {"attributes": []}, "groups": ["g2"], "realmRoles": ["default-roles-staff"],
        "federatedIdentities": [{"identityProvider": "gh", "userId": "1", "userName": "a"}], "requiredActions": []
    });
    let exported = user(&exported, &names, Side::Backup).unwrap();
    let live = user(&live, &names, Side::Live).unwrap();
    assert_eq!(exported.document, live.document);
    assert_eq!(exported.id.to_string(), "user users/ana");
    assert_eq!(exported.document["groups"], json!(["/a/s%2Flash"]));
    assert_eq!(exported.document["organizations"], json!(["org1"]));
    assert_eq!(exported.unknown, ["hobbies"]);
    assert_eq!(live.unknown, Vec::<String>::new());
}

#[test]
fn a_group_path_that_two_groups_share_is_not_guessed() {
    let names = Names::of(&json!({"realm": "r", "groups": [
        {"name": "a", "path": "/a", "subGroups": [{"name": "b", "path": "/a/b"}]}, {"name": "a/b", "path": "/a/b"}]}));
    let ana = user(&json!({"username": "ana", "groups": ["/a/b", "/a"]}), &names, Side::Backup).unwrap();
    assert_eq!(ana.document["groups"], json!(["/a"]));
    assert_eq!(ana.unknown, ["membership of /a/b: two groups have this path"]);
}

#[test]
fn what_is_no_realm_is_refused() {
    for hostile in [json!([]), json!({}), json!({"realm": ""}), json!("x")] {
        assert!(realm(&hostile).is_err(), "{hostile}");
    }
    let mut circle = a_realm();
    circle["authenticationFlows"][1]["authenticationExecutions"][0] = json!({"flowAlias": "forms"});
    let realm = realm(&circle).unwrap();
    let flow = realm.resources.get(&TreePath::new("realm/flows/mine").unwrap()).unwrap();
    assert_eq!(flow.unknown.first().map(String::as_str), Some("flows that lie deeper than 16"));
}

#[test]
fn an_empty_header_or_scope_list_is_not_the_same_as_none() {
    let mut given = a_realm();
    given["browserSecurityHeaders"] = json!({"xFrameOptions": "", "xRobotsTag": null});
    given["defaultOptionalClientScopes"] = json!([]);
    given["clients"][0]["defaultClientScopes"] = json!([]);
    let realm = realm(&given).unwrap();
    assert_eq!(at(&realm, "realm/settings")["browserSecurityHeaders"], json!({"xFrameOptions": ""}));
    assert_eq!(at(&realm, "realm/bindings")["defaultOptionalClientScopes"], json!([]));
    assert_eq!(at(&realm, "realm/bindings").get("defaultDefaultClientScopes"), None);
    assert_eq!(at(&realm, "realm/clients/app")["defaultClientScopes"], json!([]));
    assert_eq!(at(&realm, "realm/clients/app").get("optionalClientScopes"), None);
}

#[test]
fn what_an_export_alone_tells_of_a_key_is_not_compared() {
    let mut given = a_realm();
    given["components"]["org.keycloak.keys.KeyProvider"] = json!([{"id": "k", "name": "ec", "providerId": "ecdsa-generated",
        "config": {"ecdsaPublicKey": ["MFk"], "ecdsaPrivateKey": ["MII"], "ecdsaEllipticCurveKey": ["P-256"]}}]);
    let realm = realm(&given).unwrap();
    let key = at(&realm, "realm/components/KeyProvider/ec");
    assert_eq!(key["config"], json!({"ecdsaEllipticCurveKey": ["P-256"]}));
    assert_eq!(key["secretConfig"], json!({"ecdsaPublicKey": ["MFk"], "ecdsaPrivateKey": ["MII"]}));
}

#[test]
fn a_blank_text_says_something() {
    let mut given = a_realm();
    given["displayName"] = json!("");
    given["localizationTexts"] = json!({"en": {"loginTitle": "", "kept": "x"}, "de": {}});
    given["attributes"]["flag"] = json!("");
    given["webAuthnPolicyRequireResidentKey"] = json!("");
    given["identityProviders"][0]["postBrokerLoginFlowAlias"] = json!("");
    given["clientScopes"] = json!([{"name": "s", "attributes": {"consent.screen.text": ""}}]);
    let realm = realm(&given).unwrap();
    let settings = at(&realm, "realm/settings");
    assert_eq!((&settings["displayName"], &settings["attributes"]["flag"]), (&json!(""), &json!("")));
    assert_eq!(settings["webAuthnPolicyRequireResidentKey"], json!("not specified"));
    assert_eq!(at(&realm, "realm/localization/en"), &json!({"loginTitle": "", "kept": "x"}));
    assert_eq!(at(&realm, "realm/client-scopes/s")["attributes"], json!({"consent.screen.text": ""}));
    assert_eq!(at(&realm, "realm/identity-providers/gh").get("postBrokerLoginFlowAlias"), None);
}

#[test]
fn preferences_keep_their_order_and_sets_have_none() {
    let mut given = a_realm();
    given["webAuthnPolicySignatureAlgorithms"] = json!(["RS256", "ES256", "RS256"]);
    given["webAuthnPolicyAcceptableAaguids"] = json!([]);
    given["supportedLocales"] = json!(["fr", "de", "fr"]);
    let realm = realm(&given).unwrap();
    let settings = at(&realm, "realm/settings");
    assert_eq!(settings["webAuthnPolicySignatureAlgorithms"], json!(["RS256", "ES256", "RS256"]));
    assert_eq!(settings["webAuthnPolicyAcceptableAaguids"], json!([]));
    assert_eq!(settings["supportedLocales"], json!(["de", "fr"]));
}

#[test]
fn fields_within_fields_are_named_too() {
    let mut given = a_realm();
    given["authenticationFlows"][0]["authenticationExecutions"][0]["later"] = json!(1);
    given["authenticationFlows"][1]["newer"] = json!(1);
    given["authenticatorConfig"][0]["newest"] = json!(1);
    given["identityProviderMappers"][0]["latest"] = json!(1);
    let realm = realm(&given).unwrap();
    let unknown = |key: &str| realm.resources[&TreePath::new(key).unwrap()].unknown.clone();
    assert_eq!(unknown("realm/flows/mine"), ["later", "newer", "newest"]);
    assert_eq!(unknown("realm/identity-providers/gh"), ["its mappers' latest"]);
    let ana = json!({"username": "ana", "federatedIdentities": [{"identityProvider": "gh", "token": "t"}],
        "clientConsents": [{"clientId": "app", "grantedRealmRoles": ["r"]}],
        "credentials": [{"type": "password", "secretData": "{}", "device": "x"}, {"type": "password-history", "secretData": "{}"}]});
    let ana = user(&ana, &realm.names, Side::Backup).unwrap();
    assert_eq!(
        ana.unknown,
        [
            "federatedIdentities: token",
            "clientConsents: grantedRealmRoles",
            "credentials: device",
            "credentials: a former password that a policy remembers: the server takes none"
        ]
    );
    assert_eq!(ana.document["credentials"].as_array().map(Vec::len), Some(1));
}
