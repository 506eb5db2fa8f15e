//! The shop as its user runs it: the built program, its output and its exit status.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The lines of the sample's totals, which are published with the data.
const SAMPLE: [&str; 4] = [
    "purchases 6,919",
    "customers 2,357",
    "CDs 16,479",
    "dollars $244,091.94",
];
const MASTER: [&str; 4] = [
    "purchases 69,659",
    "customers 23,570",
    "CDs 167,881",
    "dollars $2,500,315.63",
];

fn shop() -> Command {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    // The data is found from anywhere.
    shop.current_dir(std::env::temp_dir());
    shop
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../data")
        .join(name)
}

fn run(arguments: &[&str]) -> Output {
    shop()
        .args(arguments)
        .output()
        .expect("the shop was built for this test")
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = shop()
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the shop was built for this test");
    let mut stdin = child
        .stdin
        .take()
        .expect("standard input is a pipe because it was asked for");
    stdin
        .write_all(input)
        .expect("the shop reads all of its input");
    drop(stdin);
    child
        .wait_with_output()
        .expect("the shop ends with its input")
}

/// What was printed, with single spaces, so that the tests name values and not the width of columns.
fn lines(stream: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(stream).expect("the shop prints UTF-8");
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[track_caller]
fn assert_prints(output: &Output, status: i32, expected: &[&str]) {
    let printed = lines(&output.stdout);
    for line in expected {
        assert!(
            printed.iter().any(|printed| printed == line),
            "no line {line:?} in {printed:#?}"
        );
    }
    assert_eq!(
        output.status.code(),
        Some(status),
        "{:?}",
        lines(&output.stderr)
    );
}

#[test]
fn the_sample_gives_the_published_totals_to_the_cent() {
    let output = run(&[]);

    assert_prints(&output, 0, &SAMPLE);
    assert_eq!(lines(&output.stderr), [""; 0]);
}

#[test]
fn the_whole_report_of_the_sample_is_as_recorded() {
    let output = run(&[]);

    let printed = String::from_utf8(output.stdout).expect("the shop prints UTF-8");
    let (report, _) = printed
        .split_once("\nThis run\n")
        .expect("the run's figures come last");
    let recorded = include_str!("sample.txt");
    assert_eq!(
        report.lines().collect::<Vec<_>>(),
        recorded.lines().collect::<Vec<_>>()
    );
}

#[test]
fn the_figures_of_the_run_are_the_sum_of_its_reports() {
    let output = run(&[]);

    // Every purchase reaches four listeners at once and one in a queue. Two with a condition skip all but the 23 large orders: one
    // at once, one in a queue.
    assert_prints(
        &output,
        0,
        &[
            "events 6,919",
            "deliveries 27,699",
            "skipped 13,792",
            "queued 6,942",
            "failed 0",
            "rejected 0",
        ],
    );
}

#[test]
fn the_master_file_in_its_own_layout_gives_its_published_totals() {
    let path = data("CDNOW_master.txt");

    let output = run(&[path.to_str().expect("the folder of the sources is UTF-8")]);

    assert_prints(&output, 0, &MASTER);
}

#[test]
fn every_statement_is_written_in_the_order_of_the_purchases() {
    for (name, purchases) in [
        ("CDNOW_sample.txt", "6,919"),
        ("CDNOW_master.txt", "69,659"),
    ] {
        let path = data(name);

        let output = run(&[path.to_str().expect("the folder of the sources is UTF-8")]);

        let written = format!("lines written {purchases}");
        assert_prints(&output, 0, &[&written, "still to write 0", "in order yes"]);
    }
}

#[test]
fn one_seed_has_one_output_and_another_seed_another() {
    let notifier = |seed| {
        let output = run(&["--seed", seed]);
        let printed = lines(&output.stdout);
        let first = printed.iter().position(|line| line == "Notifier");
        let last = printed.iter().position(|line| line == "Alerts");
        let (first, last) = first.zip(last).expect("both sections are printed");
        (output.status.code(), printed[first..last].to_vec())
    };

    let seventh = notifier("7");
    assert_eq!(notifier("7"), seventh);
    assert_ne!(notifier("8"), seventh);
    assert_eq!(seventh.0, Some(0));
}

/// What was printed before the figures of the run, which tell how long it took.
#[track_caller]
fn report(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(
        (output.status.code(), lines(&output.stderr)),
        (Some(0), Vec::new()),
        "{arguments:?}"
    );
    let printed = String::from_utf8(output.stdout).expect("the shop prints UTF-8");
    let (report, figures) = printed
        .split_once("\nThis run\n")
        .expect("the run's figures come last");
    let counts = figures
        .split_once("time ")
        .expect("the time comes after the counts");
    [report, counts.0].concat()
}

#[test]
fn a_replay_of_the_sample_prints_what_the_plain_run_prints() {
    let plain = report(&[]);

    for replay in ["virtual", "1year=1s"] {
        assert_eq!(report(&["--replay", replay]), plain, "{replay}");
    }
}

#[test]
fn a_replay_of_the_master_file_prints_what_the_plain_run_prints() {
    let path = data("CDNOW_master.txt");
    let path = path.to_str().expect("the folder of the sources is UTF-8");

    assert_eq!(report(&["--replay", "virtual", path]), report(&[path]));
}

#[test]
fn a_replay_waits_for_room_in_the_queues() {
    // More large orders on one day than the notifier has places and workers for.
    let orders = "1 1 19970101 9 300.00\n".repeat(1000);
    for replay in ["virtual", "1year=1ms"] {
        let output = run_with_input(&["--latency", "1", "--replay", replay], orders.as_bytes());

        assert_prints(&output, 0, &["purchases 1,000", "queued 2,000", "failed 0"]);
    }
}

#[test]
fn a_replay_tells_broken_lines_and_needs_purchases() {
    let broken = b"no purchase\n00021 0002 19970118  1   11.77\n";

    let output = run_with_input(&["--replay", "virtual"], broken);

    assert_prints(&output, 1, &["purchases 1", "rejected 1"]);
    let output = run_with_input(&["--replay", "virtual"], b"\n");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        lines(&output.stderr),
        ["shop: standard input holds no purchases"]
    );
}

#[test]
fn standard_input_is_read_as_a_file_is() {
    let sample = std::fs::read(data("CDNOW_sample.txt")).expect("the sample comes with the shop");

    let output = run_with_input(&[], &sample);

    assert_prints(&output, 0, &SAMPLE);
    assert_prints(&output, 0, &["Purchases of standard input"]);
}

#[test]
fn broken_lines_are_told_and_the_others_counted_once() {
    let input = b"\
         00004 0001 19970101  2   29.33\r\n\
         00004 0001 19971301  2   29.73\r\n\
         00004 0001 19970230  1   14.96\r\n\
         \r\n\
         00004 0001 19971212  x   26.48\r\n\
         00021 0002 19970101  3  -63.34\r\n\
         00021 0002 19970101  3\r\n\
         \xff\xfe\r\n\
         00021 19970118  1   11.77\r\n\
         00021 0002 19970118  99999999999  11.77\r\n\
         00021 0002 19970118  1   11.77";

    let output = run_with_input(&[], input);

    assert_prints(
        &output,
        1,
        &[
            "purchases 2",
            "customers 2",
            "CDs 3",
            "dollars $41.10",
            "rejected 8",
        ],
    );
    assert_eq!(
        lines(&output.stderr),
        [
            r#"shop: line 2: date "19971301" is not in the calendar"#,
            r#"shop: line 3: date "19970230" is not in the calendar"#,
            r#"shop: line 5: number of CDs "x" is not a number"#,
            r#"shop: line 6: dollars "-63.34" is negative"#,
            "shop: line 7: 4 columns in a file of 5: a column is wrong or two layouts are mixed",
            "shop: line 8: the line is not UTF-8",
            "shop: line 9: 4 columns in a file of 5: a column is wrong or two layouts are mixed",
            r#"shop: line 10: number of CDs "99999999999" is too large"#,
        ],
    );
}

#[test]
fn a_missing_file_is_named_with_the_reason() {
    let output = run(&["no-such-purchases.txt"]);

    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stdout), [""; 0]);
    let told = lines(&output.stderr);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("shop: cannot open no-such-purchases.txt: "),
        "{told:?}"
    );
}

#[test]
fn an_input_without_purchases_is_no_report_of_zeros() {
    for input in [
        "",
        "\n\n",
        "customer_id date number_of_cds dollar_value\r\n",
    ] {
        let output = run_with_input(&[], input.as_bytes());

        assert_eq!(output.status.code(), Some(2));
        assert_eq!(lines(&output.stdout), [""; 0]);
        assert_eq!(
            lines(&output.stderr),
            ["shop: standard input holds no purchases"]
        );
    }
}

#[test]
fn what_the_command_line_cannot_mean_is_refused() {
    for arguments in [
        ["a", "b"].as_slice(),
        &["--fast"],
        &["--seed"],
        &["--seed", "lucky"],
        &["--replay"],
        &["--replay", "1year=10"],
    ] {
        let output = run(arguments);

        assert_eq!(output.status.code(), Some(2));
        assert!(lines(&output.stderr).contains(&"usage: shop [OPTION]... [PATH]".into()));
    }
}

#[test]
fn a_replay_that_is_none_is_refused_with_the_reason() {
    for (value, reason) in [
        (
            "soon",
            "a span of the calendar and its time were expected, 1year=10s for example, or virtual",
        ),
        (
            "1=10s",
            r#""1" has no unit, which is one of ms, s, min, h, day, week, month or year"#,
        ),
        (
            "1age=10s",
            r#""age" is no unit, which is one of ms, s, min, h, day, week, month or year"#,
        ),
        ("1year=0s", r#""0s" is no time at all"#),
    ] {
        let output = run(&["--replay", value]);

        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            lines(&output.stderr)[0],
            format!(r#"shop: "--replay" cannot be "{value}": {reason}"#)
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_written_is_a_failure() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has /dev/full");

    let output = shop()
        .stdout(full)
        .output()
        .expect("the shop was built for this test");

    assert_eq!(output.status.code(), Some(1));
    let told = lines(&output.stderr).join("\n");
    assert!(told.contains("tidings: ledger.totals ("), "{told}");
}
