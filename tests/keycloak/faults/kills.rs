use std::process::Child;
use std::sync::{Arc, Mutex};

use super::proxy::{Asked, Fate};
use super::*;

const PEOPLE: usize = 200;

/// The process that dies at the request that is counted to, before or after the server has done it.
#[derive(Default)]
struct Victim {
    process: Option<Child>,
    calls: usize,
    dies_at: usize,
}

/// `kill -9` at a call, again at a later call of the resume, and so on: the calls it dies at move on, so that in the end
/// one of them gets through.
async fn killed_again_and_again(
    story: &Story,
    proxy: &Proxy,
    export: &Path,
    step: usize,
    which: fn(&Asked) -> bool,
    fate: Fate,
) -> usize {
    let users = story.admin.get(&story.at("/users?max=-1")).await;
    for user in users.as_array().unwrap() {
        story.remove(&format!("/users/{}", user["id"].as_str().unwrap())).await;
    }
    let victim = Arc::new(Mutex::new(Victim::default()));
    let (killer, after) = (Arc::clone(&victim), fate.clone());
    proxy.script(move |asked| {
        if !which(asked) {
            return Fate::Pass;
        }
        let mut victim = killer.lock().unwrap();
        victim.calls += 1;
        if victim.calls != victim.dies_at {
            return Fate::Pass;
        }
        let _ = victim.process.as_mut().unwrap().kill();
        after.clone()
    });
    let operator = Operator::new(&proxy.url, &story.sample.name, export);
    let (mut deaths, mut is_begun) = (0, false);
    loop {
        {
            let mut begins = victim.lock().unwrap();
            *begins = Victim { process: None, calls: 0, dies_at: 1 + deaths * step };
            begins.process = Some(operator.begin(is_begun));
        }
        // Waited for apart: whoever waits holds the victim that is to be killed.
        let status = loop {
            if let Some(status) = victim.lock().unwrap().process.as_mut().unwrap().try_wait().unwrap() {
                break status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        };
        if status.code().is_some() {
            let output = victim.lock().unwrap().process.take().unwrap().wait_with_output().unwrap();
            let told = said(&output);
            // Killed before its first event was durable, there is no run to go on with.
            if is_begun && (told.contains("start a new run") || told.contains("start one with")) {
                is_begun = false;
                continue;
            }
            assert_eq!(status.code(), Some(0), "after {deaths} deaths: {told}");
            break;
        }
        deaths += 1;
        is_begun = true;
    }
    let when = format!("after {deaths} deaths, {fate:?}");
    let people = story.below("users");
    proxy.script(|_| Fate::Pass);
    assert_eq!(story.differences(&people).await, Vec::<String>::new(), "{when}");
    let there = story.admin.get(&story.at("/users?max=-1")).await;
    assert_eq!(there.as_array().unwrap().len(), PEOPLE, "{when}");
    for at in [0, 7, 199] {
        let name = crate::sample::people::username(at);
        assert_eq!(story.id_of(&name).await, story.sample.id(&format!("user {at}")), "{when}");
    }
    deaths
}

#[tokio::test(flavor = "multi_thread")]
async fn rekindle_killed_at_any_write_of_a_restore_of_two_hundred_resumes_to_the_same_end() {
    let (story, proxy) = Story::behind_a_proxy("killed-write", PEOPLE).await;
    let export = server().export("killed-write", "50");
    for fate in [Fate::CutBefore, Fate::CutAfter] {
        let deaths = killed_again_and_again(&story, &proxy, export.path(), 1, Asked::writes, fate).await;
        assert!(deaths >= 3, "killed {deaths} times");
        println!("{deaths} deaths");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rekindle_killed_at_any_call_of_a_restore_of_two_hundred_resumes_to_the_same_end() {
    let (story, proxy) = Story::behind_a_proxy("killed-call", PEOPLE).await;
    let export = server().export("killed-call", "50");
    // Each death five calls later than the one before it, where a life is longest while it reads.
    let which = |asked: &Asked| asked.writes() || asked.before.is_multiple_of(8);
    let deaths = killed_again_and_again(&story, &proxy, export.path(), 5, which, Fate::CutAfter).await;
    assert!(deaths >= 4, "killed {deaths} times");
    println!("{deaths} deaths");
}
