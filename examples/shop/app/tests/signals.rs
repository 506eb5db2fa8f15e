//! The shop that is stopped: what was read is delivered or listed, and the exit status names the signal.
#![cfg(unix)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    thread::{self, JoinHandle},
};

use rustix::process::{Pid, Signal, kill_process};

/// Nobody waits as long.
const HOUR: &str = "3600000";

/// A line that the shop names on standard error, so that the test knows how far it came.
const BROKEN: &str = "no purchase\n";

/// A shop at work, which has told the broken line.
struct Shop {
    child: Child,
    /// Gives the pipe back if it stays open, so that the shop waits for more lines.
    feeder: JoinHandle<Option<ChildStdin>>,
    told: BufReader<ChildStderr>,
}

/// What a shop printed, with single spaces.
struct Printed {
    status: Option<i32>,
    page: Vec<String>,
    told: String,
}

impl Shop {
    fn start(arguments: &[&str], input: String) -> Self {
        Self::fed(arguments, input, Some)
    }

    /// A shop whose input ends.
    fn start_with_all(arguments: &[&str], input: String) -> Self {
        Self::fed(arguments, input, |_closed| None)
    }

    fn fed(arguments: &[&str], input: String, keep: fn(ChildStdin) -> Option<ChildStdin>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_shop"))
            .args(arguments)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the shop was built for this test");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let stderr = child.stderr.take().expect("it was asked for");
        let feeder = thread::spawn(move || {
            // The pipe breaks when the shop ends before it has read all.
            let _broken = stdin.write_all(input.as_bytes());
            keep(stdin)
        });
        let mut shop = Self {
            child,
            feeder,
            told: BufReader::new(stderr),
        };
        let first = shop.next_told();
        assert!(first.contains("columns were expected"), "{first}");
        shop
    }

    fn next_told(&mut self) -> String {
        let mut line = String::new();
        self.told
            .read_line(&mut line)
            .expect("the shop prints UTF-8");
        line
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the shop is this test's child");
    }

    fn end(mut self) -> Printed {
        let mut told = String::new();
        self.told
            .read_to_string(&mut told)
            .expect("the shop prints UTF-8");
        let output = self
            .child
            .wait_with_output()
            .expect("the shop ends after the signal");
        // Only now: an end of the input must not be what ends the shop.
        drop(self.feeder.join().expect("the feeder does not panic"));
        let page = String::from_utf8(output.stdout).expect("the shop prints UTF-8");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        Printed {
            status: output.status.code(),
            page: page.lines().map(words).collect(),
            told,
        }
    }
}

impl Printed {
    /// The number before or after these words.
    #[track_caller]
    fn number(&self, start: &str, end: &str) -> u64 {
        let number = self.page.iter().find_map(|line| {
            let line = line.strip_prefix(start)?.trim();
            let number = if end.is_empty() {
                line
            } else {
                line.split(end)
                    .next()?
                    .rsplit(' ')
                    .find(|word| !word.is_empty())?
            };
            number.replace(',', "").parse().ok()
        });
        number.unwrap_or_else(|| panic!("no number of {start:?} {end:?} in {:#?}", self.page))
    }

    #[track_caller]
    fn assert_has(&self, line: &str) {
        let has = self.page.iter().any(|printed| printed == line);
        assert!(has, "no line {line:?} in {:#?}", self.page);
    }

    /// Whatever the moment of the signal: what was read is in the ledger, and what is not delivered is listed.
    #[track_caller]
    fn assert_agrees(&self) {
        let purchases = self.number("purchases", "");
        let rejected = self.number("rejected", "");
        assert_eq!(purchases + rejected, self.number("events", ""));
        assert_eq!(
            purchases,
            self.number("lines written", "") + self.number("still to write", "")
        );
        assert_eq!(
            self.number("still to write", ""),
            self.number("ledger.statement", " left")
        );
        self.assert_has("in order yes");

        let large = self.number("orders above $250.00", "");
        let loyal = self.number("customers who became loyal", "");
        for (queue, messages) in [("notifier.large_order", large), ("notifier.loyal", loyal)] {
            let ends = [" delivered", " failed", " refused", " left"];
            let told: u64 = ends.map(|end| self.number(queue, end)).iter().sum();
            assert_eq!(told, messages, "{queue}: {:#?}", self.page);
        }
        let offered = self.number("queued", "") + self.number("failed", "");
        assert_eq!(offered, purchases + large, "{:#?}", self.page);
    }
}

/// Thirty large orders of different customers, then the broken line.
fn orders() -> String {
    let mut orders = String::new();
    for customer in 1..=30 {
        orders += &["0", "1 19970101 9 300.00\n"].join(&customer.to_string());
    }
    orders + BROKEN
}

#[test]
fn ctrl_c_and_sigterm_deliver_what_was_read_and_are_the_exit_status() {
    for (signal, status, name) in [(Signal::INT, 130, "Ctrl-C"), (Signal::TERM, 143, "SIGTERM")] {
        let shop = Shop::start(&["--grace", HOUR], orders());

        shop.send(signal);
        let printed = shop.end();

        assert_eq!(printed.status, Some(status), "{}", printed.told);
        printed.assert_agrees();
        printed.assert_has("purchases 30");
        printed.assert_has("everything was delivered");
        printed.assert_has(&format!("by {name} after line 31"));
    }
}

#[test]
fn what_is_left_when_the_time_is_over_is_listed() {
    let shop = Shop::start(&["--latency", HOUR, "--grace", "100"], orders());

    shop.send(Signal::INT);
    let printed = shop.end();

    assert_eq!(printed.status, Some(130), "{}", printed.told);
    printed.assert_agrees();
    assert_eq!(printed.number("notifier.large_order", " left"), 30);
    printed.assert_has("not delivered:");
    let left = "notifier.large_order: 14 waiting, 16 in flight, the oldest for ";
    let listed = printed.page.iter().any(|line| line.starts_with(left));
    assert!(listed, "{:#?}", printed.page);
}

#[test]
fn a_second_signal_ends_the_shop_at_once() {
    let mut shop = Shop::start(&["--latency", HOUR, "--grace", HOUR], orders());

    shop.send(Signal::INT);
    let told = shop.next_told();
    assert!(told.contains("once more ends at once"), "{told}");
    shop.send(Signal::TERM);
    let printed = shop.end();

    assert_eq!(printed.status, Some(143), "{}", printed.told);
    assert_eq!(printed.page, [""; 0]);
}

#[test]
fn a_line_that_waits_for_room_is_given_up_with_the_rest() {
    // 16 messages are under way and 256 wait, so one of the orders after the broken line waits for room.
    let order = "1 1 19970101 9 300.00\n";
    let input = order.repeat(272) + BROKEN + &order.repeat(28);
    let shop = Shop::start(&["--latency", HOUR, "--grace", "100"], input);

    shop.send(Signal::INT);
    let printed = shop.end();

    assert_eq!(printed.status, Some(130), "{}", printed.told);
    let read = printed.number("purchases", "");
    let refused = printed.number("failed", "");
    assert!((272..=273).contains(&read), "{:#?}", printed.page);
    assert_eq!(refused, read - 272, "{:#?}", printed.page);
    assert_eq!(printed.number("notifier.large_order", " left"), 272);
    assert_eq!(printed.number("lines written", ""), read);
}

#[test]
fn a_replay_that_is_stopped_waits_for_no_other_day() {
    let next_year = "31 19980101 9 300.00\n".to_owned();
    let shop = Shop::start_with_all(
        &[
            "--replay",
            "1year=1year",
            "--latency",
            HOUR,
            "--grace",
            "100",
        ],
        next_year + &orders(),
    );

    shop.send(Signal::INT);
    let printed = shop.end();

    assert_eq!(printed.status, Some(130), "{}", printed.told);
    printed.assert_agrees();
    printed.assert_has("by Ctrl-C after line 32");
    // The first day may come before the signal or not.
    let to_come = printed.number("still to come", "");
    assert!((1..=31).contains(&to_come), "{:#?}", printed.page);
    assert_eq!(printed.number("purchases", "") + to_come, 31);
}

#[test]
fn the_counts_agree_in_the_middle_of_a_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/CDNOW_master.txt");
    let master = fs::read_to_string(path).expect("the file comes with the shop");
    let mut lines: Vec<_> = master.lines().collect();
    lines.insert(lines.len() / 4, BROKEN.trim_end());
    let shop = Shop::start(&[], lines.join("\n"));

    shop.send(Signal::INT);
    let printed = shop.end();

    assert_eq!(printed.status, Some(130), "{}", printed.told);
    printed.assert_agrees();
    printed.assert_has("everything was delivered");
    assert_eq!(printed.number("rejected", ""), 1);
}
