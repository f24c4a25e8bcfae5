use std::collections::BTreeSet;
use std::sync::Arc;

use rekindle::component::Component;
use rekindle::model::{ErrorKind, Known, Mode, TargetHolder, TreePath};
use rekindle::reader::{Reader, Wanted};
use rekindle::stores::DirectoryStore;

use crate::live::{self, Fields, Live, fields};
use crate::step::{Records, approve, leaving_out, location, plan, the_one, undo, write};

/// One adapter, its live system, and a backup of it.
pub struct Case {
    pub name: &'static str,
    pub live: Box<dyn Live>,
    pub component: Arc<dyn Component>,
    backup: tempfile::TempDir,
}

pub fn cases() -> impl Iterator<Item = Case> {
    live::all().into_iter().map(|(name, live)| {
        println!("adapter: {name}");
        let component = live.component();
        Case { name, live, component, backup: tempfile::tempdir().unwrap() }
    })
}

impl Case {
    pub fn saved(&self, owner: &str, holds: &Fields) -> Arc<dyn Reader> {
        self.live.lay(self.backup.path(), owner, holds);
        self.live.source(Arc::new(DirectoryStore::open(self.backup.path()).unwrap()))
    }
}

pub fn former() -> Fields {
    fields(&[("one", "former"), ("two", "former too"), ("three", "the same")])
}

pub fn wanted() -> Fields {
    fields(&[("one", "as it shall be"), ("two", "likewise so"), ("three", "the same")])
}

#[tokio::test]
async fn a_list_has_what_is_there_and_is_empty_where_nothing_is() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        case.live.put("bob", Some(&former()));
        let scopes = [case.live.scope("bob"), case.live.scope("nobody"), case.live.scope("ana")];
        let listed: Vec<_> = case.component.list(&scopes).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1], "{}", case.name);
        assert_ne!(listed[0][0].id, listed[2][0].id);
        let owners = case.component.owners(&TreePath::root(), case.live.owners_kind()).await.unwrap().names;
        assert_eq!(owners, ["ana", "bob"], "{}", case.name);
    }
}

#[tokio::test]
async fn each_read_answers_for_itself_in_order() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        case.live.put("bob", Some(&wanted()));
        let id = the_one(&*case.component, &case.live.scope("ana")).await.unwrap().id;
        let at = |owner: &str| location(&id, owner);
        let asked = [at("bob"), at("nobody"), at("ana"), at("bob")];
        let read = case.component.read(&Wanted::alone(&asked)).await;
        let ids: Vec<_> = read.into_iter().map(|read| read.unwrap().map(|resource| resource.id)).collect();
        let there = |owner: &str| Some(at(owner).id);
        assert_eq!(ids, [there("bob"), None, there("ana"), there("bob")], "{}", case.name);
    }
}

#[tokio::test]
async fn what_is_read_back_is_what_was_approved() {
    for case in cases() {
        let scope = case.live.scope("ana");
        let source = case.saved("ana", &wanted());
        for before in [Some(former()), None] {
            match &before {
                Some(holds) => case.live.put("ana", Some(holds)),
                None => case.live.put("ana", None),
            }
            let approved = plan(&*case.component, &*source, &scope, Mode::Merge).await;
            let checked = case.component.check(std::slice::from_ref(&approved)).await;
            assert_eq!(checked.len(), 1);
            assert!(checked[0].is_ok(), "{}: {:?}", case.name, checked[0]);
            write(&*case.component, &approved, &Records::default()).await.unwrap();
            assert_eq!(case.live.see("ana"), Some(wanted()), "{}", case.name);
            let now = the_one(&*case.component, &scope).await.unwrap();
            if let Some(expected) = &approved.expected {
                assert_eq!(now.document().unwrap().value, expected.document().unwrap().value, "{}", case.name);
            }
        }
    }
}

#[tokio::test]
async fn the_same_change_written_twice_has_one_effect() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        let source = case.saved("ana", &wanted());
        let approved = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
        write(&*case.component, &approved, &Records::default()).await.unwrap();
        let witness = case.live.witness("ana");
        write(&*case.component, &approved, &Records::default()).await.unwrap();
        assert_eq!(case.live.see("ana"), Some(wanted()), "{}", case.name);
        assert_eq!(case.live.witness("ana"), witness, "{}: the second write did something", case.name);
    }
}

#[tokio::test]
async fn what_moved_since_the_plan_is_a_conflict_and_stays_as_it_is() {
    for case in cases() {
        let moved = fields(&[("one", "changed by somebody"), ("two", "former too"), ("three", "the same")]);
        let source = case.saved("ana", &wanted());
        for (before, then) in [(Some(former()), moved.clone()), (None, moved)] {
            if before.is_some() {
                case.live.put("ana", before.as_ref());
            } else {
                case.live.put("ana", None);
            }
            let approved = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
            case.live.put("ana", Some(&then));
            let error = write(&*case.component, &approved, &Records::default()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{}: {error}", case.name);
            assert_eq!(error.effect(), Known::NotApplied, "{}: {error}", case.name);
            assert_eq!(case.live.see("ana"), Some(then), "{}", case.name);
        }
    }
}

#[tokio::test]
async fn a_conflict_costs_only_itself() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        case.live.put("bob", Some(&former()));
        case.saved("ana", &wanted());
        let source = case.saved("bob", &wanted());
        let first = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
        let second = plan(&*case.component, &*source, &case.live.scope("bob"), Mode::Merge).await;
        case.live.put("ana", Some(&fields(&[("one", "moved")])));
        let answers = case.component.write(&[first, second], &Records::default()).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true], "{}", case.name);
        assert_eq!(case.live.see("ana"), Some(fields(&[("one", "moved")])), "{}", case.name);
        assert_eq!(case.live.see("bob"), Some(wanted()), "{}", case.name);
    }
}

#[tokio::test]
async fn hunks_that_were_left_out_stay_out() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        let source = case.saved("ana", &wanted());
        let approved = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
        let of_one = approved.change.hunks.iter().position(|hunk| hunk.place() == case.live.place("one")).unwrap();
        let left_out = BTreeSet::from([u32::try_from(of_one).unwrap()]);
        let approved = leaving_out(&*case.component, approved, left_out, Mode::Merge);
        write(&*case.component, &approved, &Records::default()).await.unwrap();
        let mut half = wanted();
        half.insert("one".to_owned(), "former".to_owned());
        assert_eq!(case.live.see("ana"), Some(half), "{}", case.name);
    }
}

#[tokio::test]
async fn undo_leads_back_from_an_update_a_create_and_a_delete() {
    for case in cases() {
        let scope = case.live.scope("ana");
        let source = case.saved("ana", &wanted());
        for before in [Some(former()), None] {
            if before.is_some() || case.live.see("ana").is_some() {
                case.live.put("ana", before.as_ref());
            }
            let records = Records::default();
            let approved = plan(&*case.component, &*source, &scope, Mode::Merge).await;
            write(&*case.component, &approved, &records).await.unwrap();
            assert_eq!(case.live.see("ana"), Some(wanted()), "{}", case.name);
            undo(&*case.component, &approved, 0, &records, &scope).await;
            assert_eq!(case.live.see("ana"), before, "{}", case.name);
        }
        case.live.put("ana", Some(&former()));
        let there = the_one(&*case.component, &scope).await;
        let records = Records::default();
        let approved = approve(&*case.component, there, None, Mode::Exact).await;
        write(&*case.component, &approved, &records).await.unwrap();
        assert_eq!(case.live.see("ana"), None, "{}", case.name);
        undo(&*case.component, &approved, 0, &records, &scope).await;
        assert_eq!(case.live.see("ana"), Some(former()), "{}", case.name);
        case.component.release("conformance").await.unwrap();
        assert_eq!(case.live.see("ana"), Some(former()), "{}", case.name);
    }
}

#[tokio::test]
async fn the_identity_is_the_systems_own() {
    for case in cases() {
        let first = case.component.identity().await.unwrap();
        assert_eq!(case.component.identity().await.unwrap(), first, "{}", case.name);
        assert_eq!(case.live.component().identity().await.unwrap(), first, "{}", case.name);
        case.live.put_another_in_its_place();
        assert_ne!(case.component.identity().await.unwrap(), first, "{}", case.name);
    }
}

#[tokio::test]
async fn a_question_that_it_does_not_know_is_unsupported() {
    for case in cases() {
        let probe = rekindle::model::Probe { question: "weather".to_owned(), of: serde_json::json!("ana") };
        let error = case.component.probe(&probe).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{}: {error}", case.name);
    }
}

/// A system with no place to write a name into has nobody in it: then both may write.
#[tokio::test]
async fn a_target_that_one_session_holds_is_refused_to_another_until_it_is_let_go() {
    let session = |name: &str| TargetHolder { run: name.to_owned(), by: format!("{name}@{name}"), since: 1 };
    let (ana, bob) = (session("ana"), session("bob"));
    for case in cases() {
        case.live.put("ana", Some(&former()));
        let other = case.live.component();
        let identity = case.component.identity().await.unwrap();
        case.component.hold(&ana, false).await.unwrap();
        case.component.hold(&ana, false).await.unwrap();
        case.component.is_free(&ana).await.unwrap();
        let (asked, taken) = (other.is_free(&bob).await, other.hold(&bob, false).await);
        assert_eq!(asked.is_ok(), taken.is_ok(), "{}", case.name);
        for error in asked.err().into_iter().chain(taken.err()) {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Held, Known::NotApplied), "{}", case.name);
            assert!(error.chain().contains("ana@ana"), "{}", error.chain());
        }
        assert_eq!(case.component.identity().await.unwrap(), identity, "{}", case.name);
        case.component.let_go().await.unwrap();
        other.is_free(&bob).await.unwrap();
        other.hold(&bob, false).await.unwrap();
        other.let_go().await.unwrap();
        other.let_go().await.unwrap();
        assert_eq!(case.live.see("ana"), Some(former()), "{}", case.name);
    }
}
