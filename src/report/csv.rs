use super::{Report, Round};

impl Report {
    /// One line a task under one heading, as RFC 4180: for a spreadsheet.
    pub fn csv(&self) -> String {
        let heading = [
            "step",
            "owner",
            "status",
            "create",
            "update",
            "delete",
            "hunks",
            "delete_hunks",
            "approved_by",
            "approved_at",
            "ended_at",
            "why",
            "left_out",
        ];
        let mut text = heading.join(",");
        text.push_str("\r\n");
        for task in &self.tasks {
            let round = task.rounds.last();
            let count = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
            let approved = round.and_then(|round| round.approved.as_ref());
            let outcome = round.and_then(|round| round.outcome.as_ref());
            let why = task.problem.as_ref().map(|problem| problem.what.as_str()).or(task.skipped.as_deref());
            let cells = [
                task.step.clone(),
                task.owner.clone().unwrap_or_default(),
                task.status.word().to_owned(),
                count(round.map(|round| round.counts.create)),
                count(round.map(|round| round.counts.update)),
                count(round.map(|round| round.counts.delete)),
                count(round.map(|round| round.counts.hunks)),
                count(round.map(|round| round.counts.delete_hunks)),
                approved.map(|approved| approved.by.clone()).unwrap_or_default(),
                approved.map(|approved| approved.at.clone()).unwrap_or_default(),
                outcome.map(|outcome| outcome.at.clone()).unwrap_or_default(),
                why.unwrap_or_default().to_owned(),
                count(round.map(left_out)),
            ];
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

/// Hunks that the operator left out.
fn left_out(round: &Round) -> u32 {
    let hunks = round.changes.iter().flat_map(|change| &change.hunks);
    u32::try_from(hunks.filter(|hunk| !hunk.taken).count()).unwrap_or(u32::MAX)
}

/// A spreadsheet takes a cell that begins with one of these for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn quoted(cell: &str) -> String {
    let harmless = if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() };
    match harmless.contains([',', '"', '\n', '\r', ';']) {
        true => format!("\"{}\"", harmless.replace('"', "\"\"")),
        false => harmless,
    }
}
