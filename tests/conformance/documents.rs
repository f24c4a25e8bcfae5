//! What is asked of systems whose resources are documents, and of all that take a resource in part.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use rekindle::diff::documents::unproven;
use rekindle::model::{Body, DigestKey, Document, Mode, Resource};

use crate::components::{cases, former, wanted};
use crate::live::fields;
use crate::step::{Records, approve, leaving_out, plan, the_one, undo, write};

#[tokio::test]
async fn what_a_person_wrote_is_read_back_as_it_was_planned() {
    for case in cases() {
        let Some((place, written)) = case.live.by_hand("ana", &wanted()) else { continue };
        let id = case.component.id_at(&place).unwrap();
        let normal = case.component.normalise(Document::new(written)).unwrap();
        let again = case.component.normalise(normal.clone()).unwrap();
        assert_eq!(again.value, normal.value, "{}: what is normal stays as it is", case.name);
        for before in [None, Some(former())] {
            if before.is_some() {
                case.live.put("ana", None);
                case.live.put("ana", before.as_ref());
            }
            let live = the_one(&*case.component, &case.live.scope("ana")).await;
            let desired = Resource { id: id.clone(), body: Body::Document(normal.clone()) };
            let approved = approve(&*case.component, live, Some(desired), Mode::Merge).await;
            write(&*case.component, &approved, &Records::default()).await.unwrap();
            let now = the_one(&*case.component, &case.live.scope("ana")).await.unwrap();
            let (now, expected) = (now.document().unwrap(), approved.expected.as_ref().unwrap().document().unwrap());
            let schema = case.component.schema().kind(&id.kind);
            let key = DigestKey::new([3; 32]);
            let before = approved.live.as_ref().and_then(Resource::document);
            // As the engine proves a write.
            let unproven = unproven(&id, before, now, expected, schema, &key);
            assert_eq!(unproven.map(|unproven| unproven.hunks), None, "{}", case.name);
        }
    }
}

#[tokio::test]
async fn what_is_left_out_of_a_create_is_not_made() {
    for case in cases() {
        let source = case.saved("ana", &wanted());
        let scope = case.live.scope("ana");
        let approved = plan(&*case.component, &*source, &scope, Mode::Merge).await;
        let place = case.live.place("one");
        let Some(of_one) = approved.change.hunks.iter().position(|hunk| hunk.place() == place) else { continue };
        let left_out = BTreeSet::from([u32::try_from(of_one).unwrap()]);
        let approved = leaving_out(&*case.component, approved, left_out, Mode::Merge);
        let records = Records::default();
        write(&*case.component, &approved, &records).await.unwrap();
        let mut rest = wanted();
        rest.remove("one");
        assert_eq!(case.live.see("ana"), Some(rest), "{}", case.name);
        undo(&*case.component, &approved, 0, &records, &scope).await;
        assert_eq!(case.live.see("ana"), None, "{}", case.name);
    }
}

#[tokio::test]
async fn what_was_removed_comes_back_in_its_place_and_a_file_to_the_last_byte() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        let scope = case.live.scope("ana");
        let file = case.live.file("ana");
        let bytes = || file.as_ref().map(|file| fs::read(file).unwrap());
        let before = bytes();
        let less = fields(&[("one", "former"), ("three", "the same")]);
        let source = case.saved("ana", &less);
        let records = Records::default();
        let approved = plan(&*case.component, &*source, &scope, Mode::Exact).await;
        write(&*case.component, &approved, &records).await.unwrap();
        assert_eq!(case.live.see("ana"), Some(less), "{}", case.name);
        undo(&*case.component, &approved, 0, &records, &scope).await;
        assert_eq!(case.live.see("ana"), Some(former()), "{}", case.name);
        assert_eq!(bytes(), before, "{}", case.name);
    }
}

#[tokio::test]
async fn a_name_is_a_name_whatever_it_looks_like() {
    for case in cases() {
        case.live.put("ana", Some(&former()));
        for name in ["*", "an", "ana ", "-rf", "${user}", "a&b=c", "ana\n", "an\u{202e}a", "%", "ana?x=1"] {
            let listed = case.component.list(&[case.live.scope(name)]).await.pop().unwrap();
            assert_eq!(listed.map(|listed| listed.len()).unwrap_or_default(), 0, "{}: {name:?}", case.name);
        }
        assert_eq!(case.live.see("ana"), Some(former()), "{}", case.name);
    }
}

#[tokio::test]
async fn a_file_keeps_its_mode_and_owner_and_a_new_one_gets_what_was_approved() {
    for case in cases() {
        let Some(file) = case.live.file("ana") else { continue };
        let of = |file: &std::path::Path| {
            let meta = fs::metadata(file).unwrap();
            (meta.mode() & 0o7777, meta.uid(), meta.gid())
        };
        case.live.put("ana", Some(&former()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let before = of(&file);
        let source = case.saved("ana", &wanted());
        let approved = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
        write(&*case.component, &approved, &Records::default()).await.unwrap();
        assert_eq!(of(&file), before, "{}", case.name);

        case.live.put("ana", None);
        let mut approved = plan(&*case.component, &*source, &case.live.scope("ana"), Mode::Merge).await;
        let checked = case.component.check(std::slice::from_ref(&approved)).await.pop().unwrap().unwrap();
        let decided = checked.file.unwrap();
        let mut change = (*approved.change).clone();
        change.file = Some(decided);
        approved.change = change.into();
        write(&*case.component, &approved, &Records::default()).await.unwrap();
        assert_eq!(of(&file), (decided.mode, decided.uid, decided.gid), "{}", case.name);
    }
}
