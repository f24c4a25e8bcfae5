use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::OwnersBy;
use crate::declared::{Given, Key, Shape};
use crate::model::{Acl, AclName, Error, ErrorKind, Meta, Result, visible};
use crate::name_service::{Account, NameService};

pub(super) const KEY: Key = Key::new(
    "owners",
    Shape::Choice(&["names", "numbers"]),
    "By what the files of an archive or a snapshot get their owners: names (default), or numbers.",
);

/// What a runbook says of it.
pub(super) fn owners_by(given: &Given<String>) -> OwnersBy {
    match given.word(KEY.name) {
        Some("numbers") => OwnersBy::Numbers,
        _ => OwnersBy::Names,
    }
}

/// Whose a backup's files are on this machine: the same names have other numbers on a rebuilt machine.
/// Shared by all that one store hands out; each answer is kept.
#[derive(Debug)]
pub struct BackedUpOwners {
    by: OwnersBy,
    here: NameService,
    known: Mutex<Known>,
}

/// By account and number in the backup, which mostly has one name.
#[derive(Debug, Default)]
struct Known {
    owners: HashMap<(Account, u32), Vec<Named>>,
    count: usize,
}

/// What a plan says of a node's user, of its group, and of those whom its access lists name.
pub type Told = Box<[Arc<str>]>;

/// The name that a user or a group has in the backup, by its number there; `None` where the backup does not tell.
pub type NameOf<'a> = dyn Fn(Account, u32) -> Result<Option<Box<str>>> + 'a;

impl BackedUpOwners {
    /// Gives a node its owners here; `user` and `group` are their names in the backup. Errors as of
    /// [`BackedUpOwners::here`].
    pub fn settle(&self, meta: &mut Meta, user: &str, group: &str) -> Result<Told> {
        let user = self.here(Account::User, meta.uid, user)?;
        let group = self.here(Account::Group, meta.gid, group)?;
        (meta.uid, meta.gid) = (user.number, group.number);
        Ok(user.told.into_iter().chain(group.told).collect())
    }

    /// Gives those whom a node's access lists name their numbers here, and answers what a plan says of that. Errors as
    /// of [`BackedUpOwners::here`], and those of `name_of`.
    pub fn settle_lists(&self, meta: &mut Meta, name_of: &NameOf) -> Result<Vec<Arc<str>>> {
        let mut told = Vec::new();
        for (_, value) in meta.xattrs.iter_mut().filter(|(name, _)| Meta::is_acl(name)) {
            let Some(list) = Acl::from_bytes(value).filter(|list| !list.is_mode()) else { continue };
            let list = list.renumbered(&mut |named| {
                let (account, number) = account(named);
                let here = match name_of(account, number)? {
                    Some(name) => self.here(account, number, &name)?,
                    None => self.unnamed(account, number)?,
                };
                told.extend(here.told);
                Ok(here.number)
            })?;
            *value = list.to_bytes();
        }
        Ok(told)
    }

    /// The name that a backup gives a number, of what was asked for so far; `None` also where it has several.
    pub(super) fn name_so_far(&self, account: Account, number: u32) -> Option<Box<str>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.owners.get(&(account, number))?.as_slice() {
            [(name, _)] => Some(name.clone()),
            _ => None,
        }
    }

    /// The numbers that a backup gives names, of what was asked for so far. The least, where a name has several.
    pub(super) fn numbers_so_far(&self) -> HashMap<(Account, Box<str>), u32> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut numbers = HashMap::new();
        for ((account, number), names) in &known.owners {
            for (name, _) in names {
                let least = numbers.entry((*account, name.clone())).or_insert(*number);
                *least = (*least).min(*number);
            }
        }
        numbers
    }

    /// Whether it takes the backup's own number to tell whom a name means here. Errors as of [`BackedUpOwners::here`].
    pub(super) fn needs_number(&self, account: Account, name: &str) -> Result<bool> {
        Ok(self.by == OwnersBy::Numbers || self.here.number_of(account, name)?.is_none())
    }

    /// One whom a text names: `number` is the one in the backup, where that tells it. `None` for one who is not known
    /// here and has none. Errors as of [`BackedUpOwners::here`].
    pub(super) fn named(&self, account: Account, name: &str, number: Option<u32>) -> Result<Option<OwnerHere>> {
        let Some(number) = number else {
            let here = self.here.number_of(account, name)?;
            return Ok(here.map(|number| OwnerHere { number, told: self.not_by_number(account, name, number) }));
        };
        self.here(account, number, name).map(Some)
    }

    fn not_by_number(&self, account: Account, name: &str, number: u32) -> Option<Arc<str>> {
        let (word, name) = (account.word(), visible(name));
        let told = format!("an access list names the {word} {name} without a number: it gets the one here, {number}");
        (self.by == OwnersBy::Numbers).then(|| told.into())
    }

    /// One of whom the backup has no more than a number.
    pub(super) fn unnamed(&self, account: Account, number: u32) -> Result<OwnerHere> {
        if number == 0 || self.by == OwnersBy::Numbers {
            return Ok(OwnerHere { number, told: None });
        }
        let (word, who) = (account.word(), self.who(account, number)?);
        let told = format!(
            "an access list names the {word} {number}, and the backup does not tell its name: the number is kept, {who}"
        );
        Ok(OwnerHere { number, told: Some(told.into()) })
    }

    fn who(&self, account: Account, number: u32) -> Result<String> {
        Ok(match self.here.name_of(account, number)? {
            Some(other) => format!("which is {} here", visible(&*other)),
            None => format!("which no {} has here", account.word()),
        })
    }
}

pub(super) fn account<N>(named: AclName<N>) -> (Account, N) {
    match named {
        AclName::User(user) => (Account::User, user),
        AclName::Group(group) => (Account::Group, group),
    }
}

/// A name in the backup, and whom it means here.
type Named = (Box<str>, OwnerHere);

/// One owner as a restore gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerHere {
    pub number: u32,
    /// What a plan says of it: what is not as in the backup.
    pub told: Option<Arc<str>>,
}

/// More than any machine has; each costs a question to the name service.
const MOST: usize = 500_000;

impl BackedUpOwners {
    pub fn new(by: OwnersBy) -> Self {
        Self::with(by, NameService::default())
    }

    pub fn with(by: OwnersBy, here: NameService) -> Self {
        Self { by, here, known: Mutex::default() }
    }

    /// `name` as the backup has it, empty where it has none. Blocks.
    ///
    /// Errors: `Unreachable` the name service did not answer; `Refused` more names than any machine has.
    pub fn here(&self, account: Account, number: u32, name: &str) -> Result<OwnerHere> {
        if name.is_empty() || number == 0 && name == "root" {
            return Ok(OwnerHere { number, told: None });
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_number = known.owners.get(&(account, number));
        if let Some((_, here)) = of_number.into_iter().flatten().find(|(known, _)| **known == *name) {
            return Ok(here.clone());
        }
        if known.count >= MOST {
            let doing = "tell the owners of a backup's files";
            let why = format!("it names more than {MOST} users and groups");
            return Err(Error::new(ErrorKind::Refused, doing, why).next("give the source 'owners: numbers'"));
        }
        let here = self.ask(account, number, name)?;
        known.owners.entry((account, number)).or_default().push((name.into(), here.clone()));
        known.count += 1;
        Ok(here)
    }

    fn ask(&self, account: Account, number: u32, name: &str) -> Result<OwnerHere> {
        let (word, shown) = (account.word(), visible(name));
        if number == 0 {
            let told = format!("the {word} {shown} is 0 in the backup, and what is root's there is root's here");
            return Ok(OwnerHere { number, told: Some(told.into()) });
        }
        let who = || self.who(account, number);
        let found = match self.by {
            OwnersBy::Names => self.here.number_of(account, name)?,
            OwnersBy::Numbers => {
                let same = self.here.name_of(account, number)?.is_some_and(|here| *here == *name);
                let told = match same {
                    true => None,
                    false => Some(format!("owners by number: the {word} {shown} is {number} there, {}", who()?).into()),
                };
                return Ok(OwnerHere { number, told });
            }
        };
        Ok(match found {
            Some(found) if found == number => OwnerHere { number, told: None },
            // Root's files are root's on both sides, and nobody else's become root's for a name.
            Some(0) => {
                let told = format!("the {word} {shown} is {number} in the backup, and only number 0 becomes root here");
                OwnerHere { number, told: Some(told.into()) }
            }
            Some(found) => {
                let told = format!("owners by name: the {word} {shown} is {found} here and {number} in the backup");
                OwnerHere { number: found, told: Some(told.into()) }
            }
            None => {
                let told = format!("there is no {word} {shown} here: its number is kept, {number}, {}", who()?);
                OwnerHere { number, told: Some(told.into()) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(by: OwnersBy) -> BackedUpOwners {
        let known = [(Account::User, "ana", 1005), (Account::User, "dan", 1001), (Account::Group, "ana", 700)];
        BackedUpOwners::with(by, NameService::fixed(&known))
    }

    fn told(owner: &OwnerHere) -> &str {
        owner.told.as_deref().unwrap_or_default()
    }

    #[test]
    fn a_name_that_is_known_here_decides_and_the_plan_says_what_moved() {
        let owners = here(OwnersBy::Names);
        for _ in 0..2 {
            let ana = owners.here(Account::User, 1001, "ana").unwrap();
            assert_eq!(
                (ana.number, told(&ana)),
                (1005, "owners by name: the user ana is 1005 here and 1001 in the backup")
            );
        }
        assert_eq!(owners.here(Account::User, 1005, "ana").unwrap(), OwnerHere { number: 1005, told: None });
        assert_eq!(owners.here(Account::Group, 1001, "ana").unwrap().number, 700, "users and groups are apart");
        let two = owners.here(Account::User, 1001, "dan").unwrap();
        assert_eq!((two.number, two.told), (1001, None), "one number of two names, as of two hosts");
    }

    #[test]
    fn a_name_that_is_not_known_here_leaves_the_number_and_says_whose_that_is() {
        let owners = here(OwnersBy::Names);
        let eve = owners.here(Account::User, 1001, "eve").unwrap();
        assert_eq!(eve.number, 1001);
        assert!(told(&eve).contains("no user eve here") && told(&eve).contains("1001, which is dan here"), "{eve:?}");
        assert!(told(&owners.here(Account::User, 1002, "eve").unwrap()).contains("which no user has here"));
        assert_eq!(owners.here(Account::User, 1001, "").unwrap(), OwnerHere { number: 1001, told: None });
    }

    #[test]
    fn those_whom_an_access_list_names_follow_as_owners_do() {
        let list = |text: &str| Acl::from_text(text, &|_, _| Ok(None)).unwrap().unwrap().0.to_bytes();
        let before =
            list("user::rw-,user:0:r--,user:1001:rw-,user:1002:r--,group::r--,group:1001:r--,mask::rw-,other::---");
        let name_of = |account, number| Ok((account == Account::User && number == 1001).then(|| "ana".into()));
        let settled = |by| {
            let mut meta = Meta { xattrs: vec![(Acl::DEFAULT.into(), before.clone())], ..Meta::default() };
            let told = here(by).settle_lists(&mut meta, &name_of).unwrap();
            (meta.xattrs.remove(0).1, told.join("; "))
        };
        let (names, told) = settled(OwnersBy::Names);
        let after =
            list("user::rw-,user:0:r--,user:1005:rw-,user:1002:r--,group::r--,group:1001:r--,mask::rw-,other::---");
        assert_eq!(names, after);
        for what in ["user ana is 1005 here and 1001", "names the user 1002", "names the group 1001"] {
            assert!(told.contains(what) && !told.contains("user 0"), "{what}: {told}");
        }
        let (numbers, told) = settled(OwnersBy::Numbers);
        assert_eq!(numbers, before);
        assert_eq!(told, "owners by number: the user ana is 1001 there, which is dan here");
    }

    #[test]
    fn a_name_without_a_number_has_the_one_that_the_backup_gives_it_elsewhere() {
        let owners = here(OwnersBy::Numbers);
        owners.here(Account::User, 1001, "ana").unwrap();
        owners.here(Account::User, 2002, "eve").unwrap();
        let numbers = owners.numbers_so_far();
        assert_eq!(numbers.get(&(Account::User, "eve".into())), Some(&2002));
        assert!(owners.needs_number(Account::User, "ana").unwrap(), "here it is 1005");
        let dan = owners.named(Account::User, "dan", None).unwrap().unwrap();
        assert!(dan.number == 1001 && told(&dan).contains("without a number"), "{dan:?}");
        let owners = here(OwnersBy::Names);
        assert!(!owners.needs_number(Account::User, "ana").unwrap());
        assert!(owners.needs_number(Account::User, "eve").unwrap(), "not known here");
        assert_eq!(owners.named(Account::User, "eve", Some(2002)).unwrap().unwrap().number, 2002);
    }

    #[test]
    fn root_stays_root_and_nobody_else_becomes_it() {
        let owners = BackedUpOwners::with(
            OwnersBy::Names,
            NameService::fixed(&[(Account::User, "root", 0), (Account::User, "toor", 0), (Account::User, "ana", 7)]),
        );
        let ana = owners.here(Account::User, 0, "ana").unwrap();
        assert!(ana.number == 0 && told(&ana).contains("root's here"), "{ana:?}");
        assert_eq!(owners.here(Account::User, 0, "root").unwrap(), OwnerHere { number: 0, told: None });
        for name in ["root", "toor"] {
            let owner = owners.here(Account::User, 1001, name).unwrap();
            assert_eq!(owner.number, 1001);
            assert!(told(&owner).contains("only number 0"), "{owner:?}");
        }
    }

    #[test]
    fn by_number_a_stranger_is_named_before_anything_is_theirs() {
        let owners = here(OwnersBy::Numbers);
        let ana = owners.here(Account::User, 1001, "ana").unwrap();
        assert_eq!((ana.number, told(&ana)), (1001, "owners by number: the user ana is 1001 there, which is dan here"));
        assert_eq!(owners.here(Account::User, 1005, "ana").unwrap(), OwnerHere { number: 1005, told: None });
    }
}
