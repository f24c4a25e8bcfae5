use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::{Http, strange};
use crate::model::Result;

/// Pages side by side.
const AHEAD: usize = 4;
/// No list is longer: ten million users.
const MOST_PAGES: u64 = 20_000;

impl Http {
    /// How many a list has, by the server's own count.
    pub async fn count(&self, path: &str) -> Result<u64> {
        let answer = self.get(path, &[]).await?;
        answer
            .as_u64()
            .or_else(|| answer.get("count").and_then(Value::as_u64))
            .ok_or_else(|| strange(format!("GET {path}"), "its answer is no count"))
    }

    /// Every item of a list that the server counts at `count_path`, each handed to `each`. Pages that do not add up
    /// to the count are read once more, for somebody may have been writing; then they are an error: a list that is
    /// short must not look like one of fewer.
    pub async fn counted<T: Send>(
        &self,
        path: &str,
        count_path: &str,
        query: &[(&str, &str)],
        size: u64,
        each: impl Fn(&Value) -> Result<Option<T>> + Sync,
    ) -> Result<Vec<T>> {
        let mut told = String::new();
        for _ in 0..2 {
            let count = self.count(count_path).await?;
            let (items, seen) = self.pages_of(path, query, size, count, &each).await?;
            if seen as u64 == count {
                return Ok(items);
            }
            told = format!("the server counts {count} and its pages hold {seen}");
        }
        Err(strange(format!("list {path}"), told))
    }

    async fn pages_of<T: Send>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        size: u64,
        count: u64,
        each: &(impl Fn(&Value) -> Result<Option<T>> + Sync),
    ) -> Result<(Vec<T>, usize)> {
        let pages = count.div_ceil(size).clamp(1, MOST_PAGES);
        let fetched = stream::iter(0..pages).map(|page| async move {
            let items = self.page(path, query, page * size, size).await?;
            let ids: Vec<String> = items.iter().filter_map(|item| Some(item.get("id")?.as_str()?.to_owned())).collect();
            let kept: Vec<T> = items.iter().filter_map(|item| each(item).transpose()).collect::<Result<_>>()?;
            Ok::<_, crate::model::Error>((ids, kept))
        });
        let fetched: Vec<(Vec<String>, Vec<T>)> = fetched.buffered(AHEAD).try_collect().await?;
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for (ids, kept) in fetched {
            seen.extend(ids);
            all.extend(kept);
        }
        Ok((all, seen.len()))
    }

    /// Every item of a list that the server does not count: page after page until one is not full.
    pub async fn listed(&self, path: &str, query: &[(&str, &str)], size: u64) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for page in 0..MOST_PAGES {
            let items = self.page(path, query, page * size, size).await?;
            let full = items.len() as u64 >= size;
            let before = seen.len();
            for item in items {
                let id = item.get("id").and_then(Value::as_str).map(str::to_owned);
                if id.is_none_or(|id| seen.insert(id)) {
                    all.push(item);
                }
            }
            // A server that answers the same page for ever would never end.
            if !full || seen.len() == before {
                return Ok(all);
            }
        }
        Err(strange(format!("list {path}"), "it does not end"))
    }

    async fn page(&self, path: &str, query: &[(&str, &str)], first: u64, max: u64) -> Result<Vec<Value>> {
        let (first, max) = (first.to_string(), max.to_string());
        let mut query = query.to_vec();
        query.extend([("first", first.as_str()), ("max", max.as_str())]);
        match self.get(path, &query).await? {
            Value::Array(items) => Ok(items),
            _ => Err(strange(format!("list {path}"), "its answer is no list")),
        }
    }
}
