use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::remark;
use crate::model::visible;

/// Says on stderr what is waited for while systems are opened or a plan is made: nothing else tells of it then. Ends
/// with its life, for a run's own notices tell of what comes after.
#[derive(Default)]
pub struct Waits(Mutex<Vec<AbortHandle>>);

impl Waits {
    pub fn tell_of(&self, name: &str, told: watch::Receiver<Option<String>>) {
        let telling = tokio::spawn(tell(name.to_owned(), told));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(telling.abort_handle());
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let telling = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        telling.iter().for_each(AbortHandle::abort);
    }
}

/// Once for each time that the system is away.
async fn tell(name: String, mut told: watch::Receiver<Option<String>>) {
    let mut is_told = false;
    while told.changed().await.is_ok() {
        let words = told.borrow_and_update().clone();
        match words {
            Some(words) if !is_told => {
                remark(&line(&name, &words));
                is_told = true;
            }
            Some(_) => {}
            None => is_told = false,
        }
    }
}

/// What is said of a wait, wherever it is said in lines.
pub fn line(name: &str, words: &str) -> String {
    format!("waiting for {}: {}", visible(name), visible(words))
}
