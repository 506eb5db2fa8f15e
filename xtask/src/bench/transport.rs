//! The tables about connections.

use std::error::Error;
use std::fmt::Write as _;

use super::measured::Measured;
use super::table::{Figure, Reach, reach, yes};

/// KiB of a message, and connections.
const CASES: &[(u32, u32)] = &[
    (1, 1),
    (1, 10),
    (1, 100),
    (10, 1),
    (10, 10),
    (10, 100),
    (100, 1),
    (100, 10),
    (100, 100),
];

pub(super) const WIRE: &[Reach] = &[reach(
    "event from process to process",
    "wire tidings",
    "wire by hand",
    Some(1.3),
)];

pub(super) const CROWDS: &[Figure] = &[
    (
        "wake-ups of a server with 1,000 idle connections in a second",
        "echo idle wake-ups",
        "",
        Some(0.0),
    ),
    (
        "descriptors left by 20,000 short connections",
        "echo short descriptors",
        "",
        Some(0.0),
    ),
    (
        "memory left by 20,000 short connections, after 2,000",
        "echo short memory",
        "KiB",
        Some(256.0),
    ),
    (
        "most memory of a server that echoes a GiB to a slow reader",
        "echo slow memory",
        "MiB",
        Some(16.0),
    ),
];

/// What a message takes of a server's processor time.
pub(super) fn echo(page: &mut String, measured: &Measured) -> Result<(), Box<dyn Error>> {
    page.push_str(
        "| KiB | connections | user: ours | uvloop | asyncio | all: ours | tokio | uvloop | asyncio | of tokio | of uvloop | reached |\n\
         |--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for (size, connections) in CASES {
        let of = |what: &str, who: &str| {
            measured.get(&format!("echo {what} {size} KiB/{connections} {who}"))
        };
        let (user, total, tokio) = (
            of("user", "tidings")?,
            of("total", "tidings")?,
            of("total", "tokio")?,
        );
        let python = |what: &str, who: &str| of(what, who).ok();
        let uvloop = python("total", "uvloop");
        let mut reached = total / tokio < 1.255 && (*size > 1 || user < 1.05);
        if let Some(theirs) = uvloop {
            let most = if *size > 1 { 1.1 } else { 1.0 };
            reached &= total / theirs < most + 0.005;
        }
        for who in ["uvloop", "asyncio"] {
            reached &= python("user", who).is_none_or(|theirs| user <= theirs);
        }
        let shown =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.1}"));
        writeln!(
            page,
            "| {size} | {connections} | {user:.1} | {} | {} | {total:.1} | {tokio:.1} | {} | {} | {:.2} | {} | {} |",
            shown(python("user", "uvloop")),
            shown(python("user", "asyncio")),
            shown(uvloop),
            shown(python("total", "asyncio")),
            total / tokio,
            uvloop.map_or_else(String::new, |theirs| format!("{:.2}", total / theirs)),
            verdict(reached, uvloop.is_some()),
        )?;
    }
    page.push_str(
        "\nReaches: 1 µs of user time at 1 KiB, and less than either Python loop; in all 1.25 times tokio, and uvloop's at 1 KiB, 1.1 times that above.\n",
    );
    syscalls(page, measured)
}

fn verdict(reached: bool, has_python: bool) -> String {
    let without = if has_python { "" } else { ", Python aside" };
    format!("{}{without}", yes(reached))
}

/// The same with TLS, by ten connections.
pub(super) fn tls(page: &mut String, measured: &Measured) -> Result<(), Box<dyn Error>> {
    page.push_str(
        "| KiB | ours | tokio-rustls | ratio | reach | reached |\n|--:|--:|--:|--:|---|---|\n",
    );
    for size in [1, 10, 100] {
        let of = |who: &str| measured.get(&format!("echo total {size} KiB/10 {who}"));
        let (ours, theirs) = (of("tidings TLS")?, of("tokio-rustls")?);
        let ratio = ours / theirs;
        writeln!(
            page,
            "| {size} | {ours:.1} | {theirs:.1} | {ratio:.2} | ≤ 1.25 | {} |",
            yes(ratio < 1.255)
        )?;
    }
    Ok(())
}

/// If they could be counted.
fn syscalls(page: &mut String, measured: &Measured) -> Result<(), Box<dyn Error>> {
    let count = |who: &str| measured.get(&format!("echo syscalls {who}"));
    let (Ok(ours), Ok(tokio)) = (count("tidings"), count("tokio")) else {
        return Ok(());
    };
    write!(
        page,
        "\nSystem calls of a message of 1 KiB on ten connections: {ours:.2}, of tokio {tokio:.2}"
    )?;
    for who in ["uvloop", "asyncio"] {
        if let Ok(theirs) = count(who) {
            write!(page, ", of {who} {theirs:.2}")?;
        }
    }
    writeln!(
        page,
        "; reach: tokio's, reached: {}.",
        yes(ours < tokio + 0.05)
    )?;
    Ok(())
}
