//! Runs the programs of `benches/` and writes `benches/RESULTS.md`.

use std::{
    collections::BTreeMap,
    error::Error,
    fmt::{self, Write as _},
    fs,
    process::{Command, Stdio},
};

use crate::cargo::{Cargo, root, target};

/// A ratio of two contestants, and how small it should be.
struct Reach {
    work: &'static str,
    ours: &'static str,
    reference: &'static str,
    /// At most this, or nothing if the ratio is only reported.
    most: Option<f64>,
}

const fn reach(
    work: &'static str,
    ours: &'static str,
    reference: &'static str,
    most: Option<f64>,
) -> Reach {
    Reach {
        work,
        ours,
        reference,
        most,
    }
}

const REACHES: &[Reach] = &[
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
const AWAITED: &[Reach] = &[
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

const QUEUES: &[Reach] = &[
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

/// A row of what the programs print beside the ratios.
type Figure = (&'static str, &'static str, &'static str, Option<f64>);

/// Allocations of an awaited emission, the first one of a bus and each one after it.
const ALLOCATIONS: &[Figure] = &[
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

/// Counted on Linux only.
const IDLE: &[Figure] = &[
    (
        "threads of 1,000 queues that nobody uses",
        "idle threads",
        "",
        Some(0.0),
    ),
    ("their wake-ups in a second", "idle wake-ups", "", Some(0.0)),
];

/// What the programs print beside the ratios: what it is, under which key, its unit, and at most how much it should be.
const FIGURES: &[Figure] = &[
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

const PEERS: &[&str] = &[
    "bevy_ecs",
    "evenio",
    "mod-events",
    "kameo",
    "tokio",
    "crossbeam-channel",
];

/// Measures everything, with fewer samples if the arguments are `--quick`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let quick = match arguments {
        [] => false,
        [argument] if argument == "--quick" => true,
        _ => return Err("usage: cargo xtask bench [--quick]".into()),
    };
    let (processes, rounds, starts, checks) = if quick {
        (1, 300, 20, 3)
    } else {
        (5, 2000, 200, 7)
    };
    Cargo::new("build --profile bench -p tidings-benches --bins").run()?;
    let mut measured = Measured::default();
    // Addresses differ from process to process, and with them the luck of the caches.
    for _ in 0..processes {
        measured.add("dispatch", &rounds.to_string())?;
        measured.add("awaited", &rounds.to_string())?;
        measured.add("queued", &(rounds / 10).to_string())?;
        measured.add("blocked", &(rounds * 5).to_string())?;
    }
    measured.add("idle", "")?;
    measured.add("allocations", "")?;
    measured.add("awaited_allocations", "")?;
    measured.add("counts", "")?;
    measured.add("start", &starts.to_string())?;
    measured.add("compile", &checks.to_string())?;

    let text = page(&measured, processes, rounds)?;
    let path = root().join("benches/RESULTS.md");
    fs::write(&path, &text)?;
    println!("{text}\nwritten to {}", path.display());
    Ok(())
}

/// The lines that the programs printed: a key and its values, one of each process.
#[derive(Default)]
struct Measured {
    values: BTreeMap<String, Vec<f64>>,
    skipped: Vec<String>,
}

impl Measured {
    fn add(&mut self, program: &str, argument: &str) -> Result<(), Box<dyn Error>> {
        println!("    {program} {argument}");
        // Not through `cargo run`: an edit while this runs must not put two states of the code into one page.
        let mut command = Command::new(target().join("release").join(program));
        let output = command
            .args(argument.split_whitespace())
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("`{program} {argument}` ended with {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        for line in text.lines() {
            let (key, value) = line
                .split_once('\t')
                .ok_or_else(|| format!("`{program}` printed `{line}`"))?;
            if key == "skipped" {
                self.skipped.push(format!("{program}: {value}"));
            } else {
                let values = self.values.entry(key.to_owned()).or_default();
                values.push(value.parse()?);
            }
        }
        Ok(())
    }

    /// The middle of the values of one key, the upper one of two.
    fn get(&self, key: &str) -> Result<f64, String> {
        let mut values = self.values.get(key).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        let middle = values.get(values.len() / 2).copied();
        middle.ok_or_else(|| format!("no program printed `{key}`"))
    }

    /// All keys that start with these words, with the rest of the key.
    fn all<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let keys = self.values.keys().filter_map(move |key| {
            let rest = key.strip_prefix(start)?;
            Some((rest, self.get(key).ok()?))
        });
        keys.filter(|(rest, _)| !rest.is_empty())
    }
}

fn page(measured: &Measured, processes: u32, rounds: u32) -> Result<String, Box<dyn Error>> {
    let mut page = String::from("# Results\n\nWritten by `cargo xtask bench`.\n\n");
    machine(&mut page)?;
    writeln!(
        page,
        "\n## Emit\n\nNanoseconds of one call: medians of {processes} processes with {rounds} rounds each. In every round each \
         contestant takes one\nsample in turn, and a ratio is taken inside a round. All listeners do the same: they add to a number of \
         their own.\n`functions` and `closures` are loops over `&[fn(&E)]` and `&[Box<dyn Fn(&E)>]`, `call` is one call of an empty \
         function through a pointer.\n"
    )?;
    ratios(&mut page, measured, REACHES)?;
    page.push_str(
        "\n## Awaited emissions\n\nThe listeners are ready at once. One thread awaits, and runs what a contestant spawns. `tokio spawn` is one task for each\n\
         listener, all joined; of `kameo` the publication and the end of all its actors' handlers.\n\n",
    );
    ratios(&mut page, measured, AWAITED)?;
    page.push_str("\nAllocations of one emission:\n\n");
    figures(&mut page, measured, ALLOCATIONS)?;
    page.push_str(
        "\n## Queues\n\nAn event's share of the time from the first emission to the end of the last delivery, over so many that the queue of 1024 is full\n\
         most of the time; the channel has the same capacity and carries the same `Arc<E>` to one thread that calls the same function.\n\n",
    );
    ratios(&mut page, measured, QUEUES)?;
    if measured.get("idle threads").is_ok() {
        page.push('\n');
        figures(&mut page, measured, IDLE)?;
    }
    columns(&mut page, measured)?;
    page.push_str("\n## Start and compile time\n\n");
    figures(&mut page, measured, FIGURES)?;
    for skipped in &measured.skipped {
        writeln!(page, "\nSkipped: {skipped}.")?;
    }
    Ok(page)
}

fn ratios(page: &mut String, measured: &Measured, rows: &[Reach]) -> Result<(), Box<dyn Error>> {
    page.push_str("| work | reference | its ns | ours, ns | ratio | reach | reached |\n|---|---|--:|--:|--:|--:|---|\n");
    for reach in rows {
        let Reach {
            work,
            ours,
            reference,
            most,
        } = reach;
        let (theirs, nanoseconds) = (
            measured.get(&format!("ns {reference}"))?,
            measured.get(&format!("ns {ours}"))?,
        );
        let ratio = measured.get(&format!("ratio {ours} {reference}"))?;
        let verdict = Verdict(ratio, *most);
        writeln!(
            page,
            "| {work} | {reference} | {theirs:.1} | {nanoseconds:.1} | {ratio:.2} | {verdict} |"
        )?;
    }
    Ok(())
}

fn figures(page: &mut String, measured: &Measured, rows: &[Figure]) -> Result<(), Box<dyn Error>> {
    page.push_str("| what | measured | reach | reached |\n|---|--:|--:|---|\n");
    for (what, key, unit, most) in rows {
        let value = measured.get(key)?;
        let verdict = Verdict(value, *most);
        writeln!(
            page,
            "| {what} | {value:.*} {unit} | {verdict} |",
            digits(unit)
        )?;
    }
    Ok(())
}

/// All contestants with what was counted of them.
fn columns(page: &mut String, measured: &Measured) -> Result<(), Box<dyn Error>> {
    page.push_str(
        "\n## All contestants\n\n| contestant/listeners | ns | instructions | allocations |\n|---|--:|--:|--:|\n",
    );
    for (name, nanoseconds) in measured.all("ns ") {
        let instructions = shown(measured.get(&format!("instructions {name}")));
        let allocations = shown(measured.get(&format!("allocations {name}")));
        writeln!(
            page,
            "| {name} | {nanoseconds:.1} | {instructions} | {allocations} |"
        )?;
    }
    let inline = REACHES.iter().map(|reach| reach.ours);
    let most = inline
        .map(|name| measured.get(&format!("allocations {name}")))
        .try_fold(0.0, |most, count| Ok::<_, String>(f64::max(most, count?)))?;
    let reached = yes(most <= 0.0);
    writeln!(
        page,
        "\nAllocations of `tidings` on the inline path: {most} at most, reach 0, reached: {reached}."
    )?;
    Ok(())
}

/// Instructions are counted per run, and a fraction is the noise of its start.
fn shown(value: Result<f64, String>) -> String {
    value.map_or_else(|_| String::new(), |value| format!("{value:.0}"))
}

fn digits(unit: &str) -> usize {
    match unit {
        "" | "ns" => 0,
        _ => 2,
    }
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "**no**" }
}

/// The last two columns of a row: the reach, and whether it was reached to two digits.
struct Verdict(f64, Option<f64>);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(most) => write!(f, "≤ {most} | {}", yes(self.0 < most + 0.005)),
            None => f.write_str("reported |"),
        }
    }
}

fn machine(page: &mut String) -> Result<(), Box<dyn Error>> {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    writeln!(
        page,
        "- Machine: {model}, {cores} cores, {}",
        line_of("uname", &["-sr"])?
    )?;
    writeln!(page, "- Date: {}", line_of("date", &["-u", "+%F"])?)?;
    writeln!(page, "- Compiler: {}", line_of("rustc", &["--version"])?)?;
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let peers: Vec<_> = PEERS
        .iter()
        .map(|peer| format!("{peer} {}", locked(&lock, peer).unwrap_or("?")))
        .collect();
    writeln!(
        page,
        "- Peers: {}; eventpp and EnTT were not built",
        peers.join(", ")
    )?;
    Ok(())
}

fn line_of(program: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The version of a package in a lock file.
fn locked<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, locked};

    #[test]
    fn a_reach_is_judged_to_two_digits() {
        assert_eq!(Verdict(1.304, Some(1.3)).to_string(), "≤ 1.3 | yes");
        assert_eq!(Verdict(1.31, Some(1.3)).to_string(), "≤ 1.3 | **no**");
        assert_eq!(Verdict(9.0, None).to_string(), "reported |");
    }

    #[test]
    fn a_locked_version_is_found_by_the_whole_name() {
        let lock = "name = \"tokio-util\"\nversion = \"0.7.1\"\n\nname = \"tokio\"\nversion = \"1.54.1\"\n";

        assert_eq!(locked(lock, "tokio"), Some("1.54.1"));
        assert_eq!(locked(lock, "evenio"), None);
    }
}
