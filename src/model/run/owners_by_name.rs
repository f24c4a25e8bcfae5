use std::sync::OnceLock;

use crate::model::OwnerSet;

/// Positions of owners in the order of their names, made when one is first looked for: most runs of a million tasks
/// never ask, and all of their screens count every byte.
#[derive(Clone, Debug, Default)]
pub struct OwnersByName(OnceLock<Vec<Vec<u32>>>);

impl OwnersByName {
    pub fn find(&self, sets: &[OwnerSet], set: usize, name: &str) -> Option<u32> {
        let sorted = self.0.get_or_init(|| sets.iter().map(sorted).collect());
        let (order, names) = (sorted.get(set)?, &sets.get(set)?.names);
        let named = |position: &u32| names.get(*position as usize).map_or("", String::as_str);
        let at = order.binary_search_by(|position| named(position).cmp(name)).ok()?;
        order.get(at).copied()
    }
}

fn sorted(owners: &OwnerSet) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(owners.names.len()).unwrap_or(u32::MAX)).collect();
    order.sort_by_key(|position| owners.names.get(*position as usize));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_found_whatever_order_the_backup_has_them_in() {
        let set = |names: &[&str]| OwnerSet {
            set: "user".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let sets = [set(&["zoe", "ana", "mia"]), set(&[])];
        let index = OwnersByName::default();
        let found = ["ana", "mia", "zoe", "bob"].map(|name| index.find(&sets, 0, name));
        assert_eq!(found, [Some(1), Some(2), Some(0), None]);
        assert_eq!((index.find(&sets, 1, "ana"), index.find(&sets, 2, "ana")), (None, None));
    }
}
