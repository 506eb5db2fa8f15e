//! The streams of child processes: pipes with their marks, files, and protocols that are exchanged.
#![cfg(unix)]

#[path = "support/child.rs"]
mod child;
mod support;

use std::fs::File;
use std::io::Read;

use child::{Notes, noted};
use support::{Log, Outcome, run};
use tidings::transport::{
    ExitStatus, PID, PIPE, ProcessExited, Stdio, Transport, WriteLimits, WriteState, command,
    process, process_with, shell,
};
use tidings::{EventLoop, protocol};

#[test]
fn as06_only_streams_that_are_pipes_are_there() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let few = command("cat").stdout(Stdio::Null).stderr(Stdio::Inherit);
        let (t, _) = noted(&lp, &log, few).await?;
        let there = [-1, 0, 1, 2, 3].map(|fd| t.pipe(fd).is_some());
        assert_eq!(there, [false, true, false, false, false]);
        assert_eq!(t.info(PID), Some(t.pid()));
        assert_eq!(t.info_str("subprocess", "-"), t.pid().to_string());
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        assert_eq!(stdin.info(PID), Some(t.pid()));
        assert!(stdin.info(PIPE).is_some());
        stdin.write("gone")?;
        stdin.write_eof()?;
        t.wait_closed().await;
        assert_eq!(log.take(), ["made", "closed 0", "exit code 0", "lost"]);
        assert_eq!(t.info(PID), Some(t.pid()));
        Ok(())
    });
}

#[test]
fn as06_streams_lead_to_each_other_and_to_files() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let both = "echo one; echo two >&2; echo three";
        let (t, _) = noted(&lp, &log, shell(both).stderr_to_stdout()).await?;
        assert!(t.pipe(2).is_none());
        t.wait_closed().await;
        let told = log.take();
        let told: Vec<_> = told.iter().filter(|told| told.starts_with("1: ")).collect();
        assert_eq!(told, ["1: one", "1: two", "1: three"]);

        let path = std::env::temp_dir().join(format!("tidings-streams-{}", std::process::id()));
        let into = shell(both).stdout(File::create(&path)?).stderr_to_stdout();
        let (t, _) = noted(&lp, &log, into.stdin(Stdio::Null)).await?;
        t.wait_closed().await;
        let mut written = String::new();
        File::open(&path)?.read_to_string(&mut written)?;
        std::fs::remove_file(&path)?;
        assert_eq!(written, "one\ntwo\nthree\n");
        assert_eq!(log.take(), ["made", "exit code 0", "lost"]);

        let (t, _) = noted(
            &lp,
            &log,
            shell(both).stdout(Stdio::Null).stderr_to_stdout(),
        )
        .await?;
        t.pipe(0).ok_or("it is a pipe")?.close();
        t.wait_closed().await;
        assert!(log.has("exit code 0"));
        Ok(())
    });
}

#[test]
fn as06_a_command_of_other_libraries_keeps_its_streams() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let mut std = std::process::Command::new("sh");
        std.args(["-c", "read line; echo \"$line\""]);
        std.stdin(std::process::Stdio::piped());
        std.stdout(std::process::Stdio::piped());
        let (t, _) = noted(&lp, &log, std).await?;
        assert!(t.pipe(2).is_none());
        t.pipe(0).ok_or("it is a pipe")?.write("coffee\n")?;
        t.wait_closed().await;
        assert!(log.has("1: coffee"));

        let mut tokio = tokio::process::Command::new("true");
        tokio.kill_on_drop(true);
        let (t, _) = noted(&lp, &log, tokio).await?;
        assert!([0, 1, 2].iter().all(|fd| t.pipe(*fd).is_none()));
        assert!(t.wait().await.is_success());
        t.wait_closed().await;
        Ok(())
    });
}

#[test]
fn as10_the_buffer_of_the_standard_input_has_marks() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let counts = shell("read line; wc -c");
        let spawn = process_with(&lp, counts, move || Notes::of(&own));
        let (t, _) = spawn.write_limits(WriteLimits::high(1000)).await?;
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        assert_eq!(stdin.write_limits().high_mark(), 1000);
        assert_eq!(stdin.write(vec![b'x'; 1 << 17])?, WriteState::OverHigh);
        assert_eq!(log.take(), ["made", "paused"]);
        stdin.write("\n1234567")?;
        stdin.writable().await?;
        assert_eq!(log.take(), ["resumed"]);
        stdin.write_eof()?;
        t.wait_closed().await;
        let counted = log.take();
        let count = counted.iter().find_map(|told| told.strip_prefix("1: "));
        assert_eq!(count.map(str::trim), Some("7"));
        Ok(())
    });
}

#[test]
fn as10_a_child_waits_while_reading_is_paused() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell("echo one; read line; echo two")).await?;
        let stdout = t.pipe(1).ok_or("it is a pipe")?;
        log.wait(&lp, "1: one").await;
        assert!(stdout.is_reading());
        stdout.pause_reading();
        t.pipe(0).ok_or("it is a pipe")?.write("go\n")?;
        log.wait(&lp, "exit code 0").await;
        assert!(!log.has("1: two") && !log.has("lost"));
        stdout.resume_reading();
        t.wait_closed().await;
        assert!(log.has("1: two"));
        Ok(())
    });
}

/// Hears nothing of the output.
#[derive(Default)]
struct Deaf(Option<ExitStatus>);

#[protocol]
impl Deaf {
    #[listener]
    fn exited(&mut self, e: &ProcessExited) {
        self.0 = Some(e.status);
    }
}

#[test]
fn output_that_nobody_hears_does_not_hold_the_child_up() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let much = shell("head -c 1000000 /dev/zero; exit 7");
        let (t, deaf) = process::<Deaf>(&lp, much).await?;
        t.wait_closed().await;
        let code = deaf.with(|deaf| deaf.0.and_then(ExitStatus::code))?;
        assert_eq!(code, Some(7));
        Ok(())
    });
}

#[test]
fn ax03_another_protocol_hears_the_rest() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell("echo one; read line; echo two")).await?;
        log.wait(&lp, "1: one").await;
        let next = Log::default();
        t.upgrade(Notes::of(&next))?;
        assert!(t.protocol::<Deaf>().is_none());
        let notes = t.protocol::<Notes>().ok_or("it is this one")?;
        assert!(notes.with(|notes| notes.log.len())? == 0);
        t.pipe(0).ok_or("it is a pipe")?.write("go\n")?;
        t.wait_closed().await;
        assert!(next.has("1: two") && next.has("lost"));
        assert!(!log.has("lost"));
        assert!(t.upgrade(Deaf::default()).is_err());
        Ok(())
    });
}

/// Hears one pipe as a stream of its own.
#[derive(Default)]
struct Stream(Vec<u8>);

#[protocol]
impl Stream {
    #[listener]
    fn data(&mut self, e: &tidings::transport::DataReceived, _: &Transport) {
        self.0.extend_from_slice(&e.data);
    }
}

#[test]
fn ax03_a_pipe_may_have_a_protocol_of_its_own() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell("echo one; echo two >&2")).await?;
        let stdout = t.pipe(1).ok_or("it is a pipe")?;
        let stream = stdout.upgrade(Stream::default())?;
        t.wait_closed().await;
        assert_eq!(stream.with(|stream| stream.0.clone())?, b"one\n");
        assert!(log.has("2: two") && log.has("closed 1") && log.has("lost"));
        assert!(!log.has("1: one"));
        Ok(())
    });
}

#[test]
fn a_command_says_where_and_with_what_it_runs() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let says = async |command: tidings::transport::Command| -> Outcome {
            let (t, _) = noted(&lp, &log, command).await?;
            t.wait_closed().await;
            Ok(())
        };
        let line = shell("echo $A $B; pwd").env("A", "a").env("B", "b");
        says(line.env_remove("B").current_dir("/")).await?;
        assert!(log.has("1: a") && log.has("1: /"));
        log.take();
        let bare = command("/bin/sh")
            .env_clear()
            .args(["-c", "echo ${HOME:-none}"]);
        says(bare).await?;
        assert!(log.has("1: none"));
        log.take();
        says(shell("ps -o pgid= -p $$; echo $$").process_group(0)).await?;
        let told: Vec<_> = log
            .take()
            .into_iter()
            .filter(|told| told.starts_with('1'))
            .collect();
        assert_eq!(told[0].replace(' ', ""), told[1].replace(' ', ""));
        Ok(())
    });
}
