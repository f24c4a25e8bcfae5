//! A dry run shows every line that would change, within bounds, and what it all comes to.

use std::fs;

use crate::ground::{Ground, Told};

/// Two homes in a backup, and what is left of them; `exact` deletes what came after it.
fn homes(mode: &str) -> Ground {
    let ground = Ground::bare();
    for folder in ["copy/home/ana", "copy/home/bob", "live/ana", "live/bob"] {
        fs::create_dir_all(ground.path(folder)).unwrap();
    }
    let text = format!(
        "rekindle: 1\ntitle: Homes\ninputs: {{ token: {{ about: a secret, secret: true }} }}\n\
         sources: {{ copy: {{ directory: \"{root}/copy\" }} }}\n\
         components: {{ homes: {{ files: \"{root}/live\" }} }}\nowners: {{ user: {{ from: copy, below: home }} }}\nsteps:\n\
         - {{ id: home, each: user, restore: homes, from: copy, below: \"home/${{user}}\", mode: {mode}, content: true }}\n",
        root = ground.path("").display(),
    );
    fs::write(ground.path("runbook.yaml"), text).unwrap();
    ground
}

fn write(ground: &Ground, path: &str, text: &str) {
    fs::write(ground.path(path), text).unwrap();
}

fn plan(ground: &Ground, flags: &[&str], code: i32) -> Told {
    let words = ["plan", "runbook.yaml", "--input", "token=hunter22"];
    ground.rekindle(&[&words[..], flags].concat(), code)
}

fn numbers(from: u32, to: u32) -> String {
    (from..to).map(|number| format!("line {number}\n")).collect()
}

#[test]
fn the_lines_of_a_changed_file_are_shown_with_those_around_them() {
    let ground = homes("merge");
    write(&ground, "copy/home/ana/notes", &numbers(0, 40).replace("line 20\n", "line twenty\n"));
    write(&ground, "live/ana/notes", &numbers(0, 40));
    write(&ground, "copy/home/bob/new", "one\ntwo");
    let told = plan(&ground, &["--context", "1"], 2);
    let body = told.out.split_once("\n\n").unwrap().1;
    let body: Vec<&str> = body.lines().filter(|line| !line.contains("  plan ")).collect();
    insta::assert_snapshot!(body.join("\n"), @r"
    home/ana
      update tree ana
          1. ~ notes  content, 310 B → 314 B
          @@ -20,3 +20,3 @@
            line 19
          - line 20
          + line twenty
            line 21

    home/bob
      update tree bob
          1. + new  7 B
          @@ -0,0 +1,2 @@
          + one
          + two (no newline at the end)

                    resources                  hunks                      bytes
    step         create update delete    create update delete     written  removed
    home              0      2      0         1      1      0       321 B

    0 unchanged, 2 to change, 0 to ask, 0 failed
    ");
    told.says("- is live now and goes, + comes from the backup");
    let short = plan(&ground, &["--stat"], 2);
    assert!(
        short.out.contains("1. ~ notes  content, 310 B → 314 B") && !short.out.contains("line 20"),
        "{}",
        short.out
    );
}

#[test]
fn a_long_diff_is_cut_and_says_how_to_see_all_of_it() {
    let ground = homes("merge");
    write(&ground, "copy/home/ana/notes", &numbers(0, 1000));
    write(&ground, "live/ana/notes", &numbers(5000, 6000));
    let told = plan(&ground, &[], 2);
    told.says("(only the first 200 lines of the diff are shown; --all shows more)");
    assert!(told.out.lines().count() < 230, "{}", told.out);
    let all = plan(&ground, &["--all"], 2);
    assert_eq!(all.out.lines().filter(|line| line.starts_with("      + line")).count(), 1000);
}

#[test]
fn what_is_secret_reaches_no_log_and_no_saved_plan() {
    let ground = homes("merge");
    for (file, text) in [(".env", "PASSWORD=swordfish"), ("key.txt", "-----BEGIN PRIVATE KEY-----\nMIIEvQ")] {
        write(&ground, &format!("copy/home/ana/{file}"), &format!("{text}\n"));
        write(&ground, &format!("live/ana/{file}"), "old\n");
    }
    write(&ground, "copy/home/ana/config", "a: 1\ntoken: hunter22\n");
    write(&ground, "live/ana/config", "a: 2\ntoken: hunter22\n");
    let told = plan(&ground, &["--out", "plan.json"], 2);
    told.says("token: ••••").says("+ a: 1").says("(this file holds secrets, as its name or its beginning says");
    let saved = fs::read_to_string(ground.path("plan.json")).unwrap();
    let json = plan(&ground, &["--json"], 2).out;
    let page = plan(&ground, &["--format", "html"], 2).out;
    for text in [&told.out, &saved, &json, &page] {
        for secret in ["swordfish", "MIIEvQ", "hunter22"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
    assert!(!json.contains("a: 1") && saved.contains("a: 1"), "lines are saved, and not in what goes to a log");
    plan(&ground, &["--json", "--context", "0"], 2).says("\"text\": \"a: 1\"");
    assert!(page.contains("<span class=\"added\">      + a: <b>1</b></span>"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    plan(&ground, &["--secret-files"], 2).says("+ PASSWORD=swordfish").says("+ MIIEvQ").says("token: ••••");
}

#[test]
fn a_saved_plan_is_reviewed_with_its_lines_where_its_sources_are_gone() {
    let ground = homes("merge");
    write(&ground, "copy/home/ana/notes", "quota=10G\n");
    write(&ground, "live/ana/notes", "quota=1G\n");
    plan(&ground, &["--out", "plan.json"], 2);
    fs::remove_dir_all(ground.path("copy")).unwrap();
    fs::remove_dir_all(ground.path("live")).unwrap();
    let told = ground.answering("", &["review", "plan.json"], 2);
    told.says("- is live now and goes").says("      - quota=1G\n      + quota=10G\n");
    // A plan from elsewhere does not get to move the cursor.
    let path = ground.path("plan.json");
    let hostile = fs::read_to_string(&path).unwrap().replace("\"quota=1G\"", "\"\\u001b[2Jquota=1G\"");
    fs::write(&path, hostile).unwrap();
    ground.answering("", &["review", "plan.json"], 2).says("      - ^[[2Jquota=1G\n");
}

#[test]
fn what_goes_is_counted_in_the_plan_and_in_the_report() {
    let ground = homes("exact");
    write(&ground, "copy/home/ana/notes", "kept\n");
    write(&ground, "live/ana/notes", "kept\n");
    write(&ground, "live/ana/after", "0123456789");
    let told = plan(&ground, &["--only-changes"], 2);
    told.says("home              0      1      0         0      0      1                 10 B");
    told.says("      - 0123456789 (no newline at the end)");
    ground.rekindle(&["run", "runbook.yaml", "--plain", "--yes", "--yes-deletes", "--input", "token=hunter22"], 0);
    ground.rekindle(&["report"], 0).says("update 1, delete 0, 1 hunk, 1 of them delete");
}

#[test]
fn colours_come_where_they_are_wanted() {
    let ground = homes("merge");
    write(&ground, "copy/home/ana/notes", "quota=10G\n");
    write(&ground, "live/ana/notes", "quota=1G\n");
    let painted = plan(&ground, &["--color", "always"], 2);
    painted.says("\u{1b}[1mhome/ana\u{1b}[0m").says("\u{1b}[31m      - quota=\u{1b}[7m1G\u{1b}[27m\u{1b}[0m");
    for flags in [&["--color", "never"][..], &[], &["--no-color"]] {
        assert!(!plan(&ground, flags, 2).out.contains('\u{1b}'));
    }
    let refused = plan(&ground, &["--json", "--format", "html"], 1);
    assert!(refused.err.contains("two forms") || refused.out.contains("two forms"));
}

#[test]
fn other_files_say_what_they_are() {
    let ground = homes("merge");
    write(&ground, "copy/home/ana/archive", "\u{1f}");
    fs::write(ground.path("copy/home/ana/archive"), b"\x1f\x8b\x08\0\0").unwrap();
    write(&ground, "copy/home/ana/empty", "");
    std::os::unix::fs::symlink("b", ground.path("copy/home/ana/link")).unwrap();
    std::os::unix::fs::symlink("a", ground.path("live/ana/link")).unwrap();
    let told = plan(&ground, &[], 2);
    told.says("+ archive  5 B\n      (binary (gzip): not shown line by line)");
    told.says("+ empty  0 B\n").says("~ link  link a → b\n");
}
