use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::model::AclName;

/// The number that a user or a group has on this machine, by its name: also one that LDAP or the like knows. Each name is
/// looked up once.
pub(super) fn number(name: AclName) -> Option<u32> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<u32>>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.entry(name.to_string()).or_insert_with(|| match name {
        AclName::User(name) => uzers::get_user_by_name(name).map(|user| user.uid()),
        AclName::Group(name) => uzers::get_group_by_name(name).map(|group| group.gid()),
    })
}
