use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;

use super::answer::Failed;
use super::hold::Hold;
use super::Http;
use crate::components::keycloak::canonical::HOLDER;
use crate::model::{Error, ErrorKind, Known, Result, TargetHolder, visible};

/// A look is trusted for so long. Who takes a realm from somebody waits as long, so that no change of the former holder
/// begins after the first of the next.
const TRUST: Duration = Duration::from_millis(250);
/// What was begun is ended, so that nobody is left half written; unless so much time has passed that the process must
/// have slept, or the server was away.
const ASLEEP: Duration = Duration::from_secs(10);
/// Whoever saves a whole realm brings back the name that was in it when they read it.
const TRIES: usize = 3;

/// This session's right to write to the realm, against the sessions of all machines: its name in an attribute of the
/// realm. The server knows no conditional write, so the name is written, read again, and looked at before each change.
#[derive(Default)]
pub(super) struct Fence(Mutex<State>);

#[derive(Default)]
struct State {
    right: Right,
    /// An operator's decision to take the realm over is good for one time.
    took_over: bool,
}

#[derive(Default)]
enum Right {
    /// It was never asked for, and nobody looks.
    #[default]
    Unasked,
    Held(Held),
    /// Somebody else's, or nobody's, now.
    Lost(Option<Hold>),
    LetGo,
}

struct Held {
    hold: Hold,
    /// `None`: not yet, for the realm is not there.
    looked: Option<Instant>,
    /// Not where the login may not write the realm's attributes: then others' names are honoured, and that is all.
    is_placed: bool,
}

impl Http {
    pub async fn is_free(&self, holder: &TargetHolder) -> Result<()> {
        let found = self.get_maybe("", &[]).await?.as_ref().and_then(Hold::of);
        match found.filter(|found| found.holder != *holder && !holder.succeeds(&found.holder)) {
            Some(found) => Err(self.held_by(&found)),
            None => Ok(()),
        }
    }

    /// Answers from whom it was taken, or why it cannot be held.
    pub async fn hold(&self, holder: &TargetHolder, takes_over: bool) -> Result<Option<String>> {
        let mut state = self.fence.0.lock().await;
        if matches!(state.right, Right::Held(_)) {
            return self.look(&mut state.right, TRUST).await.map(|()| None);
        }
        let mut taken_from = None;
        for _ in 0..TRIES {
            let held = |epoch, looked| Held { hold: Hold { epoch, holder: holder.clone() }, looked, is_placed: true };
            let looked = Instant::now();
            let Some(realm) = self.get_maybe("", &[]).await? else {
                state.right = Right::Held(held(1, None));
                return Ok(None);
            };
            let found = Hold::of(&realm);
            let epoch = found.as_ref().map_or(1, |found| found.epoch.saturating_add(1));
            if let Some(found) = found {
                if found.holder == *holder {
                    state.took_over |= taken_from.is_some();
                    state.right = Right::Held(held(found.epoch, Some(looked)));
                    return Ok(taken_from);
                }
                if !holder.succeeds(&found.holder) {
                    if !takes_over || state.took_over {
                        return Err(self.held_by(&found));
                    }
                    let realm = visible(&self.config.realm);
                    let from = found.holder.words();
                    taken_from = Some(format!("--take-over: {} took the realm {realm} from {from}", holder.by));
                }
            }
            let held = held(epoch, Some(looked));
            match self.put(&realm, Some(&held.hold)).await {
                Err(error) if error.kind() == ErrorKind::Denied && taken_from.is_none() => {
                    state.right = Right::Held(Held { is_placed: false, ..held });
                    return Ok(Some(self.not_held()));
                }
                Err(error) if error.effect() != Known::Unknown => return Err(error),
                _ => {}
            }
            if taken_from.is_some() {
                tokio::time::sleep(TRUST).await;
            }
        }
        Err(Error::new(ErrorKind::Conflict, self.doing(), format!("its attribute {HOLDER} changes all the time"))
            .next("find out who else changes the realm, then retry this task"))
    }

    /// Before a change: whether the realm is still this session's.
    pub async fn still_held(&self) -> Result<()> {
        self.look(&mut self.fence.0.lock().await.right, TRUST).await
    }

    /// Before each call that writes.
    pub(super) async fn not_overslept(&self) -> Result<(), Failed> {
        Ok(self.look(&mut self.fence.0.lock().await.right, ASLEEP).await?)
    }

    /// What is to be said of each change, where others are not kept out.
    pub async fn unfenced(&self) -> Option<String> {
        match &self.fence.0.lock().await.right {
            Right::Held(Held { is_placed: false, .. }) => Some(self.not_held()),
            _ => None,
        }
    }

    /// For a realm that is about to be made: it is born with the name in it.
    pub async fn with_holder(&self, realm: Value) -> Value {
        match &self.fence.0.lock().await.right {
            Right::Held(held) => Hold::laid_over(&realm, Some(&held.hold)),
            _ => realm,
        }
    }

    /// The session has ended: its name goes, if it is there, and nothing more is written.
    pub async fn let_go(&self) -> Result<()> {
        let mut state = self.fence.0.lock().await;
        if let Right::Held(held) = std::mem::replace(&mut state.right, Right::LetGo) {
            return self.take_away(|found| found.holder == held.hold.holder).await;
        }
        Ok(())
    }

    /// The name of any session of that run, which a kill has left there.
    pub async fn release(&self, run: &str) -> Result<()> {
        self.take_away(|found| found.holder.run == run).await
    }

    async fn take_away(&self, is_own: impl Fn(&Hold) -> bool) -> Result<()> {
        let Some(realm) = self.get_maybe("", &[]).await? else { return Ok(()) };
        match Hold::of(&realm).filter(is_own) {
            Some(_) => self.put(&realm, None).await,
            None => Ok(()),
        }
    }

    async fn look(&self, right: &mut Right, trust: Duration) -> Result<()> {
        let held = match right {
            Right::Unasked => return Ok(()),
            Right::LetGo => return Err(Error::new(ErrorKind::Cancelled, self.doing(), "this session has ended")),
            Right::Lost(Some(found)) => return Err(self.held_by(found)),
            Right::Lost(None) => return Err(self.gone()),
            Right::Held(held) => held,
        };
        for _ in 0..TRIES {
            if held.looked.is_some_and(|looked| looked.elapsed() < trust) {
                return Ok(());
            }
            let looked = Instant::now();
            // A realm that was removed, or is not made yet, is nobody's.
            let Some(realm) = self.get_maybe("", &[]).await? else { return Ok(()) };
            let found = Hold::of(&realm);
            let is_ours = match &found {
                Some(found) => {
                    let of_this_run = !held.is_placed && held.hold.holder.succeeds(&found.holder);
                    found.holder == held.hold.holder || of_this_run
                }
                None => !held.is_placed,
            };
            if is_ours {
                held.looked = Some(looked);
                return Ok(());
            }
            if !held.is_placed || found.as_ref().is_none_or(|found| found.epoch >= held.hold.epoch) {
                let lost = found.as_ref().map_or_else(|| self.gone(), |found| self.held_by(found));
                *right = Right::Lost(found);
                return Err(lost);
            }
            self.put(&realm, Some(&held.hold)).await?;
        }
        Err(self.gone())
    }

    async fn put(&self, realm: &Value, hold: Option<&Hold>) -> Result<()> {
        let mut body = Hold::laid_over(realm, hold);
        body.as_object_mut().and_then(|fields| fields.remove("id"));
        let url = self.url("");
        let attempt = || self.once(Method::PUT, &url, &[], Some(&body));
        let put = self.patience.ending(attempt, Failed::was_not_taken).await;
        put.map(|_| ()).map_err(Failed::into_error)
    }

    fn doing(&self) -> String {
        format!("write to the realm {}", visible(&self.config.realm))
    }

    fn held_by(&self, found: &Hold) -> Error {
        let why = format!("it is held by {}", found.holder.words());
        Error::new(ErrorKind::Held, self.doing(), why).next(
            "wait until that run has ended, then go on; or go on with --take-over, which refuses that run's next write",
        )
    }

    fn gone(&self) -> Error {
        let why = format!("its attribute {HOLDER}, which held it for this run, is gone: another run took it and has ended, or somebody set it back");
        Error::new(ErrorKind::Held, self.doing(), why)
            .next("find out who else changes the realm, then go on: it is taken anew")
    }

    fn not_held(&self) -> String {
        let realm = visible(&self.config.realm);
        format!("the realm {realm} could not be held: this login may not change it, so no other machine is kept out")
    }
}
