//! Programs that are told to stop from outside (AL45).
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

struct Program {
    child: Child,
    printed: BufReader<ChildStdout>,
}

impl Program {
    /// Waits until it can be told.
    fn start(program: &str, argument: &str) -> Self {
        let mut command = Command::new(program);
        command.arg(argument).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it was built for this test");
        let printed = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut program = Self { child, printed };
        assert_eq!(program.line(), "ready\n");
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.printed.read_line(&mut line);
        read.expect("the program prints UTF-8");
        line
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is this test's child");
    }

    fn end(mut self) -> (String, ExitStatus) {
        let mut rest = String::new();
        let read = self.printed.read_to_string(&mut rest);
        read.expect("the program prints UTF-8");
        (rest, self.child.wait().expect("it was started"))
    }
}

const STOP: &str = env!("CARGO_BIN_EXE_stop");

#[test]
fn al45_the_first_ctrl_c_drops_a_main_that_does_not_listen() {
    let program = Program::start(STOP, "");
    program.send(Signal::INT);
    let (printed, end) = program.end();
    assert_eq!(printed, "heard SIGINT\nmain was dropped\n");
    assert_eq!(end.code(), Some(130));
}

#[test]
fn al45_a_main_that_listens_has_its_grace_and_its_own_exit_code() {
    let program = Program::start(STOP, "tidy");
    program.send(Signal::TERM);
    let (printed, end) = program.end();
    assert_eq!(printed, "heard SIGTERM\ntidied up\nmain was dropped\n");
    assert_eq!(end.code(), Some(0));
}

#[test]
fn al45_a_main_that_takes_too_long_is_dropped_after_the_grace() {
    let program = Program::start(STOP, "dawdle");
    program.send(Signal::TERM);
    let (printed, end) = program.end();
    assert_eq!(printed, "heard SIGTERM\nasked\nmain was dropped\n");
    assert_eq!(end.code(), Some(143));
}

#[test]
fn al45_the_second_ctrl_c_is_fatal_at_once_also_for_a_loop_that_is_stuck() {
    let mut program = Program::start(STOP, "stuck");
    program.send(Signal::INT);
    assert_eq!(program.line(), "heard SIGINT\n");
    assert_eq!(program.line(), "asked\n");
    program.send(Signal::INT);
    let (printed, end) = program.end();
    assert_eq!(printed, "");
    assert_eq!(end.signal(), Some(Signal::INT.as_raw()));
}

#[test]
fn al45_another_signal_is_a_second_one_too() {
    let mut program = Program::start(STOP, "stuck");
    program.send(Signal::INT);
    assert_eq!(program.line(), "heard SIGINT\n");
    assert_eq!(program.line(), "asked\n");
    program.send(Signal::TERM);
    let (_, end) = program.end();
    assert_eq!(end.signal(), Some(Signal::TERM.as_raw()));
}

#[test]
fn al45_a_plain_main_that_runs_the_loop_is_stopped_and_goes_on() {
    let program = Program::start(env!("CARGO_BIN_EXE_host"), "");
    program.send(Signal::INT);
    let (printed, end) = program.end();
    let mut lines: Vec<_> = printed.lines().collect();
    // The queue has a thread of its own.
    lines.sort_unstable();
    assert_eq!(lines, ["heard SIGINT", "stopped"]);
    assert_eq!(end.code(), Some(0));
}
