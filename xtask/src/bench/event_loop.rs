//! The rows about event loops.

use super::table::{Figure, Reach, reach};

/// With the other loops of Rust.
pub(super) const LOOPS: &[Reach] = &[
    reach(
        "callback, queued and called",
        "tidings call_soon",
        "calloop call_soon",
        None,
    ),
    reach("timer set", "tidings insert", "calloop insert", Some(1.0)),
    reach(
        "timer put off, 1e5 live",
        "tidings reset",
        "tokio reset",
        None,
    ),
    reach(
        "task started and joined, 1e5 at a time",
        "tidings join",
        "tokio join",
        Some(0.5),
    ),
    reach(
        "the same, 1000 at a time",
        "tidings join in groups",
        "tokio join in groups",
        Some(0.5),
    ),
    reach(
        "task started and joined, 1e5 at a time",
        "tidings join",
        "calloop spawn",
        None,
    ),
    reach(
        "1000 tasks that yield",
        "tidings yields",
        "tokio yields",
        None,
    ),
    reach(
        "callback from another thread",
        "tidings threadsafe",
        "calloop threadsafe",
        None,
    ),
];

/// With those of Python.
pub(super) const PYTHON: &[Reach] = &[
    reach(
        "callback, queued and called",
        "tidings call_soon",
        "uvloop call_soon",
        Some(0.05),
    ),
    reach(
        "callback, queued and called",
        "tidings call_soon",
        "asyncio call_soon",
        Some(0.05),
    ),
    reach(
        "the same, with something captured",
        "tidings call_soon captured",
        "uvloop call_soon",
        None,
    ),
    reach(
        "one callback a turn",
        "tidings chain",
        "uvloop chain",
        Some(1.0),
    ),
    reach(
        "one callback a turn",
        "tidings chain",
        "asyncio chain",
        Some(1.0),
    ),
    reach("timer set", "tidings insert", "uvloop insert", Some(1.0)),
    reach("timer set", "tidings insert", "asyncio insert", Some(1.0)),
    reach(
        "timer taken back and set, 1e5 live",
        "tidings churn",
        "uvloop churn",
        Some(1.0),
    ),
    reach(
        "timer taken back and set, 1e5 live",
        "tidings churn",
        "asyncio churn",
        Some(1.0),
    ),
    reach(
        "task started and joined, 1e5 at a time",
        "tidings join",
        "uvloop join",
        Some(1.0),
    ),
    reach(
        "task started and joined, 1e5 at a time",
        "tidings join",
        "asyncio join",
        Some(1.0),
    ),
    reach(
        "1000 tasks that yield",
        "tidings yields",
        "uvloop yields",
        Some(1.0),
    ),
    reach(
        "1000 tasks that yield",
        "tidings yields",
        "asyncio yields",
        Some(1.0),
    ),
    reach(
        "promise with a callback",
        "tidings promise",
        "uvloop promise",
        Some(1.0),
    ),
    reach(
        "promise with a callback",
        "tidings promise",
        "asyncio promise",
        Some(1.0),
    ),
    reach(
        "callback from another thread",
        "tidings threadsafe",
        "uvloop threadsafe",
        Some(1.0),
    ),
    reach(
        "callback from another thread",
        "tidings threadsafe",
        "asyncio threadsafe",
        Some(1.0),
    ),
];

/// What an item takes, whatever it takes elsewhere.
pub(super) const TIMES: &[Figure] = &[
    (
        "callback, queued and called",
        "ns tidings call_soon",
        "ns",
        Some(40.0),
    ),
    ("timer set", "ns tidings insert", "ns", Some(50.0)),
    (
        "timer taken back and set, 1e5 live",
        "ns tidings churn",
        "ns",
        Some(60.0),
    ),
    (
        "one of 1e6 timers, set and fired on a virtual clock",
        "ns tidings fire",
        "ns",
        Some(1000.0),
    ),
];

/// Counted on Linux only.
pub(super) const IDLE: &[Figure] = &[(
    "wake-ups of a loop with 1e5 timers in a second",
    "idle loop wake-ups",
    "",
    Some(0.0),
)];
