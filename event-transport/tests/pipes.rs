//! Pipes, FIFOs and terminals as connections.
#![cfg(unix)]

#[path = "support/fifo.rs"]
mod fifo_support;
mod support;

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use fifo_support::Named;
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use support::{Log, Outcome, Silent, Witness, pause, run};
use tidings::transport::{
    ConnectionErrorKind, ConnectionLost, DataReceived, EofReceived, PIPE, PipeEnd, Transport,
    TransportError, TransportErrorKind, WriteError, WriteLimits, WriteState, connect, connect_with,
    fifo, read_pipe, write_pipe,
};
use tidings::{EventLoop, protocol};

/// Both ends of a pipe, inside of the reactor.
fn pipe() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let (sender, receiver) = tokio::net::unix::pipe::pipe()?;
    Ok((receiver.into_blocking_fd()?, sender.into_blocking_fd()?))
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

/// Queues an item at everything that it hears.
struct Queues(Log);

impl Queues {
    fn note(&mut self, heard: &str, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.add(heard);
        let (log, item) = (self.0.clone(), format!("item after {heard}"));
        t.event_loop().call_soon(move |_| log.add(item))?;
        Ok(())
    }
}

#[protocol]
impl Queues {
    #[listener]
    fn data(
        &mut self,
        _: &DataReceived,
        t: &Transport,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.note("data", t)
    }

    #[listener]
    fn eof(&mut self, _: &EofReceived, t: &Transport) {
        self.note("eof", t).expect("the loop is open");
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        assert!(e.error.is_none());
        self.0.add("lost");
    }
}

#[test]
fn ax27_the_end_of_a_pipe_and_its_loss_are_items_of_their_own() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let mut writer = File::from(writer);
        writer.write_all(b"coffee")?;
        drop(writer);
        let own = log.clone();
        let (t, _) = connect_with(&lp, read_pipe(reader), move || Queues(own)).await?;
        assert!(t.info(PIPE).is_some());
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(
        log.take(),
        ["data", "item after data", "eof", "item after eof", "lost"]
    );
}

#[test]
fn ax27_the_writing_end_learns_that_the_reader_has_left() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let t = witness(&lp, &log, write_pipe(writer)).await?;
        assert_eq!(t.write("coffee")?, WriteState::Sent);
        pause(&lp).await;
        assert!(!t.is_closing());
        let mut got = [0; 6];
        File::from(reader).read_exact(&mut got)?;
        t.wait_closed().await;
        assert_eq!(&got, b"coffee");
        assert_eq!(t.write("more"), Err(WriteError::Closed));
        Ok(())
    });
    assert_eq!(log.take(), ["made", "lost"]);
}

/// Keeps what the connection was lost with.
#[derive(Default)]
struct Cause(Option<ConnectionErrorKind>);

#[protocol]
impl Cause {
    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        self.0 = e
            .error
            .as_ref()
            .map(tidings::transport::ConnectionError::kind);
    }
}

#[test]
fn ax27_a_reader_that_leaves_bytes_behind_breaks_the_pipe() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let (t, cause) = connect::<Cause>(&lp, write_pipe(writer)).await?;
        t.write(vec![1; 1024 * 1024])?;
        assert!(t.write_buffer_size() > 0);
        drop(reader);
        t.wait_closed().await;
        let broken = ConnectionErrorKind::Io(std::io::ErrorKind::BrokenPipe);
        assert_eq!(cause.with(|cause| cause.0)?, Some(broken));
        Ok(())
    });
}

#[test]
fn ax14_the_writing_end_is_paused_and_resumed_by_its_reader() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let t = witness(&lp, &log, write_pipe(writer)).await?;
        t.set_write_limits(WriteLimits::high(1000));
        assert_eq!(t.write(vec![7; 1024 * 1024])?, WriteState::OverHigh);
        assert_eq!(log.take(), ["made", "paused"]);
        let (read, other) = connect::<Silent>(&lp, read_pipe(reader)).await?;
        t.writable().await?;
        assert_eq!(log.take(), ["resumed"]);
        t.write_eof()?;
        assert_eq!(t.write("more"), Err(WriteError::WriteAfterEof));
        read.wait_closed().await;
        t.wait_closed().await;
        drop(other);
        Ok(())
    });
    assert_eq!(log.take(), ["lost"]);
}

#[test]
fn ax07_a_pipe_is_not_read_while_it_is_paused() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let t = witness(&lp, &log, read_pipe(reader)).await?;
        let (w, _) = connect::<Silent>(&lp, write_pipe(writer)).await?;
        assert!(t.is_reading() && !w.is_reading());
        t.pause_reading();
        w.write("coffee")?;
        w.close();
        w.wait_closed().await;
        pause(&lp).await;
        assert_eq!(log.take(), ["made"]);
        t.resume_reading();
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["data coffee", "eof", "lost"]);
}

#[test]
fn ax16_the_reading_end_takes_no_bytes() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (reader, writer) = pipe()?;
        let own = log.clone();
        let keeps = move || Witness {
            keep: true,
            ..Witness::of(&own)
        };
        let (t, _) = connect_with(&lp, read_pipe(reader), keeps).await?;
        assert_eq!(t.write("coffee"), Err(WriteError::ReadOnly));
        assert_eq!(t.write_vectored(["a", "b"]), Err(WriteError::ReadOnly));
        assert!(!t.can_write_eof());
        assert_eq!(t.write_eof(), Err(WriteError::ReadOnly));
        pause(&lp).await;
        assert!(!t.is_closing());
        // Nothing is left to keep it for.
        drop(writer);
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "eof", "lost"]);
}

/// A terminal: the side of its screen and the side of the program in it.
fn terminal() -> Result<(OwnedFd, File), Box<dyn std::error::Error>> {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&screen)?;
    unlockpt(&screen)?;
    let path = ptsname(&screen, Vec::new())?;
    let program = File::options()
        .read(true)
        .write(true)
        .open(path.to_str()?)?;
    Ok((screen, program))
}

#[test]
fn ax27_the_output_of_a_terminal_ends_with_the_program_in_it() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let (screen, mut program) = terminal()?;
        let t = witness(&lp, &log, read_pipe(screen)).await?;
        program.write_all(b"coffee")?;
        log.wait(&lp, "data coffee").await;
        drop(program);
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "data coffee", "eof", "lost"]);
}

#[test]
fn ax27_a_terminal_is_written_to_and_blocks_again_afterwards() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (screen, program) = terminal()?;
        let is_blocking = || -> std::io::Result<bool> {
            Ok(!fcntl_getfl(program.as_fd())?.contains(OFlags::NONBLOCK))
        };
        assert!(is_blocking()?);
        let (t, _) = connect::<Silent>(&lp, write_pipe(program.try_clone()?)).await?;
        assert!(!is_blocking()?);
        t.write("coffee")?;
        t.close();
        t.wait_closed().await;
        assert!(is_blocking()?);
        let mut got = [0; 6];
        File::from(screen).read_exact(&mut got)?;
        assert_eq!(&got, b"coffee");
        Ok(())
    });
}

/// Why there is no connection.
async fn refused(
    lp: &EventLoop,
    end: PipeEnd,
) -> Result<TransportError, Box<dyn std::error::Error>> {
    let refused = connect::<Silent>(lp, end).await;
    Ok(refused.err().ok_or("it should be refused")?)
}

#[test]
fn ax27_what_is_no_pipe_is_refused_in_words() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let says = async |end, words: &str| -> Outcome {
            let error = refused(&lp, end).await?;
            assert_eq!(error.kind(), TransportErrorKind::Connect);
            let text = error.to_string();
            assert!(text.contains(words), "{text}");
            Ok(())
        };
        let own = std::env::current_exe()?;
        says(read_pipe(File::open(own)?), "a regular file is no pipe").await?;
        says(read_pipe(File::open("/")?), "it is no pipe").await?;
        says(read_pipe(File::open("/dev/null")?), "cannot be waited for").await?;
        let (reader, writer) = pipe()?;
        says(read_pipe(writer), "give it to `write_pipe`").await?;
        says(write_pipe(reader), "give it to `read_pipe`").await?;
        says(fifo("/dev/null").read(), "it is no FIFO").await?;
        says(
            fifo("/none/such").write(),
            "/none/such: there is no such FIFO: make one with `mkfifo`",
        )
        .await
    });
}

#[test]
fn ax27_without_a_reactor_there_are_no_pipes() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let error = refused(&lp, fifo("/none/such").read()).await?;
        assert_eq!(error.kind(), TransportErrorKind::NoReactor);
        Ok(())
    });
}

#[test]
fn ax27_a_fifo_waits_for_its_first_writer_and_ends_with_the_last() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let named = Named::new("ends")?;
        let reader = witness(&lp, &log, fifo(&named.0).read()).await?;
        pause(&lp).await;
        assert_eq!(log.take(), ["made"]);
        let (first, _) = connect::<Silent>(&lp, fifo(&named.0).write()).await?;
        let (second, _) = connect::<Silent>(&lp, fifo(&named.0).write()).await?;
        first.close();
        first.wait_closed().await;
        second.write("coffee")?;
        log.wait(&lp, "data coffee").await;
        second.close();
        reader.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["data coffee", "eof", "lost"]);
}

#[test]
fn ax27_a_fifo_without_a_reader_is_not_written_to() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let named = Named::new("unread")?;
        let error = refused(&lp, fifo(&named.0).write()).await?;
        assert!(error.to_string().ends_with("nobody reads from it"));
        Ok(())
    });
}
