//! Commands that cannot be run, children that misbehave, and commands without events.
#![cfg(unix)]

#[path = "support/child.rs"]
mod child;
mod support;

use std::error::Error;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use child::{Notes, noted};
use support::{Log, Outcome, Silent, pause, run};
use tidings::transport::{
    Command, ConnectionErrorKind, ConnectionLost, ConnectionMade, Output, PipeClosed,
    PipeDataReceived, ProcessExited, ProcessTransport, Stdio, TransportError, TransportErrorKind,
    command, communicate, process, process_with, shell,
};
use tidings::{Bus, EventLoop, Signal, listener, protocol};

/// Why a command is not run.
async fn refused(
    lp: &EventLoop,
    command: Command,
) -> Result<TransportError, Box<dyn std::error::Error>> {
    let refused = process::<Silent>(lp, command).await;
    Ok(refused.err().ok_or("it should not run")?)
}

/// A file that is removed at the end.
struct Made(PathBuf);

impl Made {
    fn new(name: &str, text: &str, mode: u32) -> std::io::Result<Self> {
        use std::os::unix::fs::PermissionsExt;

        let name = format!("tidings-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
        Ok(Self(path))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("it is there until now");
    }
}

#[test]
fn a_command_that_cannot_be_run_is_refused_in_words() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let says = async |command: Command, words: &[&str]| -> Outcome {
            let error = refused(&lp, command).await?;
            assert_eq!(error.kind(), TransportErrorKind::Spawn);
            let text = error.to_string();
            for words in words {
                assert!(text.contains(words), "{text}");
            }
            if let Some(source) = error.source() {
                assert!(!text.contains(&source.to_string()), "{text}: {source}");
            }
            Ok(())
        };
        let path = std::env::var("PATH")?;
        let none = "no-such-command-of-ours";
        says(command(none), &[none, "no directory of PATH", &path]).await?;
        let elsewhere = command(none).env("PATH", "/coffee:/tea");
        says(elsewhere, &["no directory of PATH", "/coffee:/tea"]).await?;
        says(command(none).env_clear(), &["PATH is not set"]).await?;
        says(command(none).env_remove("PATH"), &["PATH is not set"]).await?;
        let here = std::env::current_dir()?.display().to_string();
        says(command("./no/such"), &["./no/such", "no such file", &here]).await?;
        let there = command("./no/such").current_dir("/usr");
        says(there, &["there is no such file", "/usr"]).await?;
        let nowhere = command("true").current_dir("/no/such/dir");
        says(
            nowhere,
            &["`true`", "`/no/such/dir`, which is no directory"],
        )
        .await?;
        says(command("/usr"), &["`/usr`", "it is a directory"]).await?;
        let plain = Made::new("plain", "coffee", 0o644)?;
        says(command(&plain.0), &["chmod +x"]).await?;
        let script = Made::new("script", "#!/no/such/interpreter\n", 0o755)?;
        says(command(&script.0), &["the interpreter that it names"]).await?;
        let nul = command("true").arg("a\0b");
        says(nul, &["cannot run `true`: nul byte found"]).await?;
        let line = command("ls -l /tmp");
        says(line, &["`ls -l /tmp`", "`.arg(..)`", "`shell(..)`"]).await
    });
}

#[test]
fn without_a_reactor_or_with_a_closed_loop_there_is_no_child() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let error = refused(&lp, command("true")).await?;
        assert_eq!(error.kind(), TransportErrorKind::NoReactor);
        let error = communicate(command("true"), "", 0).await;
        let error = error.err().ok_or("it should not run")?;
        assert_eq!(error.kind(), TransportErrorKind::NoReactor);
        Ok(())
    });
    lp.close().unwrap();
    let other = EventLoop::new().unwrap();
    run(&other, async {
        let error = refused(&lp, command("true")).await?;
        assert_eq!(error.kind(), TransportErrorKind::Closed);
        Ok(())
    });
}

#[test]
fn a_factory_that_panics_ends_the_child() {
    let lp = EventLoop::new().unwrap();
    let told = support::failures(&lp);
    run(&lp, async {
        let endless = shell("exec sleep 1000");
        let error = process_with::<Silent>(&lp, endless, || panic!("no coffee")).await;
        let error = error.err().ok_or("there is no protocol")?;
        assert_eq!(error.kind(), TransportErrorKind::Factory);
        assert_eq!(told.len(), 1);
        Ok(())
    });
}

#[test]
fn a_child_that_closes_its_input_early_is_told_and_goes_on() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let closes = "trap go=1 USR1; echo ready; until [ \"$go\" ]; do sleep 0.01; done; \
                      exec 0<&-; exec sleep 0.05";
        let (t, _) = noted(&lp, &log, shell(closes)).await?;
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        log.wait(&lp, "1: ready").await;
        stdin.write(vec![b'x'; 1 << 20])?;
        t.signal(Signal::User1)?;
        t.wait_closed().await;
        let told = log.take();
        let broken = ConnectionErrorKind::Io(ErrorKind::BrokenPipe);
        let place = |entry: &str| told.iter().position(|told| told == entry);
        assert!(
            place(&format!("closed 0: {broken:?}")).is_some(),
            "{told:?}"
        );
        assert!(place("exit code 0").is_some(), "{told:?}");
        assert_eq!(told.last().map(String::as_str), Some("lost"));
        Ok(())
    });
}

#[test]
fn a_child_that_dies_while_it_is_written_to_breaks_the_pipe() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell("exec sleep 1000")).await?;
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        stdin.write(vec![b'\n'; 1 << 20])?;
        t.kill()?;
        assert!(stdin.writable().await.is_err());
        t.wait_closed().await;
        let told = log.take();
        assert!(told.contains(&"ended by SIGKILL".to_owned()), "{told:?}");
        assert!(
            told.iter().any(|told| told.starts_with("closed 0: ")),
            "{told:?}"
        );
        assert_eq!(told.last().map(String::as_str), Some("lost"));
        Ok(())
    });
}

#[test]
fn as10_communicate_collects_both_and_ignores_a_broken_pipe() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let much = vec![b'x'; 1 << 20];
        let echo = communicate(command("cat"), much.clone(), 1 << 20).await?;
        assert!(echo.status.is_success());
        assert!(echo.stdout == much && echo.stderr.is_empty());

        let deaf = shell("echo out; echo err >&2; exec 0<&-; exit 3");
        let Output {
            status,
            stdout,
            stderr,
            ..
        } = communicate(deaf, much, 1000).await?;
        assert_eq!(
            (status.code(), &*stdout, &*stderr),
            (Some(3), &b"out\n"[..], &b"err\n"[..])
        );

        let quiet = command("cat").stdin(Stdio::Null).stdout(Stdio::Null);
        let quiet = communicate(quiet, "", 0).await?;
        assert!(quiet.status.is_success() && quiet.stdout.is_empty());
        let killed = communicate(shell("kill -9 $$"), "", 0).await?;
        assert_eq!(killed.status.to_string(), "ended by SIGKILL");
        Ok(())
    });
}

#[test]
fn as10_communicate_has_a_limit_for_each_stream() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let exact = communicate(shell("printf 12345; printf 12345 >&2"), "", 5).await?;
        assert_eq!(exact.stdout, exact.stderr);
        for endless in ["printf 123456", "printf 123456 >&2", "exec yes"] {
            let error = communicate(shell(endless), "", 5).await;
            let error = error.err().ok_or("it is too much")?;
            assert_eq!(error.kind(), TransportErrorKind::TooMuchOutput);
            assert!(error.to_string().contains("more than 5 bytes"), "{error}");
        }
        Ok(())
    });
}

#[test]
fn as10_communicate_works_on_any_runtime_of_tokios() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let output = runtime.block_on(communicate(command("sort"), "b\na\n", 100));
    assert_eq!(output.unwrap().stdout, b"a\nb\n");
}

/// What a bus was told of the labelled children.
#[derive(Default)]
struct Audit(Mutex<Vec<String>>);

impl Audit {
    fn add(&self, entry: String) {
        self.0.lock().expect("nobody panics").push(entry);
    }
}

#[listener]
fn made(e: &ConnectionMade, audit: &Audit) {
    let has_pid = e.connection.pid().is_some();
    audit.add(format!("{} made, {has_pid}", e.connection.label()));
}

#[listener]
fn exited(e: &ProcessExited, audit: &Audit) {
    audit.add(format!("{} {}", e.connection.label(), e.status));
}

#[listener]
fn lost(e: &ConnectionLost, audit: &Audit) {
    audit.add(format!("{} lost", e.connection.label()));
}

/// Asks for state of the bus.
#[derive(Default)]
struct Asks;

#[protocol]
impl Asks {
    #[listener]
    fn exited(_: &ProcessExited, t: &ProcessTransport, audit: &Audit) {
        let code = t.status().and_then(tidings::transport::ExitStatus::code);
        audit.add(format!("asks {code:?}"));
    }
}

#[test]
fn labelled_children_are_told_to_the_bus() {
    let audit = Arc::new(Audit::default());
    let bus = Bus::builder().state(Arc::clone(&audit)).build().unwrap();
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (t, _) = process::<Asks>(&lp, shell("exit 3"))
            .label("job")
            .on(&bus)
            .await?;
        t.wait_closed().await;
        let (t, _) = process::<Silent>(&lp, command("true")).on(&bus).await?;
        t.wait_closed().await;
        Ok(())
    });
    let told = audit.0.lock().unwrap();
    assert_eq!(
        *told,
        [
            "job made, true",
            "asks Some(3)",
            "job exit code 3",
            "job lost"
        ]
    );
}

/// Closes the process in the middle of its output.
#[derive(Default)]
struct Enough(usize);

#[protocol]
impl Enough {
    #[listener]
    fn output(&mut self, e: &PipeDataReceived, t: &ProcessTransport) {
        assert!(!t.is_closing(), "nothing is read after `close`");
        self.0 += e.data.len();
        if self.0 > 100_000 {
            t.close();
        }
    }

    #[listener]
    fn closed(_: &PipeClosed, t: &ProcessTransport) {
        assert!(t.is_closing());
    }
}

#[test]
fn as05_nothing_is_heard_of_the_output_after_close() {
    let lp = EventLoop::new().unwrap();
    let told = support::failures(&lp);
    run(&lp, async {
        let (t, _) = process::<Enough>(&lp, command("yes")).await?;
        t.wait_closed().await;
        let signal = t.wait().await.signal().ok_or("it was ended")?.to_string();
        assert!(["SIGPIPE", "SIGTERM"].contains(&&*signal), "{signal}");
        Ok(())
    });
    assert_eq!(told.take(), [""; 0]);
}

#[test]
fn as05_a_loop_that_is_dropped_ends_its_children() {
    let log = Log::default();
    let lp = EventLoop::new().unwrap();
    let pid = run(&lp, async {
        let stubborn = "trap '' TERM; echo ready; exec sleep 1000";
        let (t, _) = noted(&lp, &log, shell(stubborn)).await?;
        log.wait(&lp, "1: ready").await;
        Ok(t.pid())
    });
    drop(lp);
    assert_eq!(
        log.take(),
        [
            "made",
            "1: ready",
            "lost: the event loop has dropped the connection"
        ]
    );
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn as08_whoever_gives_up_waiting_for_a_child_has_it_killed() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let own = log.clone();
        let endless = shell("exec sleep 1000");
        let spawn = process_with(&lp, endless, move || Notes::of(&own));
        let mut spawn = Box::pin(std::future::IntoFuture::into_future(spawn));
        // The child is there after the first poll, and its first event comes in a later item.
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(spawn.as_mut().poll(cx)));
        assert!(first.await.is_pending());
        drop(spawn);
        log.wait(&lp, "lost").await;
        assert!(log.has("ended by SIGKILL"));
        pause(&lp).await;
        Ok(())
    });
}

#[test]
fn as08_communicate_that_is_dropped_kills_the_child() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let named = Made::new("pid", "", 0o644)?;
        let script = format!("echo $$ >{}; exec sleep 1000", named.0.display());
        let mut waits = Box::pin(communicate(shell(script), "", 0));
        let pid = loop {
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(waits.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
            lp.sleep(Duration::from_millis(1)).await;
            let written = std::fs::read_to_string(&named.0)?;
            if written.ends_with('\n') {
                break written.trim().parse()?;
            }
        };
        let pid = rustix::process::Pid::from_raw(pid).ok_or("it is positive")?;
        rustix::process::test_kill_process(pid)?;
        drop(waits);
        assert!(rustix::process::test_kill_process(pid).is_err());
        Ok(())
    });
}
