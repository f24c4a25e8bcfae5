//! The same work twice: with the engine, and by hand in a plain loop of the same calls.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rekindle::component::Approved;
use rekindle::engine::Notice;
use rekindle::journal::{Journal, RunFolder, StateFolder, fold};
use rekindle::model::{ApprovalPolicy, Change, Location, Op, Result, TaskStatus};
use rekindle::reader::Wanted;

use super::no_ledger::NoLedger;
use super::one_step::new_session;
use super::place::Place;

/// Seconds from the run's beginning until every task is done.
pub async fn with_engine(place: &Place, id: &str) -> f64 {
    let state = StateFolder::at(place.root.join("state"));
    let script = place.script();
    let header = script.header(id, place.users()).await;
    let began = Instant::now();
    let policy = ApprovalPolicy::Yes { deletes: false, irreversible: false };
    let session = new_session(script, &state, id, policy);
    let engine = session.begin(header);
    let mut notices = engine.subscribe();
    while !matches!(notices.recv().await.unwrap(), Notice::Idle) {}
    let took = began.elapsed().as_secs_f64();
    let mut notices = engine.subscribe();
    let Some(Notice::Snapshot(run)) = notices.recv().await else { panic!("no snapshot") };
    let done = run.tasks.iter().filter(|task| task.status == TaskStatus::Done).count();
    assert_eq!(done, place.tasks as usize, "{:?}", run.problems.iter().next());
    drop(engine);
    while !matches!(notices.recv().await, Some(Notice::Stopped { .. }) | None) {}
    took
}

/// Opens a run as `resume` does.
pub fn resume(root: &Path, id: &str, tasks: u32) {
    let folder = RunFolder::open(&StateFolder::at(root.join("state")), id).unwrap();
    let opened = Journal::open_writer(&folder, 0).unwrap();
    let (run, finding) = fold(&opened.events);
    assert_eq!(finding, None);
    assert_eq!(run.tasks.len(), tasks as usize);
}

/// Seconds for listing, reading, checking, writing and reading back, as many batches side by side as the
/// component's limits say, reads and writes together, read ahead as the engine does; nothing is planned, hashed, recorded or kept.
pub async fn by_hand(place: &Place) -> f64 {
    let limits = place.component.limits();
    let began = Instant::now();
    let (batches, planned) = (async_channel(), async_channel());
    let users: Vec<u32> = (0..place.tasks).collect();
    for batch in users.chunks(limits.batch) {
        batches.0.send(batch.iter().map(|user| place.scope(*user)).collect::<Vec<_>>()).unwrap();
    }
    drop(batches.0);
    let waiting = Arc::new(tokio::sync::Semaphore::new(2 * limits.parallel));
    let (planned, queue) = planned;
    let turns = Arc::new(tokio::sync::Semaphore::new(limits.parallel));
    let mut workers = Vec::new();
    for _ in 0..limits.parallel {
        let (source, component) = (place.source.clone(), place.component.clone());
        let (batches, planned, waiting) = (batches.1.clone(), planned.clone(), waiting.clone());
        let calls = turns.clone();
        workers.push(tokio::spawn(async move {
            while let Some(scopes) = { batches.lock().await.recv().await } {
                let room = waiting.clone().acquire_owned().await.unwrap();
                let listed = source.list(&scopes).await;
                let listed: Vec<_> = listed.into_iter().flat_map(Result::unwrap).collect();
                let live: Vec<_> = listed.iter().map(|location| Location::of(&location.id)).collect();
                let (desired, live) = {
                    let (listed, live) = (Wanted::alone(&listed), Wanted::alone(&live));
                    tokio::join!(source.read(&listed), in_turn(&calls, component.read(&live)))
                };
                let approved: Vec<Approved> = desired.into_iter().zip(live).map(approved).collect();
                in_turn(&calls, component.check(&approved))
                    .await
                    .into_iter()
                    .for_each(|checked| drop(checked.unwrap()));
                planned.send((approved, room)).unwrap();
            }
        }));
        let (component, planned, calls) = (place.component.clone(), queue.clone(), turns.clone());
        workers.push(tokio::spawn(async move {
            while let Some((approved, room)) = { planned.lock().await.recv().await } {
                drop(room);
                in_turn(&calls, component.identity()).await.unwrap();
                let written = in_turn(&calls, component.write(&approved, &NoLedger)).await;
                written.into_iter().for_each(|written| drop(written.unwrap()));
                let locations: Vec<_> = approved.iter().map(|one| Location::of(&one.change.id)).collect();
                for (now, wanted) in
                    in_turn(&calls, component.read(&Wanted::alone(&locations))).await.into_iter().zip(&approved)
                {
                    let value = |resource: &rekindle::model::Resource| resource.document().unwrap().value.clone();
                    assert_eq!(value(&now.unwrap().unwrap()), value(wanted.expected.as_ref().unwrap()));
                }
            }
        }));
    }
    drop(planned);
    for worker in workers {
        worker.await.unwrap();
    }
    began.elapsed().as_secs_f64()
}

async fn in_turn<T>(calls: &tokio::sync::Semaphore, call: impl Future<Output = T>) -> T {
    let _turn = calls.acquire().await.unwrap();
    call.await
}

type Channel<T> =
    (tokio::sync::mpsc::UnboundedSender<T>, Arc<tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<T>>>);

fn async_channel<T>() -> Channel<T> {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (sender, Arc::new(tokio::sync::Mutex::new(receiver)))
}

type Read = Result<Option<rekindle::model::Resource>>;

fn approved((desired, live): (Read, Read)) -> Approved {
    let (desired, live) = (desired.unwrap().unwrap(), live.unwrap().unwrap());
    let fingerprint = |resource: &rekindle::model::Resource| resource.document().unwrap().fingerprint();
    let change = Change {
        id: live.id.clone(),
        op: Op::Update,
        before: fingerprint(&live),
        after: fingerprint(&desired),
        hunks: Vec::new(),
        warnings: Vec::new(),
        unreadable: Vec::new(),
        file: None,
        is_foretold: false,
    };
    Approved {
        run: "plain".into(),
        change: Arc::new(change),
        left_out: Default::default(),
        live: Some(live),
        expected: Some(desired.clone()),
        desired: Some(desired),
    }
}
