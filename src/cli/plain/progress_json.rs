use serde_json::json;

use crate::engine::Activity;
use crate::model::{Run, TaskId};

/// What goes on with a task, as JSON beside the events: it has no number, for it is not on record. Sizes are bytes,
/// times milliseconds.
pub fn progress_object(run: &Run, task: TaskId, activity: &Activity) -> Option<serde_json::Value> {
    let mut object = json!({ "event": "progress", "task": task.0, "name": run.name(task) });
    let fields = match activity {
        Activity::Writing(progress) | Activity::ReadingBack(progress) => json!({
            "doing": if matches!(activity, Activity::Writing(_)) { "writing" } else { "reading-back" },
            "files": progress.files,
            "of_files": progress.of_files,
            "bytes": progress.bytes,
            "of_bytes": progress.of_bytes,
            "elapsed": progress.elapsed,
            "bytes_per_second": progress.rate(),
            "left": progress.left(),
        }),
        Activity::Waiting(words) | Activity::Told(words) => json!({ "doing": "waiting", "words": words }),
        Activity::Planning | Activity::Idle => return None,
    };
    if let (Some(object), serde_json::Value::Object(fields)) = (object.as_object_mut(), fields) {
        object.extend(fields);
    }
    Some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Progress;

    #[test]
    fn progress_says_bytes_and_milliseconds_and_no_estimate_that_would_be_a_guess() {
        let run = Run::default();
        let progress =
            Progress { files: 0, bytes: 1_000_000_000, of_files: 1, of_bytes: 2_000_000_000, elapsed: 5_000 };
        let object = progress_object(&run, TaskId(0), &Activity::Writing(progress)).unwrap();
        assert_eq!((object["bytes_per_second"].as_u64(), object["left"].as_u64()), (Some(200_000_000), Some(5_000)));
        let early = Progress { elapsed: 900, ..progress };
        assert!(progress_object(&run, TaskId(0), &Activity::ReadingBack(early)).unwrap()["left"].is_null());
        assert_eq!(progress_object(&run, TaskId(0), &Activity::Planning), None);
    }
}
