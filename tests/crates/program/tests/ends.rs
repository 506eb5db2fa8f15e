//! How programs end by themselves.

use std::process::{Command, Output};

struct Ended {
    code: Option<i32>,
    printed: Vec<String>,
    told: String,
}

fn run(program: &str, arguments: &[&str]) -> Ended {
    let output = Command::new(program).args(arguments).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it was built for this test");
    let printed = String::from_utf8_lossy(&stdout);
    Ended {
        code: status.code(),
        printed: printed.lines().map(str::to_owned).collect(),
        told: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

const FAIL: &str = env!("CARGO_BIN_EXE_fail");

#[test]
fn what_main_began_is_delivered_and_tasks_are_asked_to_end() {
    let mut ended = run(env!("CARGO_BIN_EXE_deliver"), &[]);
    assert_eq!(ended.printed.last().map(String::as_str), Some("tidied up"));
    // The queue has a thread of its own.
    ended.printed.sort();
    assert_eq!(
        ended.printed,
        ["confirmed 7", "main is over", "shipped 1", "tidied up"]
    );
    assert!(ended.told.contains("no 7 here"), "{}", ended.told);
    assert_eq!(ended.code, Some(0));
}

const DELIVERED: [&str; 4] = ["shipped 1", "shipped 2", "shipped 3", "tidied up"];

#[test]
fn a_stop_while_the_program_ends_loses_nothing() {
    for by in ["loop", "remote"] {
        let ended = run(env!("CARGO_BIN_EXE_drain"), &[by]);
        assert_eq!(ended.printed, DELIVERED, "{by}");
        assert_eq!((ended.code, &*ended.told), (Some(0), ""), "{by}");
    }
}

#[test]
fn a_fatal_error_while_the_program_ends_loses_nothing_and_is_its_error() {
    let ended = run(env!("CARGO_BIN_EXE_drain"), &["fatal"]);
    assert_eq!(ended.printed, DELIVERED);
    assert_eq!(ended.told, "Error: the disk is gone\n");
    assert_eq!(ended.code, Some(1));
}

#[test]
fn the_exit_code_is_that_of_main() {
    let ended = run(FAIL, &[]);
    assert_eq!((ended.code, &*ended.told), (Some(0), ""));
    let ended = run(FAIL, &["code"]);
    assert_eq!((ended.code, &*ended.told), (Some(7), ""));
    assert_eq!(ended.printed, ["noted"]);
}

#[test]
fn an_error_of_main_is_printed_after_a_clean_end() {
    let ended = run(FAIL, &["error"]);
    assert_eq!(ended.told, "Error: \"out of stock\"\n");
    assert_eq!(ended.printed, ["noted"]);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn a_panic_of_main_goes_on_after_a_clean_end() {
    let ended = run(FAIL, &["panic"]);
    assert!(ended.told.contains("the roof"), "{}", ended.told);
    assert_eq!(ended.printed, ["noted"]);
    assert_eq!(ended.code, Some(101));
}

#[test]
fn a_fatal_error_of_the_loop_ends_main() {
    let ended = run(FAIL, &["fatal"]);
    assert_eq!(ended.told, "Error: the disk is gone\n");
    assert_eq!(ended.printed, ["noted"]);
    assert_eq!(ended.code, Some(1));
}

#[cfg(unix)]
#[test]
fn a_main_that_a_signal_ended_has_its_exit_code() {
    let ended = run(FAIL, &["terminate"]);
    assert_eq!((ended.code, &*ended.told), (Some(143), ""));
    assert_eq!(ended.printed, ["noted"]);
}

#[test]
fn a_stop_asks_main_to_end_as_a_signal_does() {
    let ended = run(FAIL, &["stop later"]);
    assert_eq!((ended.code, &*ended.told), (Some(7), ""));
    assert_eq!(ended.printed, ["noted"]);
    let ended = run(FAIL, &["stop"]);
    assert_eq!(
        ended.told,
        "Error: `stop()` ended the program before its `main` had; await `cancelled()` in it to clean up\n"
    );
    assert_eq!(ended.printed, ["noted"]);
    assert_eq!(ended.code, Some(1));
}

#[cfg(unix)]
#[test]
fn a_listener_of_signals_that_stops_the_loop_takes_nothing_from_main() {
    let heard = env!("CARGO_BIN_EXE_heard");
    let ended = run(heard, &[]);
    assert_eq!((ended.code, &*ended.told), (Some(0), ""));
    assert_eq!(
        ended.printed,
        ["tidied up: SIGTERM asked the program to end"]
    );
    let ended = run(heard, &["deaf"]);
    assert_eq!((ended.code, &*ended.told), (Some(143), ""));
}

#[test]
fn a_bus_that_cannot_be_built_says_everything_and_main_is_not_called() {
    let ended = run(env!("CARGO_BIN_EXE_broken"), &[]);
    assert!(
        ended
            .told
            .starts_with("Error: the bus cannot be built: 2 problems\n"),
        "{}",
        ended.told
    );
    assert!(
        ended.told.contains("Shelf") && ended.told.contains("Lorry"),
        "{}",
        ended.told
    );
    assert_eq!(ended.printed, Vec::<String>::new());
    assert_eq!(ended.code, Some(1));
}
