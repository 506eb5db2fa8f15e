//! Pipes that somebody else has open as well, or comes back to.
#![cfg(unix)]

#[path = "support/fifo.rs"]
mod fifo_support;
mod support;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use fifo_support::Named;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use support::{Log, Witness, pause, run};
use tidings::EventLoop;
use tidings::transport::{PipeEnd, Transport, connect_with, fifo, read_pipe, write_pipe};

/// Has a loop that hangs go on, so that its test fails, unless what is given is dropped before.
fn rescue(go_on: impl FnOnce() + Send + 'static) -> Sender<()> {
    let (kept, dropped) = channel();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(10)) == Err(RecvTimeoutError::Timeout) {
            go_on();
        }
    });
    kept
}

async fn witness(
    lp: &EventLoop,
    log: &Log,
    end: PipeEnd,
) -> Result<Transport, Box<dyn std::error::Error>> {
    let own = log.clone();
    let (t, _) = connect_with(lp, end, move || Witness::of(&own)).await?;
    Ok(t)
}

fn blocks(fd: impl AsFd) -> bool {
    !fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
}

#[test]
fn ax27_a_fifo_whose_writer_left_and_came_again_holds_up_nobody() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let named = Named::new("again").unwrap();
    let path = named.0.clone();
    let _rescue = rescue(move || {
        let mut writer = File::options().write(true).open(path).unwrap();
        writer.write_all(b"rescue").unwrap();
    });
    run(&lp, async {
        let reader = witness(&lp, &log, fifo(&named.0).read()).await?;
        reader.pause_reading();
        pause(&lp).await;
        let mut first = named.writer()?;
        first.write_all(b"one")?;
        drop(first);
        // The reactor hears that there is no writer.
        pause(&lp).await;
        let mut second = named.writer()?;
        reader.resume_reading();
        log.wait(&lp, "data one").await;
        pause(&lp).await;
        second.write_all(b"two")?;
        log.wait(&lp, "data two").await;
        drop(second);
        reader.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "data one", "data two", "eof", "lost"]);
}

#[test]
fn ax27_an_open_file_blocks_again_when_the_last_of_its_connections_has_ended() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (ours, mut theirs) = UnixStream::pair()?;
        let (same, look) = (ours.try_clone()?, ours.try_clone()?);
        let writer = witness(&lp, &log, write_pipe(same)).await?;
        let reader = witness(&lp, &log, read_pipe(ours)).await?;
        writer.abort();
        writer.wait_closed().await;
        assert!(!blocks(&look), "the other connection needs it so");
        theirs.write_all(b"hi")?;
        log.wait(&lp, "data hi").await;
        reader.abort();
        reader.wait_closed().await;
        assert!(blocks(&look), "as it was before");
        Ok(())
    });
}

#[test]
fn ax27_a_pipe_that_somebody_has_block_holds_up_nobody() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut again = theirs.try_clone().unwrap();
    let _rescue = rescue(move || again.write_all(b"rescue").unwrap());
    run(&lp, async {
        let look = ours.try_clone()?;
        let reader = witness(&lp, &log, read_pipe(ours)).await?;
        let flags = fcntl_getfl(&look)?;
        fcntl_setfl(&look, flags - OFlags::NONBLOCK)?;
        theirs.write_all(b"hi")?;
        log.wait(&lp, "data hi").await;
        pause(&lp).await;
        reader.abort();
        reader.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "data hi", "lost"]);
}
