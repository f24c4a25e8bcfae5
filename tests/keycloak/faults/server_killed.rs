use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::proxy::Fate;
use super::*;
use crate::keycloak::{Admin, Server};
use crate::sample::Sample;

const PEOPLE: usize = 300;

/// A server of its own: nobody else may be using it. What the killed server had begun is rolled back by its database
/// or was done; nobody is told which.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_a_restore_and_started_again_ends_with_everybody_once() {
    let server = Arc::new(Server::start());
    let admin = Admin::new(&server);
    let sample = Sample::new("killed", PEOPLE);
    sample.make(&admin).await;
    let export = server.export("killed", "50");
    let everybody = admin.get("/killed/users?max=-1").await;
    for user in everybody.as_array().unwrap() {
        let path = format!("/killed/users/{}", user["id"].as_str().unwrap());
        assert_eq!(admin.call(reqwest::Method::DELETE, &path, None).await.0, 204);
    }
    let proxy = Proxy::before(server.port);
    let is_killed = Arc::new(AtomicBool::new(false));
    let (killing, killed) = (Arc::clone(&server), Arc::clone(&is_killed));
    proxy.script(move |asked| {
        // While four imports are under way.
        if asked.writes() && asked.before == 6 && !killed.swap(true, Ordering::SeqCst) {
            let killing = Arc::clone(&killing);
            std::thread::spawn(move || {
                std::thread::sleep(std::time::Duration::from_millis(15));
                killing.kill();
            });
        }
        Fate::Pass
    });
    let operator = Operator::new(&proxy.url, "killed", export.path());
    let run = operator.run();
    assert!(is_killed.load(Ordering::SeqCst));
    assert_ne!(run.status.code(), Some(0), "{}", said(&run));
    assert!(said(&run).contains("rekindle resume"), "{}", said(&run));
    server.start_again();
    let resume = operator.resume();
    assert_eq!(resume.status.code(), Some(0), "{}", said(&resume));
    operator.has_nothing_left("after the resume");
    let there = Admin::new(&server).get("/killed/users?max=-1").await;
    assert_eq!(there.as_array().unwrap().len(), PEOPLE);
    assert!(Admin::new(&server).logs_in("killed", "user-00299", crate::sample::people::PASSWORD).await);
}
