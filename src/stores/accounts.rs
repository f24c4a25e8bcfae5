use std::sync::LazyLock;

use crate::model::AclName;
use crate::name_service::{Account, NameService};

/// The number that a user or a group has on this machine, by its name: also one that LDAP or the like knows.
pub(super) fn number(name: AclName) -> Option<u32> {
    static HERE: LazyLock<NameService> = LazyLock::new(NameService::default);
    let (account, name) = match name {
        AclName::User(name) => (Account::User, name),
        AclName::Group(name) => (Account::Group, name),
    };
    let found = HERE.number_of(account, name);
    found.unwrap_or_else(|error| {
        tracing::warn!(target: "stores", "{}", error.chain());
        None
    })
}
