//! Children that are programs of asyncio's talk to ours through their standard streams. Without `python3` the tests say that they are skipped.
#![cfg(unix)]

#[path = "support/child.rs"]
mod child;
mod support;

use child::noted;
use support::{Log, run};
use tidings::EventLoop;
use tidings::transport::{Command, command};

/// A program of asyncio's; `None` without Python.
fn peer(function: &str) -> Option<Command> {
    let has_python = std::process::Command::new("python3").arg("-V").output();
    if has_python.is_err() {
        eprintln!("{function} is skipped: there is no `python3`");
        return None;
    }
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer.py");
    Some(command("python3").arg(program).arg(function))
}

#[test]
fn as02_a_child_of_asyncios_answers_through_its_pipes() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let Some(child) = peer("answering_child") else {
        return;
    };
    run(&lp, async {
        let (t, notes) = noted(&lp, &log, child).await?;
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        stdin.write("coffee\n")?;
        log.wait(&lp, "1: COFFEE").await;
        let much = "x".repeat(1 << 20);
        stdin.write(format!("{much}\n"))?;
        stdin.write_eof()?;
        t.wait_closed().await;
        assert_eq!(notes.with(|notes| notes.output.concat())?, "");
        assert!(log.has(&format!("1: {}", much.to_uppercase())));
        Ok(())
    });
    let told = log.take();
    let place = |entry: &str| told.iter().position(|told| told == entry);
    assert!(place("1: eof").is_some() && place("1: eof") < place("1: NoneType"));
    assert!(place("exit code 7").is_some());
    assert_eq!(told.last().map(String::as_str), Some("lost"));
}

#[test]
fn ax27_a_child_of_asyncios_learns_that_we_have_left() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let Some(child) = peer("left_child") else {
        return;
    };
    run(&lp, async {
        let (t, _) = noted(&lp, &log, child).await?;
        log.wait(&lp, "1: ready").await;
        t.pipe(1).ok_or("it is a pipe")?.close();
        t.wait_closed().await;
        Ok(())
    });
    let told = log.take();
    assert!(told.contains(&"2: NoneType".to_owned()), "{told:?}");
    assert!(told.contains(&"exit code 0".to_owned()), "{told:?}");
}
