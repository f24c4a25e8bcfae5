use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Http;
use super::answer::Failed;
use super::hold::Hold;
use crate::component::Maker;
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
/// Who may read a realm's export, which every plan needs, may write that attribute.
#[derive(Default)]
pub(super) struct Fence(Mutex<State>);

#[derive(Default)]
struct State {
    right: Right,
    /// When the realm was seen to be this session's. It is not while the realm is not there.
    seen: Option<Instant>,
    /// An operator's decision to take the realm over is good for one time.
    is_decision_used: bool,
}

#[derive(Clone, Default)]
enum Right {
    /// It was never asked for, and nobody looks.
    #[default]
    Unasked,
    /// The same, and a session of this run that was killed has left its name.
    LeftBehind(Hold),
    Held(Hold),
    /// Somebody else's, or nobody's, now.
    Lost(Option<Hold>),
    LetGo,
}

impl Http {
    pub async fn is_free(&self, holder: &TargetHolder) -> Result<()> {
        let mut state = self.fence.0.lock().await;
        match self.get_maybe("", &[]).await?.as_ref().and_then(Hold::of) {
            Some(found) if found.holder == *holder => Ok(()),
            Some(found) if holder.succeeds(&found.holder) => {
                if matches!(state.right, Right::Unasked) {
                    state.right = Right::LeftBehind(found);
                }
                Ok(())
            }
            Some(found) => Err(self.held_by(&found)),
            None => Ok(()),
        }
    }

    /// Answers from whom it was taken.
    pub async fn hold(&self, holder: &TargetHolder, takes_over: bool) -> Result<Option<String>> {
        let mut state = self.fence.0.lock().await;
        if matches!(state.right, Right::Held(_)) {
            return self.look(&mut state).await.map(|()| None);
        }
        let mut taken_from = None;
        for _ in 0..TRIES {
            let seen = Instant::now();
            let hold = |epoch, made| Hold { epoch, holder: holder.clone(), made };
            let Some(realm) = self.get_maybe("", &[]).await? else {
                (state.right, state.seen) = (Right::Held(hold(1, false)), None);
                return Ok(None);
            };
            let found = Hold::of(&realm);
            if let Some(found) = found.as_ref().filter(|found| found.holder == *holder) {
                let right = Right::Held(found.clone());
                *state = State { right, seen: Some(seen), is_decision_used: state.is_decision_used || takes_over };
                return Ok(taken_from);
            }
            if let Some(found) = found.as_ref().filter(|found| !holder.succeeds(&found.holder)) {
                if !takes_over || state.is_decision_used {
                    return Err(self.held_by(found));
                }
                let (by, realm, from) = (&holder.by, visible(&self.config.realm), found.holder.words());
                taken_from = Some(format!("--take-over: {by} took the realm {realm} from {from}"));
            }
            let made = found.as_ref().is_some_and(|found| found.has_made(&holder.run));
            let epoch = found.map_or(1, |found| found.epoch.saturating_add(1));
            match self.put(&realm, Some(&hold(epoch, made))).await {
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
        self.look(&mut *self.fence.0.lock().await).await
    }

    /// Before each call that writes: a change that was begun is ended, though the realm is somebody else's since.
    pub(super) async fn not_overslept(&self) -> Result<(), Failed> {
        let mut state = self.fence.0.lock().await;
        match state.seen {
            Some(seen) if seen.elapsed() < ASLEEP => Ok(()),
            _ => Ok(self.look(&mut state).await?),
        }
    }

    /// For a realm that is about to be made: it is born with the name in it.
    pub async fn with_holder(&self, realm: Value) -> Value {
        match &self.fence.0.lock().await.right {
            Right::Held(hold) => Hold::laid_over(&realm, Some(&Hold { made: true, ..hold.clone() })),
            _ => realm,
        }
    }

    /// Who made the realm that is there, where one of this id was wanted: one that a run makes is born with the run's
    /// name. Without that name nobody can tell, for the id alone is in every copy of the backup.
    pub async fn maker(&self, run: &str, id: Option<&str>) -> Result<Maker> {
        let Some(realm) = self.get_maybe("", &[]).await? else { return Ok(Maker::Unsaid) };
        let found = realm.get("id").and_then(Value::as_str);
        if let Some(wanted) = id.filter(|wanted| found != Some(*wanted)) {
            let name = visible(&self.config.realm);
            let (found, wanted) = (visible(found.unwrap_or("none")), visible(wanted));
            let what = format!(
                "the realm {name} that is there is another one, which this run did not make: its id is {found}, and \
                 {wanted} was approved"
            );
            return Ok(Maker::Another { what });
        }
        Ok(match Hold::of(&realm) {
            Some(hold) if hold.has_made(run) => Maker::ThisRun,
            _ => Maker::Unsaid,
        })
    }

    /// The session has ended: its name goes, if it is there, and no change is begun any more. So does the one of a
    /// killed session, which may have had nothing left to do but this.
    pub async fn let_go(&self) -> Result<()> {
        let mut state = self.fence.0.lock().await;
        let (Right::Held(hold) | Right::LeftBehind(hold)) = state.right.clone() else { return Ok(()) };
        state.right = Right::LetGo;
        self.take_away(|found| found.holder == hold.holder).await
    }

    /// The name of any session of that run, which a kill has left there.
    pub async fn release(&self, run: &str) -> Result<()> {
        self.take_away(|found| found.holder.run == run).await
    }

    async fn take_away(&self, is_own: impl Fn(&Hold) -> bool) -> Result<()> {
        let mut unsure = Ok(());
        for _ in 0..TRIES {
            let Some(realm) = self.get_maybe("", &[]).await? else { return Ok(()) };
            if !Hold::of(&realm).is_some_and(|found| is_own(&found)) {
                return Ok(());
            }
            unsure = self.put(&realm, None).await;
            if unsure.as_ref().is_err_and(|error| error.effect() != Known::Unknown) {
                break;
            }
        }
        unsure
    }

    async fn look(&self, state: &mut State) -> Result<()> {
        let hold = match &state.right {
            Right::Unasked | Right::LeftBehind(_) => return Ok(()),
            Right::LetGo => return Err(Error::new(ErrorKind::Cancelled, self.doing(), "this session has ended")),
            Right::Lost(to) => return Err(self.lost(to.as_ref())),
            Right::Held(hold) => hold.clone(),
        };
        if state.seen.is_some_and(|seen| seen.elapsed() < TRUST) {
            return Ok(());
        }
        for _ in 0..TRIES {
            let seen = Instant::now();
            // A realm that was removed, or is not made yet, is nobody's.
            let Some(realm) = self.get_maybe("", &[]).await? else { return Ok(()) };
            match Hold::of(&realm) {
                Some(found) if found.holder == hold.holder => {
                    state.seen = Some(seen);
                    return Ok(());
                }
                // Brought back by whoever saved the realm as it was before.
                Some(found) if found.epoch < hold.epoch => {
                    let put = self.put(&realm, Some(&hold)).await;
                    put.map_err(|error| error.known(Known::NotApplied))?;
                }
                found => {
                    let error = self.lost(found.as_ref());
                    state.right = Right::Lost(found);
                    return Err(error);
                }
            }
        }
        Err(self.gone())
    }

    fn lost(&self, to: Option<&Hold>) -> Error {
        to.map_or_else(|| self.gone(), |found| self.held_by(found))
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
            "wait until that run has ended, or resume it where it ran if it was killed, then go on; or go on with \
             --take-over, which refuses that run's next write",
        )
    }

    fn gone(&self) -> Error {
        let why = format!(
            "its attribute {HOLDER}, which held it for this run, is gone: another run took it and has ended, or somebody set it back"
        );
        Error::new(ErrorKind::Held, self.doing(), why)
            .next("find out who else changes the realm, then go on: it is taken anew")
    }
}
