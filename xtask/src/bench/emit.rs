//! The rows about emissions and their listeners.

use super::table::{Figure, Reach, reach};

pub(super) const EMIT: &[Reach] = &[
    reach("10 listeners", "tidings/10", "functions/10", Some(1.3)),
    reach("1 listener", "tidings/1", "functions/1", Some(3.0)),
    reach("1 listener", "tidings/1", "bevy_ecs/1", Some(0.2)),
    reach("1 listener", "tidings/1", "evenio/1", Some(0.333)),
    reach("nobody", "tidings/0", "call/0", Some(1.0)),
    reach(
        "10 listeners with state",
        "tidings with state/10",
        "closures/10",
        Some(1.3),
    ),
    reach("10 listeners", "tidings/10", "bevy_ecs/10", Some(1.0)),
    reach("10 listeners", "tidings/10", "evenio/10", Some(1.0)),
    reach("10 listeners", "tidings/10", "mod-events/10", Some(1.0)),
    reach(
        "10 listeners",
        "tidings/10",
        "tokio broadcast/10",
        Some(1.0),
    ),
    reach("10 listeners", "tidings/10", "locked map/10", Some(1.0)),
    reach(
        "generic event, 1 listener",
        "tidings generic/1",
        "functions/1",
        None,
    ),
    reach(
        "1 subscription",
        "tidings subscription/1",
        "functions/1",
        None,
    ),
    reach(
        "free `emit`, 1 listener",
        "tidings free/1",
        "functions/1",
        None,
    ),
    reach(
        "free `emit`, 10 listeners",
        "tidings free/10",
        "functions/10",
        None,
    ),
];

/// Emissions that are awaited.
pub(super) const AWAITED: &[Reach] = &[
    reach(
        "1 async listener",
        "tidings in task/1",
        "mod-events async/1",
        Some(1.0),
    ),
    reach(
        "1 async listener",
        "tidings in task/1",
        "tokio spawn/1",
        Some(1.0),
    ),
    reach(
        "1 async listener",
        "tidings in task/1",
        "kameo/1",
        Some(1.0),
    ),
    reach(
        "10 async listeners",
        "tidings in task/10",
        "mod-events async/10",
        Some(1.0),
    ),
    reach(
        "10 async listeners",
        "tidings in task/10",
        "tokio spawn/10",
        Some(1.0),
    ),
    reach(
        "10 async listeners",
        "tidings in task/10",
        "kameo/10",
        Some(1.0),
    ),
    reach(
        "1, on the runtime",
        "tidings on tokio/1",
        "mod-events async/1",
        Some(1.0),
    ),
    reach(
        "1, on the runtime",
        "tidings on tokio/1",
        "tokio spawn/1",
        Some(1.0),
    ),
    reach(
        "1, on the runtime",
        "tidings on tokio/1",
        "kameo/1",
        Some(1.0),
    ),
    reach(
        "10, on the runtime",
        "tidings on tokio/10",
        "mod-events async/10",
        Some(1.0),
    ),
    reach(
        "10, on the runtime",
        "tidings on tokio/10",
        "tokio spawn/10",
        Some(1.0),
    ),
    reach(
        "10, on the runtime",
        "tidings on tokio/10",
        "kameo/10",
        Some(1.0),
    ),
];

/// Allocations of an awaited emission, the first one of a bus and each one after it.
pub(super) const ALLOCATIONS: &[Figure] = &[
    (
        "1 listener, first",
        "first allocations tidings in task/1",
        "",
        Some(3.0),
    ),
    ("1 listener", "allocations tidings in task/1", "", Some(2.0)),
    (
        "10 listeners, first",
        "first allocations tidings in task/10",
        "",
        Some(12.0),
    ),
    (
        "10 listeners",
        "allocations tidings in task/10",
        "",
        Some(2.0),
    ),
    (
        "1 listener on the runtime, first",
        "first allocations tidings on tokio/1",
        "",
        Some(3.0),
    ),
    (
        "1 listener on the runtime",
        "allocations tidings on tokio/1",
        "",
        Some(2.0),
    ),
    (
        "10 listeners on the runtime, first",
        "first allocations tidings on tokio/10",
        "",
        Some(12.0),
    ),
    (
        "10 listeners on the runtime",
        "allocations tidings on tokio/10",
        "",
        Some(2.0),
    ),
];
