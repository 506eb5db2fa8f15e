//! The rows about queues.

use super::table::{Figure, Reach, reach};

pub(super) const QUEUES: &[Reach] = &[
    reach(
        "queue with one worker thread",
        "tidings queue/1",
        "crossbeam channel/1",
        Some(1.3),
    ),
    reach(
        "99 of 100 deliveries, one other listener blocked",
        "tidings p99 beside a blocked listener",
        "tidings p99",
        Some(2.0),
    ),
];

/// Counted on Linux only.
pub(super) const IDLE: &[Figure] = &[
    (
        "threads of 1,000 queues that nobody uses",
        "idle threads",
        "",
        Some(0.0),
    ),
    ("their wake-ups in a second", "idle wake-ups", "", Some(0.0)),
];
