use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User};

use crate::model::{Error, ErrorKind, Result, visible};

/// What a number or a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    User,
    Group,
}

impl Account {
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// The users and groups of this machine, as its name service knows them: by files, LDAP, sssd or whatever it is set up
/// with. Each answer is kept, so that who asks again is told the same. Methods block.
#[derive(Debug, Default)]
pub struct NameService {
    numbers: Mutex<Numbers>,
    names: Mutex<Names>,
    /// Knows what it was told and asks no system.
    is_fixed: bool,
}

type Numbers = HashMap<(Account, Box<str>), Option<u32>>;
type Names = HashMap<(Account, u32), Option<Box<str>>>;

/// No name service knows longer names.
const LONGEST_NAME: usize = 256;

impl NameService {
    /// One that knows these and asks no system: for tests and rehearsals.
    pub fn fixed(known: &[(Account, &str, u32)]) -> Self {
        let numbers = known.iter().map(|(account, name, number)| ((*account, Box::from(*name)), Some(*number)));
        let names = known.iter().map(|(account, name, number)| ((*account, *number), Some(Box::from(*name))));
        Self { numbers: Mutex::new(numbers.collect()), names: Mutex::new(names.collect()), is_fixed: true }
    }

    /// `None` for a name that is not known here, or that no account can have.
    ///
    /// Errors: `Unreachable` where the name service failed to answer: that does not mean that the name is unknown.
    pub fn number_of(&self, account: Account, name: &str) -> Result<Option<u32>> {
        if !can_be_a_name(name) {
            return Ok(None);
        }
        let mut known = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known.get(&(account, Box::from(name))) {
            return Ok(*number);
        }
        let found = match account {
            _ if self.is_fixed => Ok(None),
            Account::User => User::from_name(name).map(|user| user.map(|user| user.uid.as_raw())),
            Account::Group => Group::from_name(name).map(|group| group.map(|group| group.gid.as_raw())),
        };
        let number = answered(found).map_err(|why| unanswered(account, name, why))?;
        known.insert((account, name.into()), number);
        Ok(number)
    }

    /// Errors: as [`NameService::number_of`].
    pub fn name_of(&self, account: Account, number: u32) -> Result<Option<Box<str>>> {
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.get(&(account, number)) {
            return Ok(name.clone());
        }
        let found = match account {
            _ if self.is_fixed => Ok(None),
            Account::User => User::from_uid(Uid::from_raw(number)).map(|user| user.map(|user| user.name)),
            Account::Group => Group::from_gid(Gid::from_raw(number)).map(|group| group.map(|group| group.name)),
        };
        let name = answered(found).map_err(|why| unanswered(account, &number.to_string(), why))?.map(Box::from);
        known.insert((account, number), name.clone());
        Ok(name)
    }
}

/// A name of digits alone would be a number to some services, and the others break the form of `/etc/passwd`.
fn can_be_a_name(name: &str) -> bool {
    let breaks = |one: char| one.is_control() || matches!(one, ':' | '/' | ',');
    (1..=LONGEST_NAME).contains(&name.len()) && !name.chars().any(breaks) && !name.bytes().all(|b| b.is_ascii_digit())
}

/// These stand for "not found" too, say the manual pages of `getpwnam` and `getgrnam`.
fn answered<T>(found: Result<Option<T>, Errno>) -> Result<Option<T>, Errno> {
    match found {
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM | Errno::UnknownErrno) => Ok(None),
        found => found,
    }
}

fn unanswered(account: Account, asked: &str, why: Errno) -> Error {
    let doing = format!("look up the {} {} on this machine", account.word(), visible(asked));
    let why = format!("its name service did not answer: {}", why.desc());
    Error::new(ErrorKind::Unreachable, doing, why)
        .next("see why `getent passwd` fails, then try again; or give the source 'owners: numbers'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_asked_and_answers_the_same_again() {
        let here = NameService::default();
        for _ in 0..2 {
            assert_eq!(here.number_of(Account::User, "root").unwrap(), Some(0));
            assert_eq!(here.name_of(Account::Group, 0).unwrap().as_deref(), Some("root"));
            assert_eq!(here.number_of(Account::User, "no-such-user-here").unwrap(), None);
            assert_eq!(here.name_of(Account::User, 4_294_967_000).unwrap(), None);
        }
    }

    #[test]
    fn what_no_account_is_called_is_not_asked_for() {
        let here = NameService::fixed(&[(Account::User, "0", 7), (Account::User, "a:b", 7), (Account::User, "ana", 7)]);
        for odd in ["", "0", "1000", "a:b", "a/b", "a\nb", "a\0b", &"x".repeat(300)] {
            assert_eq!(here.number_of(Account::User, odd).unwrap(), None, "{odd:?}");
        }
        assert_eq!(here.number_of(Account::User, "ana").unwrap(), Some(7));
        assert_eq!(here.number_of(Account::Group, "ana").unwrap(), None);
    }

    #[test]
    fn a_service_that_fails_is_no_answer() {
        assert_eq!(answered::<u32>(Err(Errno::ENOENT)), Ok(None));
        assert_eq!(answered::<u32>(Err(Errno::EIO)), Err(Errno::EIO));
        let error = unanswered(Account::User, "ana", Errno::EIO);
        assert!(error.hint().is_some_and(|next| next.contains("owners: numbers")));
    }
}
