use super::deciding_stories::reviewing;
use super::*;
use crate::engine::Command;
use crate::model::{Error, ErrorKind, Event, Known};
use crate::tui::fixtures::{Desk, document_proposal, story, tree_proposal};

#[test]
fn the_palette_does_what_it_shows_and_nothing_that_no_frame_had() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("home/bob").press(":").type_text("retr");
    assert!(desk.text().contains("Plan a failed, unknown, skipped or undone task anew"), "{}", desk.text());
    desk.press("esc").at("home/cyd").key(":");
    desk.key("r");
    desk.key("e");
    desk.key("t");
    desk.key("enter");
    assert_eq!(desk.commands(), [], "typed ahead of any frame");
    desk.type_text("r").press("enter");
    let task = desk.model.run.find("home/cyd").unwrap();
    assert_eq!(desk.commands(), [Command::Retry { task }]);
    desk.press(":").type_text("account/dee").press("enter");
    assert_eq!(desk.model.cursor, desk.model.run.find("account/dee"));
    desk.press(":").type_text("q").press("esc");
    assert!(desk.model.palette.is_none() && desk.model.dialog.is_none());
}

#[test]
fn a_search_goes_from_place_to_place_and_around_the_end() {
    let mut desk = reviewing("home/ana");
    desk.press("/").type_text("mail");
    assert!(desk.text().contains("1 of 2"), "{}", desk.text());
    let at = |desk: &Desk| desk.model.review.loaded().unwrap().cursor;
    let first = at(&desk);
    desk.press("enter").press("ctrl-n");
    assert!(at(&desk) > first && desk.text().contains("2 of 2"), "{}", desk.text());
    desk.press("ctrl-n");
    assert_eq!(at(&desk), first);
    assert!(desk.text().contains("from the beginning again"));
    desk.press("ctrl-p");
    assert!(at(&desk) > first);
    desk.press("esc");
    assert!(desk.model.search.text.is_empty() && desk.model.tab == Tab::Review);
    desk.press("/").type_text("zzz");
    assert!(desk.text().contains("not found"));
    assert_eq!(desk.commands(), [], "letters that decide decide nothing while they are typed");
}

#[test]
fn a_search_looks_into_files_that_are_not_open_and_says_which_it_could_not_read() {
    let mut desk = reviewing("home/ana");
    desk.press("/").type_text("export b");
    assert!(desk.text().contains("not found here; Enter looks into the files too"), "{}", desk.text());
    desk.press("enter");
    assert!(desk.text().contains("not found, looking into 4 files"), "{}", desk.text());
    let proposal = crate::tui::fixtures::tree_proposal("home/ana");
    desk.answer(&proposal);
    let at = |desk: &Desk| desk.model.review.loaded().unwrap().cursor;
    let before = at(&desk);
    assert!(desk.text().contains("3 files not open yet: enter opens it, 1 not searched"), "{}", desk.text());
    assert_eq!(at(&desk), before, "what is found later moves nothing");
    desk.press("G ctrl-n enter").answer(&proposal);
    // The file is open: now its line is the place, and no longer the file's.
    desk.press("ctrl-n");
    let text = desk.text();
    assert!(text.lines().any(|line| line.contains(">      export B=2")), "{text}");
    assert!(text.contains("1 of 3, 2 files not open yet"), "{text}");
    desk.press("/").type_text("export b");
    let late = crate::tui::file_search::Looked { found: vec![(0, 3)], ..Default::default() };
    let generation = desk.model.review.generation;
    desk.send(Msg::SearchedFiles { generation, text: "export".to_owned(), looked: late });
    assert!(desk.model.search.in_files.is_empty(), "another search's answer is dropped");
}

#[test]
fn both_sides_of_a_file_stand_beside_each_other_where_there_is_room_and_below_each_other_for_a_pager() {
    let mut desk = reviewing("home/ana");
    let proposal = crate::tui::fixtures::tree_proposal("home/ana");
    desk.press("enter").answer(&proposal).press("j j");
    let has = |text: &str, wanted: &str| text.lines().any(|line| line.contains(wanted));
    let narrow = desk.text();
    assert!(has(&narrow, ">    + export A=1") && !narrow.contains('│'), "{narrow}");
    desk.send(Msg::Resize { width: 120, height: 40 });
    let text = desk.text();
    let both = text.lines().find(|line| line.contains("- export A=1^M")).unwrap();
    assert!(both.contains("│ + export A=1"), "{text}");
    assert!(has(&text, ">[y] update .profile"), "the cursor stays with its file: {text}");
    desk.press("j Y");
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Copy { text } if text == "export A=1")));
    desk.press("e").answer(&proposal);
    let viewed = desk.effects.iter().find_map(|effect| match effect {
        Effect::View { text } => Some(text.clone()),
        _ => None,
    });
    assert!(viewed.unwrap().contains("    - export A=1^M\n    + export A=1\n"));
}

#[test]
fn what_is_viewed_and_copied_holds_no_secret_and_no_control_character() {
    let mut desk = reviewing("home/bob");
    desk.press("e");
    let viewed = desk.effects.iter().find_map(|effect| match effect {
        Effect::View { text } => Some(text.clone()),
        _ => None,
    });
    let text = viewed.unwrap();
    assert!(text.contains("•••• → •••• (changed)") && text.contains("- \"10G\""), "{text}");
    assert!(!text.contains(['\r', '\u{202e}']) && !text.contains(&crate::model::Digest::of("new").short()));
    let mut copied = Vec::new();
    for _ in 0..desk.model.review.loaded().unwrap().rows.len() {
        desk.press("Y");
        copied.extend(std::mem::take(&mut desk.effects).into_iter().filter_map(|effect| match effect {
            Effect::Copy { text } => Some(text),
            _ => None,
        }));
        desk.press("down");
    }
    assert!(copied.contains(&"mail.quota".to_owned()) && copied.contains(&"25G ".to_owned()), "{copied:?}");
    assert!(copied.iter().all(|text| !text.contains(['\r', '\u{202e}'])), "{copied:?}");
}

#[test]
fn the_matrix_zooms_out_to_blocks_and_a_block_opens_to_its_tasks() {
    let mut header = crate::tui::fixtures::header();
    header.owners[0].names = (0..1_250).map(|number| format!("user{number:04}")).collect();
    let mut story = crate::tui::fixtures::Story::open(header);
    for number in [205, 217] {
        let task = story.task(&format!("account/user{number:04}"));
        let problem = Error::new(ErrorKind::NoSpace, "write", "no space left").problem();
        story.add(Event::Failed { task, problem });
    }
    for number in 300..400 {
        let task = story.task(&format!("account/user{number:04}"));
        story.add(Event::Unchanged { task });
    }
    let mut desk = Desk::new(&story, 80, 24);
    let text = desk.press("2 z").text();
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(line("user0300").contains("100%") && line("user0200").contains("0% ✗2"), "{text}");
    desk.press("j j enter");
    assert_eq!(desk.model.cursor, desk.model.run.find("account/user0205"), "at what is wrong there");
    let text = desk.text();
    assert!(text.contains("filter: 100 tasks behind a cell") && text.contains("100 shown"), "{text}");
    desk.press("esc");
    assert!(desk.model.rows.filter.is_empty());
    desk.press("2 z");
    assert!(desk.text().contains("user1249"), "blocks of a thousand");
    desk.press("z t g");
    assert_eq!(desk.model.cursor, desk.model.run.find("account/user0205"));
    desk.press("j");
    assert_eq!(desk.model.cursor, desk.model.run.find("account/user0217"), "trouble first");
    let text = desk.text();
    assert!(text.find("user0205").unwrap() < text.find("user0000").unwrap(), "{text}");
}

#[test]
fn the_matrix_folds_its_columns_to_components_and_a_cell_of_many_opens_to_them() {
    let mut header = crate::tui::fixtures::header();
    // Two more steps that write homes: four columns become two.
    for id in ["mail", "keys"] {
        let mut step = header.steps[1].clone();
        step.id = id.to_owned();
        header.steps.push(step);
    }
    let mut story = crate::tui::fixtures::Story::open(header);
    let account = story.task("account/bob");
    story.add(Event::Unchanged { task: account });
    let failed = story.task("mail/bob");
    let problem = Error::new(ErrorKind::NoSpace, "write", "no space left").problem();
    story.add(Event::Failed { task: failed, problem });
    let unchanged = story.task("home/bob");
    story.add(Event::Unchanged { task: unchanged });
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("account/bob").press("2");
    let text = desk.text();
    assert!(text.contains("home      mail      keys"), "{text}");
    desk.press("f l");
    let text = desk.text();
    assert!(!text.contains("keys ") && text.contains("accounts  homes"), "{text}");
    assert!(text.contains("✗ 1/3") && text.contains("mail/bob: failed"), "the worst of the cell: {text}");
    desk.press("enter");
    let text = desk.text();
    assert!(text.contains("3 tasks behind a cell") && text.contains("3 shown, 14 hidden"), "{text}");
    assert_eq!(desk.model.cursor, Some(failed));
    desk.press("esc 2 h");
    assert_eq!(desk.model.cursor, Some(story.task("account/bob")));
    desk.press("enter");
    assert_eq!((desk.model.tab, desk.model.rows.filter.is_empty()), (Tab::Evidence, true), "one task is opened itself");
}

#[test]
fn what_was_written_can_be_looked_at_afterwards_and_decided_on_no_more() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("account/ana").press("3").answer(&document_proposal("account/ana"));
    let text = desk.text();
    assert!(text.contains("wrote 3 of 3 hunks") && text.contains("Applied and read back; can be undone"), "{text}");
    assert!(text.contains("10G") && text.contains("25G"), "before and after: {text}");
    desk.press("n a A");
    assert_eq!((desk.commands(), desk.model.dialog.is_some()), (Vec::new(), false));
    // The live side of a file is another by now: it is not shown as what was there before.
    let mut story = story();
    let (task, plan) = (story.task("home/ana"), tree_proposal("home/ana").plan);
    let digest = plan.digest(&crate::model::Selection::all());
    story.add(Event::Approved { task, digest, by: "ops@bastion".to_owned() });
    story.add(Event::Intent { task, attempt: 1, digest, pre: digest, undoable: true });
    let (evidence, problem) = (String::new(), None);
    story.add(Event::Outcome {
        task,
        known: Known::Applied,
        post: None,
        evidence,
        problem,
        partial: false,
        kept: None,
        dependents_go_on: false,
        bytes: None,
        output: None,
    });
    let mut desk = Desk::new(&story, 80, 24);
    desk.at("home/ana").press("3").answer(&tree_proposal("home/ana")).press("enter");
    let text = desk.text();
    assert!(text.contains("kept for undo alone") && !text.contains("export"), "{text}");
}

#[test]
fn the_log_is_narrowed_to_whom_it_comes_from_and_the_chain_stands_above_it() {
    let mut desk = Desk::new(&story(), 80, 24);
    desk.at("account/ana").press("4 f");
    assert!(desk.text().contains("nobody has said anything yet"), "{}", desk.text());
    desk.send(Msg::Heard { voices: vec!["keycloak", "events"] });
    desk.press("f l");
    let text = desk.text();
    assert!(
        text.contains("log of events alone, warnings and worse") && text.contains("chain sound when opened"),
        "{text}"
    );
    desk.press("f");
    assert!(desk.text().contains("log of keycloak alone"), "{}", desk.text());
    desk.press("f");
    assert!(desk.text().contains("─ log, warnings and worse"), "{}", desk.text());
    desk.model.broken = Some("event 9 is not allowed".to_owned());
    assert!(desk.text().contains("chain BROKEN"), "{}", desk.text());
}
