use std::fmt;

use crate::model::{Error, ErrorKind, ResourceId, Result, TreePath, visible};

use super::escape::{escaped, unescaped};

/// What a realm is made of, in the order in which it is restored: each after all that it can refer to.
///
/// Everything but the people lies below `realm`, so that one step brings all of it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    RealmSettings,
    Localization,
    UserProfile,
    Component,
    RequiredAction,
    Flow,
    ClientScope,
    IdentityProvider,
    Client,
    RealmRole,
    ClientRole,
    Group,
    /// What the realm uses by default: flows, groups, client scopes.
    Bindings,
    ClientPolicies,
    Organization,
    ServiceAccount,
    User,
}

impl Kind {
    pub const ALL: [Self; 17] = [
        Self::RealmSettings,
        Self::Localization,
        Self::UserProfile,
        Self::Component,
        Self::RequiredAction,
        Self::Flow,
        Self::ClientScope,
        Self::IdentityProvider,
        Self::Client,
        Self::RealmRole,
        Self::ClientRole,
        Self::Group,
        Self::Bindings,
        Self::ClientPolicies,
        Self::Organization,
        Self::ServiceAccount,
        Self::User,
    ];

    /// As in [`ResourceId::kind`] and in a runbook's `owners: { user: { from: …, kind: user } }`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RealmSettings => "realm-settings",
            Self::Localization => "localization",
            Self::UserProfile => "user-profile",
            Self::Component => "component",
            Self::RequiredAction => "required-action",
            Self::Flow => "flow",
            Self::ClientScope => "client-scope",
            Self::IdentityProvider => "identity-provider",
            Self::Client => "client",
            Self::RealmRole => "realm-role",
            Self::ClientRole => "client-role",
            Self::Group => "group",
            Self::Bindings => "bindings",
            Self::ClientPolicies => "client-policies",
            Self::Organization => "organization",
            Self::ServiceAccount => "service-account",
            Self::User => "user",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The folder of its keys, or the whole key of what a realm has once.
    pub fn folder(self) -> &'static str {
        match self {
            Self::RealmSettings => "realm/settings",
            Self::Localization => "realm/localization",
            Self::UserProfile => "realm/user-profile",
            Self::Component => "realm/components",
            Self::RequiredAction => "realm/required-actions",
            Self::Flow => "realm/flows",
            Self::ClientScope => "realm/client-scopes",
            Self::IdentityProvider => "realm/identity-providers",
            Self::Client => "realm/clients",
            Self::RealmRole => "realm/roles/realm",
            Self::ClientRole => "realm/roles/client",
            Self::Group => "realm/groups",
            Self::Bindings => "realm/bindings",
            Self::ClientPolicies => "realm/client-policies",
            Self::Organization => "realm/organizations",
            Self::ServiceAccount => "realm/service-accounts",
            Self::User => "users",
        }
    }

    /// Whether a realm has one of it, without a name.
    pub fn is_single(self) -> bool {
        matches!(self, Self::RealmSettings | Self::UserProfile | Self::Bindings | Self::ClientPolicies)
    }

    /// The resource of these names: `[username]`, `[group, subgroup]`, `[clientId, role]`, `[]` for what a realm has
    /// once. A user's name is lower-cased, as the server does.
    pub fn id<S: AsRef<str>>(self, names: &[S]) -> ResourceId {
        let mut key = self.folder().to_owned();
        for name in names {
            let name = name.as_ref();
            key.push('/');
            match self {
                Self::User => key.push_str(&escaped(&name.to_lowercase())),
                _ => key.push_str(&escaped(name)),
            }
        }
        // Escaped names are names of a path; what is longer than a path can be is no name of anything.
        let key = TreePath::new(&key).unwrap_or_default();
        ResourceId { kind: self.name().into(), key }
    }

    /// Which resource a key names, and its unescaped names.
    pub fn of_key(key: &TreePath) -> Option<(Self, Vec<String>)> {
        Self::ALL.into_iter().find_map(|kind| {
            let folder = TreePath::new(kind.folder()).ok()?;
            let names: Vec<String> = key.relative_to(&folder)?.parts().map(unescaped).collect::<Option<_>>()?;
            let fits = match kind {
                single if single.is_single() => names.is_empty(),
                Self::Group | Self::Component => !names.is_empty(),
                Self::ClientRole => names.len() == 2,
                _ => names.len() == 1,
            };
            fits.then_some((kind, names))
        })
    }

    /// Kind and names of a resource of this adapter.
    pub fn of_id(id: &ResourceId) -> Result<(Self, Vec<String>)> {
        Self::at(&id.key)
    }

    /// Kind and names of what lies at that place of a realm. Errors: nothing can.
    pub fn at(place: &TreePath) -> Result<(Self, Vec<String>)> {
        Self::of_key(place).ok_or_else(|| {
            let doing = format!("find {} in a realm", visible(place.as_bytes()));
            Error::new(ErrorKind::Invalid, doing, "a realm has no such place")
                .next("give a place below 'realm' or 'users', as in users/ana or realm/groups/staff")
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_back_to_its_names() {
        let cases: [(Kind, &[&str], &str); 7] = [
            (Kind::User, &["Ana+X@y.org"], "users/ana+x@y.org"),
            (Kind::Group, &["a", "s/lash", "100%"], "realm/groups/a/s%2Flash/100%25"),
            (Kind::ClientRole, &["https://app/", "read"], "realm/roles/client/https:%2F%2Fapp%2F/read"),
            (Kind::RealmRole, &["read"], "realm/roles/realm/read"),
            (Kind::RealmRole, &["client"], "realm/roles/realm/client"),
            (Kind::RealmSettings, &[], "realm/settings"),
            (Kind::Client, &[".."], "realm/clients/%2E%2E"),
        ];
        for (kind, names, key) in cases {
            let id = kind.id(names);
            assert_eq!(id.key.to_string(), key);
            let (found, back) = Kind::of_id(&id).unwrap();
            assert_eq!(found, kind);
            let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!(back.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>(), lower);
        }
        assert!(Kind::of_key(&TreePath::new("realm/clients/a/b").unwrap()).is_none());
        assert!(Kind::of_key(&TreePath::new("realm/settings/x").unwrap()).is_none());
    }
}
