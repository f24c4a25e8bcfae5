//! The built binary under faults: killed, out of space, with broken disks, backups and neighbours.
//! Needs root, strace and restic, as the test command has them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod backups;
mod disks;
mod facts;
mod imported;
mod kills;
mod later;
mod mounted;
mod neighbours;
#[path = "../support/nodes.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod nodes;
#[cfg(feature = "failpoints")]
mod points;
mod records;
mod sandbox;

use sandbox::{Sandbox, same};

#[test]
fn an_undisturbed_run_restores_and_its_undo_brings_the_former_state_back() {
    let sandbox = Sandbox::new();
    let former = sandbox.live().but_directory_times();
    sandbox.run().exits(0);
    sandbox.rekindle(&["plan", "runbook.yaml"]).exits(0);
    sandbox.undo().exits(0);
    same(&sandbox.live().but_directory_times(), &former, "after the undo");
}
