use std::collections::HashMap;

use super::super::http::Http;
use super::call::{Call, last_of};
use crate::model::{Error, ErrorKind, Known, ResourceId, Result};

/// Makes the calls one after the other, and answers with the id of what the first one made. Where one fails, the error
/// says whether anything was done before.
pub(super) async fn execute(http: &Http, calls: Vec<Call>) -> Result<Option<String>> {
    let all = calls.len();
    let mut ids = HashMap::new();
    let mut first = None;
    for (at, call) in calls.into_iter().enumerate() {
        let makes = call.makes.clone();
        let call = call.with_ids(&ids);
        let goes = call.method == reqwest::Method::DELETE;
        let answer = match http.write(call.method, &call.path, call.body.as_ref()).await {
            Ok(answer) => answer,
            // It is gone: by whom does not matter.
            Err(error) if goes && error.kind() == ErrorKind::NotFound => continue,
            Err(error) if at == 0 => return Err(error),
            Err(error) => {
                let doing = format!("make call {} of {all}", at + 1);
                return Err(Error::new(error.kind(), doing, "those before it are done, those after it are not")
                    .known(Known::Unknown)
                    .next(error.hint().unwrap_or("retry: what is done already is left as it is").to_owned())
                    .caused_by(error));
            }
        };
        let id = answer.location.as_deref().and_then(last_of).map(str::to_owned);
        if at == 0 {
            first.clone_from(&id);
        }
        if let (Some(name), Some(id)) = (makes, id) {
            ids.insert(name, id);
        }
    }
    Ok(first)
}

/// An error of one part as the error of the resource that was to be written.
pub(super) fn of(id: &ResourceId, error: Error) -> Error {
    let known = error.effect();
    let hint = error.hint().map(str::to_owned);
    let made = Error::new(error.kind(), format!("write {id}"), error.chain()).known(known);
    match hint {
        Some(hint) => made.next(hint),
        None => made,
    }
}

/// One failure of many resources at once.
pub(super) fn for_each(id: &ResourceId, error: &Error) -> Error {
    let made = Error::new(error.kind(), format!("write {id}"), error.chain()).known(error.effect());
    match error.hint() {
        Some(hint) => made.next(hint),
        None => made,
    }
}

pub(super) fn conflict(id: &ResourceId, why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, format!("write {id}"), why).next("plan this task again")
}
