//! Child processes: their events in order, their signals and their ends.
#![cfg(unix)]

#[path = "support/child.rs"]
mod child;
mod support;

use std::error::Error;
use std::time::Duration;

use child::{Notes, noted};
use support::{Log, pause, run};
use tidings::transport::{
    PipeClosed, PipeDataReceived, ProcessExited, ProcessTransport, SignalError, WriteError,
    command, process, process_with, shell,
};
use tidings::{EventLoop, Signal, protocol};

/// A child that runs until it is ended.
const ENDLESS: &str = "exec sleep 1000";

#[test]
fn as01_a_child_that_ends_at_once_is_made_first_and_lost_last() {
    let lp = EventLoop::new().unwrap();
    for _ in 0..20 {
        let log = Log::default();
        run(&lp, async {
            let (t, _) = noted(&lp, &log, shell("echo out; echo err >&2; exit 3")).await?;
            assert!(log.has("made"));
            t.wait_closed().await;
            Ok(())
        });
        let mut told = log.take();
        assert_eq!(told.first().map(String::as_str), Some("made"));
        assert_eq!(told.pop().as_deref(), Some("lost"));
        let place = |entry: &str| told.iter().position(|told| told == entry);
        assert!(place("1: out") < place("closed 1"), "{told:?}");
        assert!(place("2: err") < place("closed 2"), "{told:?}");
        told.sort();
        let all = ["1: out", "2: err", "closed 0", "closed 1", "closed 2"];
        assert_eq!(told[..5], all);
        assert_eq!(told[5..], ["exit code 3", "made"]);
    }
}

/// Queues an item at everything that it hears.
struct Queues(Log);

impl Queues {
    fn note(&self, heard: &str, t: &ProcessTransport) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.add(heard);
        let log = self.0.clone();
        t.event_loop().call_soon(move |_| log.add("item"))?;
        Ok(())
    }
}

#[protocol]
impl Queues {
    #[listener]
    fn output(
        &mut self,
        _: &PipeDataReceived,
        t: &ProcessTransport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.note("output", t)
    }

    #[listener]
    fn closed(
        &mut self,
        _: &PipeClosed,
        t: &ProcessTransport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.note("closed", t)
    }

    #[listener]
    fn exited(
        &mut self,
        _: &ProcessExited,
        t: &ProcessTransport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.note("exited", t)
    }
}

#[test]
fn as02_everything_of_a_process_comes_in_an_item_of_its_own() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let own = log.clone();
        let both = shell("echo out; echo err >&2");
        let (t, _) = process_with(&lp, both, move || Queues(own)).await?;
        t.wait_closed().await;
        Ok(())
    });
    let told = log.take();
    assert_eq!(told.len(), 12, "{told:?}");
    for pair in told.chunks(2) {
        assert!(pair[0] != "item" && pair[1] == "item", "{told:?}");
    }
}

/// A child that ends, and one of its own that waits for a line with the same pipes.
const HANDS_OVER: &str = "exec 3<&0; { read line; echo \"late $line\"; } <&3 & exit 4";

#[test]
fn as03_the_connection_is_lost_after_the_exit_and_all_pipes() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (t, _) = noted(&lp, &log, shell(HANDS_OVER)).await?;
        log.wait(&lp, "exit code 4").await;
        for _ in 0..10 {
            pause(&lp).await;
        }
        assert_eq!(log.take(), ["made", "exit code 4"]);
        assert_eq!(t.wait().await.code(), Some(4));
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        stdin.write("coffee\n")?;
        t.wait_closed().await;
        let told = log.take();
        assert_eq!((told.len(), &*told[0]), (5, "1: late coffee"), "{told:?}");
        assert_eq!(told.last().map(String::as_str), Some("lost"));
        Ok(())
    });
}

#[test]
fn as03_pipes_that_a_grandchild_keeps_end_with_close_or_linger() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell(HANDS_OVER)).await?;
        log.wait(&lp, "exit code 4").await;
        t.pipe(0)
            .ok_or("it is a pipe")?
            .write(vec![b'x'; 1 << 20])?;
        t.close();
        t.wait_closed().await;
        assert_eq!(log.take().last().map(String::as_str), Some("lost"));

        let own = log.clone();
        let spawn = process_with(&lp, shell(HANDS_OVER), move || Notes::of(&own));
        let (t, _) = spawn.linger(Duration::from_millis(20)).await?;
        t.wait_closed().await;
        let told = log.take();
        assert_eq!(told[..2], ["made", "exit code 4"]);
        assert_eq!(told[2..], ["closed 0", "closed 1", "closed 2", "lost"]);
        Ok(())
    });
}

#[test]
fn as04_the_status_is_a_code_or_a_signal_and_then_there_is_no_process() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let asks = "trap 'echo heard' USR1; echo ready; while ! read line; do :; done; exit 9";
        let (t, _) = noted(&lp, &log, shell(asks)).await?;
        log.wait(&lp, "1: ready").await;
        assert_eq!(t.status(), None);
        t.signal(Signal::User1)?;
        log.wait(&lp, "1: heard").await;
        assert_eq!(t.signal(Signal::Other(4000)), Err(SignalError::NoSignal));
        t.pipe(0).ok_or("it is a pipe")?.write("end\n")?;
        let status = t.wait().await;
        assert_eq!((status.code(), status.signal()), (Some(9), None));
        assert!(!status.is_success() && !status.is_unknown());
        assert_eq!(t.status(), Some(status));
        for refused in [t.terminate(), t.kill(), t.signal(Signal::User1)] {
            assert_eq!(refused, Err(SignalError::NoProcess));
        }
        t.wait_closed().await;

        for (kill, signal) in [(false, Signal::Terminate), (true, Signal::from_number(9))] {
            let (t, _) = noted(&lp, &log, shell(ENDLESS)).await?;
            if kill {
                t.kill()?;
            } else {
                t.terminate()?;
            }
            let status = t.wait().await;
            assert_eq!((status.code(), status.signal()), (None, Some(signal)));
            t.wait_closed().await;
            assert!(log.has(&format!("ended by {signal}")));
        }
        Ok(())
    });
}

#[test]
fn as04_a_child_that_has_ended_unseen_is_sent_no_signal() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell(ENDLESS)).await?;
        t.kill()?;
        // The loop has no turn meanwhile.
        while t.kill().is_ok() {
            std::thread::yield_now();
        }
        assert_eq!(t.kill(), Err(SignalError::NoProcess));
        assert_eq!(t.status(), Some(t.wait().await));
        assert!(!log.has("ended by SIGKILL"));
        t.wait_closed().await;
        assert!(log.has("ended by SIGKILL"));
        Ok(())
    });
}

#[test]
fn as05_close_ends_the_pipes_and_the_process() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell(ENDLESS)).await?;
        t.close();
        t.close();
        assert!(t.is_closing());
        let stdin = t.pipe(0).ok_or("it is a pipe")?;
        t.wait_closed().await;
        assert_eq!(stdin.write("more"), Err(WriteError::Closed));
        let told = log.take();
        assert!(told.contains(&"ended by SIGTERM".to_owned()), "{told:?}");
        assert_eq!(
            (told.len(), told.last().map(String::as_str)),
            (6, Some("lost"))
        );
        Ok(())
    });
}

#[test]
fn as05_close_lets_a_process_that_ends_by_itself_do_so() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let tidies = "trap 'exit 5' TERM; echo ready; while :; do read line || :; done";
        let (t, _) = noted(&lp, &log, shell(tidies)).await?;
        log.wait(&lp, "1: ready").await;
        t.close();
        assert_eq!(t.wait().await.code(), Some(5));
        t.wait_closed().await;

        let (t, _) = noted(&lp, &log, shell("exit 6")).await?;
        t.wait().await;
        t.close();
        t.wait_closed().await;
        assert!(log.has("exit code 6"));
        Ok(())
    });
}

#[test]
fn as05_a_process_that_ignores_the_request_is_killed_after_the_grace_period() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let stubborn = "trap '' TERM; echo ready; exec sleep 1000";
        for grace in [Duration::ZERO, Duration::from_millis(20)] {
            let log = Log::default();
            let own = log.clone();
            let spawn = process_with(&lp, shell(stubborn), move || Notes::of(&own));
            let (t, _) = spawn.grace(grace).await?;
            log.wait(&lp, "1: ready").await;
            let begun = lp.elapsed();
            t.close();
            t.wait_closed().await;
            assert!(lp.elapsed() >= begun + grace);
            assert!(log.has("ended by SIGKILL"));
        }
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell(stubborn)).await?;
        log.wait(&lp, "1: ready").await;
        t.abort();
        t.wait_closed().await;
        assert!(log.has("ended by SIGKILL") && log.has("lost"));
        Ok(())
    });
}

#[test]
fn as05_a_shutdown_of_the_loop_closes_processes() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async { noted(&lp, &log, shell(ENDLESS)).await });
    lp.shutdown(Duration::from_secs(30)).unwrap();
    let told = log.take();
    assert!(told.contains(&"ended by SIGTERM".to_owned()), "{told:?}");
    assert_eq!(told.last().map(String::as_str), Some("lost"));
}

#[test]
fn as07_many_wait_and_one_that_gives_up_leaves_the_process_alone() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, command("cat")).await?;
        let gave_up = lp.timeout(Duration::from_millis(1), t.wait()).await;
        assert!(gave_up.is_err());
        assert_eq!(t.status(), None);
        let wait = || {
            let t = t.clone();
            lp.spawn(async move { t.wait().await })
        };
        let (first, second, cancelled) = (wait()?, wait()?, wait()?);
        pause(&lp).await;
        cancelled.abort();
        pause(&lp).await;
        assert_eq!(t.status(), None);
        t.pipe(0).ok_or("it is a pipe")?.close();
        assert!(first.await?.is_success());
        assert!(second.await?.is_success());
        t.wait_closed().await;
        assert_eq!(t.wait().await.code(), Some(0));
        Ok(())
    });
}

#[test]
fn as11_a_child_that_somebody_else_has_reaped_has_an_unknown_status() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let (t, _) = noted(&lp, &log, shell(ENDLESS)).await?;
        t.kill()?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(t.pid())?);
        // The loop has no turn before this.
        rustix::process::waitpid(pid, rustix::process::WaitOptions::empty())?;
        let status = t.wait().await;
        assert!(status.is_unknown() && !status.is_success());
        assert_eq!((status.code(), status.signal()), (None, None));
        assert_eq!(t.kill(), Err(SignalError::NoProcess));
        t.wait_closed().await;
        assert!(log.has("unknown: somebody else has waited for the process"));
        assert!(log.has("lost"));
        Ok(())
    });
}

/// Says how it is told of output.
#[derive(Default)]
struct Fails;

#[protocol]
impl Fails {
    #[listener]
    fn output(e: &PipeDataReceived) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(format!("{} bytes too many", e.data.len()).into())
    }
}

#[test]
fn as02_a_listener_that_fails_ends_the_process_and_is_told() {
    let lp = EventLoop::new().unwrap();
    let told = support::failures(&lp);
    run(&lp, async {
        let (t, _) = process::<Fails>(&lp, shell("echo hello; exec sleep 1000")).await?;
        t.wait_closed().await;
        assert_eq!(t.wait().await.to_string(), "ended by SIGKILL");
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("6 bytes too many"), "{told:?}");
}
