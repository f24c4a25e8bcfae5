use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Http, strange};
use crate::model::Result;

/// Pages side by side.
const AHEAD: usize = 4;
/// No list is longer: ten million users.
const MOST_PAGES: u64 = 20_000;
/// So often a list that somebody is writing to is read from its beginning to its end.
const IN_ORDER: usize = 2;

/// One of a list; of what a type does not name nothing is held.
pub(in crate::components::keycloak) trait Item: DeserializeOwned + Send {
    fn id(&self) -> Option<&str>;
}

impl Item for Value {
    fn id(&self) -> Option<&str> {
        self.get("id").and_then(Value::as_str)
    }
}

/// Of whom only this is wanted.
#[derive(Deserialize)]
pub(in crate::components::keycloak) struct Bare {
    pub id: Option<String>,
    pub username: Option<String>,
    pub email: Option<String>,
}

impl Item for Bare {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Http {
    /// How many a list has, by the server's own count.
    pub async fn count(&self, path: &str) -> Result<u64> {
        let answer = self.get(path, &[]).await?;
        answer
            .as_u64()
            .or_else(|| answer.get("count").and_then(Value::as_u64))
            .ok_or_else(|| strange(format!("GET {path}"), "its answer is no count"))
    }

    /// Every item of a list that the server counts at `count_path`, each handed to `each`. A list that is short must
    /// not look like one of fewer. Pages side by side miss who moves from one to the next while somebody is writing, a
    /// run of ours too: unless the count stayed the same and they add up to it, they are read once more one after the
    /// other, where who was there is met for certain.
    pub async fn counted<I: Item, T: Send>(
        &self,
        path: &str,
        count_path: &str,
        query: &[(&str, &str)],
        size: u64,
        each: impl Fn(I) -> Option<T> + Sync,
    ) -> Result<Vec<T>> {
        let mut count = self.count(count_path).await?;
        let (items, mut seen) = self.side_by_side(path, query, size, count, &each).await?;
        let now = self.count(count_path).await?;
        if seen as u64 == count && now == count {
            return Ok(items);
        }
        for _ in 0..IN_ORDER {
            let items;
            count = self.count(count_path).await?;
            (items, seen) = self.in_order(path, query, size, 0, &each).await?;
            if seen as u64 >= count {
                return Ok(items);
            }
        }
        Err(strange(format!("list {path}"), format!("the server counts {count} and its pages hold {seen}")))
    }

    /// With how many were met.
    async fn side_by_side<I: Item, T: Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        size: u64,
        count: u64,
        each: &(impl Fn(I) -> Option<T> + Sync),
    ) -> Result<(Vec<T>, usize)> {
        let pages = count.div_ceil(size).clamp(1, MOST_PAGES);
        let fetched = stream::iter(0..pages).map(|page| async move {
            let items: Vec<I> = self.page(path, query, page * size, size).await?;
            let ids: Vec<String> = items.iter().filter_map(|item| Some(item.id()?.to_owned())).collect();
            Ok::<_, crate::model::Error>((ids, items.into_iter().filter_map(each).collect::<Vec<T>>()))
        });
        let mut fetched = fetched.buffered(AHEAD);
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        while let Some((ids, kept)) = fetched.try_next().await? {
            seen.extend(ids);
            all.extend(kept);
        }
        Ok((all, seen.len()))
    }

    /// Every item of a list that the server does not count.
    pub async fn listed<I: Item>(&self, path: &str, query: &[(&str, &str)], size: u64) -> Result<Vec<I>> {
        self.listed_from(path, query, size, 0).await
    }

    /// The same from its `from`th item on, counted from 0.
    pub async fn listed_from<I: Item>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        size: u64,
        from: u64,
    ) -> Result<Vec<I>> {
        Ok(self.in_order(path, query, size, from, &Some).await?.0)
    }

    /// Page after page until one is not full, each item once; with how many were met.
    async fn in_order<I: Item, T: Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        size: u64,
        from: u64,
        each: &(impl Fn(I) -> Option<T> + Sync),
    ) -> Result<(Vec<T>, usize)> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for page in 0..MOST_PAGES {
            let items: Vec<I> = self.page(path, query, from + page * size, size).await?;
            let full = items.len() as u64 >= size;
            let before = seen.len();
            let new = items.into_iter().filter(|item| item.id().is_none_or(|id| seen.insert(id.to_owned())));
            all.extend(new.filter_map(each));
            // A server that answers the same page for ever would never end.
            if !full || seen.len() == before {
                return Ok((all, seen.len()));
            }
        }
        Err(strange(format!("list {path}"), "it does not end"))
    }

    async fn page<I: Item>(&self, path: &str, query: &[(&str, &str)], first: u64, max: u64) -> Result<Vec<I>> {
        let (first, max) = (first.to_string(), max.to_string());
        let mut query = query.to_vec();
        query.extend([("first", first.as_str()), ("max", max.as_str())]);
        self.read(reqwest::Method::GET, path, &query).await?.items()
    }
}
