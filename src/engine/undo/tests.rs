use serde_json::json;

use super::*;
use crate::journal::KeptRecord;
use crate::model::TreePath;

fn kept(position: u32, attempt: u16, quota: u32) -> KeptRecord {
    let id = ResourceId { kind: "account".into(), key: TreePath::new("ana").unwrap() };
    let touched = vec![DocumentPath(Vec::new())];
    let pre_image = PreImage::Document {
        id,
        before: Some((Arc::new(json!({ "quota": quota })), None)),
        after: None,
        touched,
        lost: Vec::new(),
        file: None,
    };
    KeptRecord { position, attempt, bytes: pre_image.to_bytes().unwrap() }
}

fn quota(kept: Vec<KeptRecord>, attempts: &[u16]) -> serde_json::Value {
    let former = Former::of(kept, attempts, true).unwrap();
    former.documents.into_values().next().unwrap().document.unwrap().value["quota"].clone()
}

#[test]
fn the_way_back_leads_past_all_attempts_that_stand() {
    assert_eq!(quota(vec![kept(0, 1, 3), kept(1, 2, 5), kept(2, 3, 7)], &[2, 3]), 5);
}

#[test]
fn a_record_of_a_process_that_died_before_its_intent_gives_way_to_the_attempts_own() {
    assert_eq!(quota(vec![kept(0, 1, 3), kept(1, 1, 5)], &[1]), 5);
}
