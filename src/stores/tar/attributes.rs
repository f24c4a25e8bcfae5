use std::collections::HashMap;
use std::sync::Arc;

use super::pax::Extended;
use crate::model::{Acl, AclName, Meta, Result};
use crate::name_service::Account;
use crate::stores::BackedUpOwners;
use crate::stores::backed_up_owners::account;

/// What one member's headers say of its attributes and access lists.
pub(super) struct Attributes {
    /// Sorted, without those that belong to the system.
    pub xattrs: Vec<(Box<str>, Box<[u8]>)>,
    pub recorded: MemberFacts,
    /// What of the access lists cannot be restored here, in words.
    pub remarks: Vec<String>,
    /// What a plan says of those whom the access lists name.
    pub told: Vec<Arc<str>>,
    /// An access list has numbers alone, and they are those of the archive.
    pub lists_by_number: bool,
    /// Access lists in text, by attribute: all numbers that the archive gives their names are known at its end.
    pub lists_in_text: Vec<(&'static str, Box<str>)>,
}

/// The numbers that an archive gives names.
pub(super) type Numbers = HashMap<(Account, Box<str>), u32>;

/// What of a member's facts is on record. That one has no attributes and no access lists says little: the program that
/// wrote the archive may not keep any. An archive in which any member has some keeps those of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MemberFacts {
    pub has_attributes: bool,
    pub has_acls: bool,
    /// Its access lists are there, and nobody can tell what they say.
    pub unread_acls: bool,
    pub time_grain: u32,
}

impl Attributes {
    /// Errors as of [`BackedUpOwners::here`].
    pub(super) fn of(extended: &Extended, time_grain: u32, owners: &BackedUpOwners) -> Result<Self> {
        let xattrs = extended.xattrs.iter().filter(|(name, _)| Meta::keeps_attribute(name)).cloned().collect();
        let recorded = MemberFacts { has_attributes: false, has_acls: false, unread_acls: false, time_grain };
        let mut found = Self {
            xattrs,
            recorded,
            remarks: Vec::new(),
            told: Vec::new(),
            lists_by_number: false,
            lists_in_text: Vec::new(),
        };
        for (name, text) in [(Acl::ACCESS, &extended.access), (Acl::DEFAULT, &extended.default)] {
            let in_text = text.as_ref().map(|text| std::str::from_utf8(text).unwrap_or_default());
            // GNU tar writes both forms where it keeps attributes too.
            match (found.xattrs.iter().position(|(known, _)| **known == *name), in_text) {
                (None, None) => {}
                (None, Some(text)) if waits(text, owners)? => found.lists_in_text.push((name, text.into())),
                (None, Some(text)) => found.add_text(name, text, owners, &Numbers::new())?,
                (Some(at), text) => found.settle(at, text.unwrap_or_default(), owners)?,
            }
        }
        found.xattrs.sort();
        let lists = found.xattrs.iter().filter(|(name, _)| Meta::is_acl(name)).count();
        found.recorded.has_attributes = found.xattrs.len() > lists;
        found.recorded.has_acls = lists > 0 || extended.access.is_some() || extended.default.is_some();
        Ok(found)
    }

    /// What waited for the archive's end.
    pub(super) fn settled(
        waiting: &[(&'static str, Box<str>)],
        owners: &BackedUpOwners,
        numbers: &Numbers,
    ) -> Result<Self> {
        let mut found = Self::of(&Extended::default(), 1, owners)?;
        for (name, text) in waiting {
            found.add_text(name, text, owners, numbers)?;
        }
        Ok(found)
    }

    fn add_text(&mut self, name: &str, text: &str, owners: &BackedUpOwners, numbers: &Numbers) -> Result<()> {
        let told = std::cell::RefCell::new(Vec::new());
        let number = |named: AclName<&str>, behind: Option<u32>| {
            let (account, name) = account(named);
            let behind = behind.or_else(|| numbers.get(&(account, name.into())).copied());
            let here = owners.named(account, name, behind)?;
            Ok(here.map(|here| {
                told.borrow_mut().extend(here.told);
                here.number
            }))
        };
        let Some((acl, unknown)) = Acl::from_text(text, &number)? else {
            self.remarks.push("its access list, which rekindle cannot read; a live one stays".to_owned());
            self.recorded.unread_acls = true;
            return Ok(());
        };
        self.told.extend(told.into_inner());
        let missing = |who| format!("the access list's entry for {who}: this machine has no such account");
        self.remarks.extend(unknown.iter().map(missing));
        if name == Acl::DEFAULT || !acl.is_mode() {
            self.xattrs.push((name.into(), acl.to_bytes()));
        }
        Ok(())
    }

    /// A list by number: its text says who they are.
    fn settle(&mut self, at: usize, text: &str, owners: &BackedUpOwners) -> Result<()> {
        let Some((_, value)) = self.xattrs.get_mut(at) else { return Ok(()) };
        let Some(acl) = Acl::from_bytes(value).filter(|acl| !acl.is_mode()) else { return Ok(()) };
        let names = Acl::names_in(text);
        let is_group = |(one, other): (&AclName<u32>, &AclName<&str>)| account(*one).0 == account(*other).0;
        let numbers = acl.named();
        if numbers.len() != names.len() || !numbers.iter().zip(&names).all(is_group) {
            self.lists_by_number = true;
            return Ok(());
        }
        let mut names = names.into_iter();
        let told = &mut self.told;
        let acl = acl.renumbered(&mut |named| {
            let (account, number) = account(named);
            // Who has no name there stands in the text by number.
            let name = names.next().map(AclName::name).filter(|name| name.parse::<u32>().is_err());
            let here = match name {
                Some(name) => owners.here(account, number, name)?,
                None => owners.unnamed(account, number)?,
            };
            told.extend(here.told);
            Ok(here.number)
        })?;
        *value = acl.to_bytes();
        Ok(())
    }
}

fn waits(text: &str, owners: &BackedUpOwners) -> Result<bool> {
    for named in Acl::names_alone(text) {
        let (account, name) = account(named);
        if owners.needs_number(account, name)? {
            return Ok(true);
        }
    }
    Ok(false)
}
