//! The rows about the start of a program and its build.

use super::table::Figure;

/// What the programs print beside the ratios: what it is, under which key, its unit, and at most how much it should be.
pub(super) const START: &[Figure] = &[
    ("start, bare program", "start bare ms", "ms", None),
    (
        "start, 10,000 listeners over 500 events",
        "start listeners ms",
        "ms",
        None,
    ),
    (
        "start, what the listeners add",
        "start more ms",
        "ms",
        Some(3.0),
    ),
    (
        "`Bus::builder().build()`, for each listener",
        "start build ns",
        "ns",
        Some(200.0),
    ),
    (
        "`cargo check`, 1,000 plain functions",
        "check plain s",
        "s",
        None,
    ),
    (
        "`cargo check`, 1,000 listeners over 50 events",
        "check annotated s",
        "s",
        None,
    ),
    (
        "`cargo check`, what the attributes add",
        "check more s",
        "s",
        Some(0.8),
    ),
    (
        "clean debug build of `tidings`, elapsed",
        "clean wall s",
        "s",
        None,
    ),
    (
        "clean debug build of `tidings`, processor time",
        "clean cpu s",
        "s",
        None,
    ),
    (
        "crates in that build, `tidings` and its own two included",
        "clean crates",
        "",
        None,
    ),
];
