//! Plain mode asks what the screen asks, in the same words.

use std::fs;

use crate::ground::Ground;

#[test]
fn an_undo_is_called_one_and_to_skip_it_is_said_to_leave_what_was_restored() {
    let ground = Ground::make();
    ground.damage();
    ground.runbook();
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--user", "ana"], 0).says("2 done");
    let restored = ground.manifest();
    let told = ground.answering("s\n\ns\nnot today\nyes\nl\n", &["undo", "--user", "ana"], 2);
    told.says("UNDO  home/ana").says("this undo of home/ana?").says("Drop the undo of home/ana?");
    told.says("- is live now and goes, + was there before the restore");
    told.says("what was restored stays").says("voided    not today");
    crate::ground::assert_same(&ground.manifest(), &restored);
}

#[test]
fn what_cannot_be_undone_is_spelled_out_and_one_letter_does_not_approve_it() {
    let ground = Ground::bare();
    let text = "rekindle: 1\ntitle: A command\nsteps: [{ id: touch, run: [touch, made] }]\n";
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    let told = ground.answering("a\na\nq\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says("What this does cannot be undone.\nType yes to approve it; anything else goes back.");
    assert!(!ground.path("made").exists());
    ground.answering("a\nyes\n", &["resume", "--plain"], 0).says("1 done");
    assert!(ground.path("made").exists());
}

/// Settings that two homes need, all of them in the backup and not as they should be.
fn settings_and_homes() -> Ground {
    let ground = Ground::bare();
    for (side, text) in [("copy", "quota: 10G\n"), ("live", "quota: 1G\n")] {
        fs::create_dir_all(ground.path(&format!("{side}/settings"))).unwrap();
        fs::write(ground.path(&format!("{side}/settings/realm.yaml")), text).unwrap();
        for user in ["ana", "bob"] {
            fs::create_dir_all(ground.path(&format!("{side}/home/{user}"))).unwrap();
            fs::write(ground.path(&format!("{side}/home/{user}/notes")), text).unwrap();
        }
    }
    let root = ground.path("");
    let root = root.to_str().unwrap();
    let text = format!(
        "rekindle: 1\ntitle: Settings and homes\n\
         sources:\n  homes-copy: {{ directory: {root}/copy }}\n  \
         settings-copy: {{ directory: {root}/copy, format: documents }}\n\
         components: {{ homes: {{ files: {root}/live/home }}, settings: {{ documents: {root}/live/settings }} }}\n\
         owners: {{ user: {{ from: homes-copy, below: home }} }}\nsteps:\n\
         - {{ id: realm, restore: settings, from: settings-copy, below: settings }}\n\
         - {{ id: home, each: user, needs: [realm], restore: homes, from: homes-copy, below: \"home/${{user}}\" }}\n"
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

#[test]
fn after_a_refused_approval_the_next_question_comes() {
    let ground = settings_and_homes();
    ground.answering("a\nq\n", &["run", "runbook.yaml", "--plain"], 2).says("2 review, 1 done");
    ground.rekindle(&["undo", "--yes", "--task", "realm"], 0);
    let told = ground.answering("a\na\n", &["resume", "--plain"], 2);
    for name in ["home/ana", "home/bob"] {
        told.says(&format!("cannot approve {name}: what it needs is no longer done: realm is undone\n  next: "));
    }
    told.says("2 review, 1 undone\nnext: rekindle resume ");
}

#[test]
fn a_letter_means_the_same_everywhere_or_nothing() {
    let ground = settings_and_homes();
    // The realm is nobody's: `o` does nothing there, and neither does a number anywhere.
    let told = ground.answering("o\n1\n5\na\no\n\nq\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says("'out' cannot be chosen here; what can: approve, hunks, full, skip, later, abort, quit");
    told.says("'1' is no choice here").says("'5' is no choice here: type one of a h f s l x q or ?");
    told.says("What is to be done with this plan of home/ana?\n").says("o leave ana out");
    told.says("Leave user ana out?").says("2 review, 1 done");
    told.says(" home/ana to homes > ");
}

#[test]
fn what_is_not_written_is_asked_once_more_and_no_reason_is_invented() {
    let ground = settings_and_homes();
    let typed = "s\ns\ns\nnot needed\nno\nx\nthe wrong backup\nyes\nx\nthe wrong backup\nabort\n";
    let told = ground.answering(typed, &["run", "runbook.yaml", "--plain"], 2);
    told.says("'s' is no reason: nothing was done").says("Skip realm? The reason is: not needed\nType yes to do it");
    told.says("ABORT the whole run? The reason is: the wrong backup\nType abort to do it");
    assert_eq!(told.out.matches("aborted by").count(), 1, "{}", told.out);
    told.says(": the wrong backup");
    assert!(!told.out.contains("skipped"), "{}", told.out);
}

#[test]
fn a_delete_is_confirmed_by_its_name_or_the_word() {
    for (word, is_gone) in [("1", false), ("a", false), ("yes", false), ("delete", true), ("after", true)] {
        let ground = settings_and_homes();
        fs::write(ground.path("live/home/ana/after"), "since the backup").unwrap();
        let runbook = fs::read_to_string(ground.path("runbook.yaml")).unwrap();
        fs::write(ground.path("runbook.yaml"), runbook.replace("needs: [realm]", "mode: exact")).unwrap();
        let typed = format!("l\na\n{word}\nq\n");
        let told = ground.answering(&typed, &["run", "runbook.yaml", "--plain", "--user", "ana"], 2);
        told.says("This deletes: after.\nType delete or its name to approve it; anything else goes back.");
        assert_eq!(!ground.path("live/home/ana/after").exists(), is_gone, "{word}: {}", told.out);
        assert_eq!(told.out.contains("nothing was approved"), !is_gone, "{}", told.out);
    }
}

#[test]
fn equal_plans_are_approved_as_a_group_once_the_first_was_read_back() {
    let ground = settings_and_homes();
    let told = ground.answering("a\ng\nno\ng\nall\n", &["run", "runbook.yaml", "--plain"], 0);
    told.says("g approve with 1 more like it").says("nothing was approved");
    told.says("This approves 2 plans that change the same: home/ana, home/bob.\nhome/ana goes first");
    told.says("the first of the group was read back equal: 1 other plan approved").says("3 done");
    for user in ["ana", "bob"] {
        assert_eq!(fs::read_to_string(ground.path(&format!("live/home/{user}/notes"))).unwrap(), "quota: 10G\n");
    }
}

#[test]
fn a_wait_of_one_task_holds_up_nobody_elses_question() {
    let ground = settings_and_homes();
    let runbook = fs::read_to_string(ground.path("runbook.yaml")).unwrap();
    let wait = "- { id: flag, wait: { file: flag }, on: homes, every: 1s, deadline: 1h }\n";
    fs::write(ground.path("runbook.yaml"), format!("{runbook}{wait}")).unwrap();
    let told = ground.answering("a\na\nq\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says("What is to be done with this plan of home/bob?");
}

#[test]
fn each_choice_is_explained_where_it_is_offered() {
    let told = settings_and_homes().answering("?\nq\n", &["run", "runbook.yaml", "--plain"], 2);
    told.says("  a  approve  write exactly what the plan shows, then read it back\n");
    told.says("  x  abort    begin nothing new in the whole run").says("l later (Enter)");
}

#[test]
fn equal_plans_of_a_saved_dry_run_are_approved_together() {
    let ground = settings_and_homes();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    let told = ground.answering("a\n?\ng\nno\ng\nall\n", &["review", "plan.json"], 0);
    told.says("g approve with 1 more like it").says("nothing was approved");
    told.says("This approves 2 plans that change the same: home/ana, home/bob.\nType all to approve all 2");
    told.says("3 plans approved, 0 not");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--decisions", "decisions.json"], 0).says("3 done");
}

/// A saved plan may come from anywhere: plans that look different are never approved by one another's look.
#[test]
fn a_saved_plan_cannot_claim_that_different_plans_are_equal() {
    let ground = settings_and_homes();
    fs::write(ground.path("live/home/bob/notes"), "quota: 2G\n").unwrap();
    ground.rekindle(&["plan", "runbook.yaml", "--out", "plan.json"], 2);
    let text = fs::read_to_string(ground.path("plan.json")).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cohort = plan["tasks"][1]["outlook"]["changes"]["cohort"].clone();
    assert!(cohort.is_string(), "{text}");
    plan["tasks"][2]["outlook"]["changes"]["cohort"] = cohort;
    fs::write(ground.path("plan.json"), plan.to_string()).unwrap();
    let told = ground.answering("a\nq\n", &["review", "plan.json"], 2);
    told.says("this plan of home/ana?");
    assert!(!told.out.contains("more like it"), "{}", told.out);
}

#[test]
fn the_legend_stands_above_the_first_change() {
    let told = settings_and_homes().answering("a\nq\n", &["run", "runbook.yaml", "--plain"], 2);
    let at = |text: &str| told.out.find(text).unwrap_or_else(|| panic!("{text} is not in {}", told.out));
    assert!(at("- is live now and goes") < at("update tree ana"), "{}", told.out);
}
