use super::{Event, Known, Pass, TaskStatus};

/// The one transition table: what a task becomes by an event, or nothing where that is illegal.
pub(super) fn next_status(now: TaskStatus, pass: Pass, event: &Event) -> Option<TaskStatus> {
    use TaskStatus as S;
    let back = |pass: Pass| if pass == Pass::Undo { S::Done } else { S::Ready };
    match (now, event) {
        (S::Ready | S::Review, Event::Planned { pass: Pass::Restore, .. }) if pass == Pass::Restore => Some(S::Review),
        (S::Review, Event::Planned { pass: Pass::Undo, .. }) if pass == Pass::Undo => Some(S::Review),
        (S::Ready | S::Review, Event::Unchanged { .. }) if pass == Pass::Restore => Some(S::Unchanged),
        (S::Review, Event::Unchanged { .. }) => Some(S::Undone),
        (S::Review | S::Unchanged | S::Undone, Event::Warned { .. }) => Some(now),
        (S::Review, Event::Decided { .. }) => Some(S::Review),
        (S::Review, Event::Approved { .. }) => Some(S::Approved),
        (S::Approved, Event::Voided { .. }) => Some(if pass == Pass::Undo { S::Review } else { S::Ready }),
        // An undo that is let go: the fold knows what was before.
        (S::Review, Event::Voided { .. }) => Some(back(pass)),
        (S::Approved, Event::Intent { .. }) => Some(S::Applying),
        (S::Applying, Event::UnderWay { .. }) => Some(S::Applying),
        (
            S::Applying,
            Event::Outcome { known: Known::Applied, problem: None, .. } | Event::Settled { known: Known::Applied, .. },
        )
        | (S::Unknown, Event::Settled { known: Known::Applied, .. }) => {
            Some(if pass == Pass::Undo { S::Undone } else { S::Done })
        }
        (S::Applying, Event::Outcome { known: Known::Unknown, .. }) => Some(S::Unknown),
        // Looked at once more, it may be as unknown as before.
        (S::Applying | S::Unknown, Event::Settled { known: Known::Unknown, .. }) => Some(S::Unknown),
        (S::Applying, Event::Outcome { .. }) => Some(S::Failed),
        // The approval was used up by the intent; what was not applied is planned again under
        // the same digest or reviewed again.
        (S::Applying, Event::Settled { known: Known::NotApplied, .. }) => Some(S::Approved),
        (S::Unknown, Event::Settled { known: Known::NotApplied, .. }) => Some(S::Failed),
        (S::Ready | S::Review | S::Approved, Event::Failed { .. }) => Some(S::Failed),
        (S::Ready, Event::Answered { answer, .. }) => Some(if answer.holds { S::Done } else { S::Failed }),
        (S::Failed | S::Unknown | S::Skipped | S::Undone, Event::Retried { .. }) => {
            Some(if pass == Pass::Undo && matches!(now, S::Failed | S::Unknown) { S::Review } else { S::Ready })
        }
        (S::Waiting | S::Ready | S::Review | S::Approved | S::Failed | S::Unknown, Event::Skipped { .. }) => {
            Some(S::Skipped)
        }
        (
            S::Waiting | S::Ready | S::Done | S::Failed | S::Unknown | S::Unchanged | S::Skipped,
            Event::UndoAsked { .. },
        ) => Some(S::Review),
        // What an earlier attempt left is undone instead of restored.
        (S::Review | S::Approved, Event::UndoAsked { .. }) if pass == Pass::Restore => Some(S::Review),
        _ => None,
    }
}
