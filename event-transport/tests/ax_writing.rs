//! Writing, clause by clause, in virtual time.

mod support;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use support::raw::raw;
use support::{Log, Witness, pause, run, witness};
use tidings::transport::{
    DataReceived, ProtocolRef, Transport, WriteError, WriteLimits, WriteState, WritingPaused,
    WritingResumed, connect_with, stream,
};
use tidings::{EventLoop, protocol};

const KIB: usize = 1024;

#[test]
fn ax13_a_write_is_tried_at_once_and_the_rest_is_written_in_order() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 7).await?;
        assert_eq!(t.write("hello"), Ok(WriteState::Sent));
        assert_eq!(script.written(), b"hello");
        assert_eq!(t.write(" wide"), Ok(WriteState::Buffered));
        assert_eq!(t.write(b" world".to_vec()), Ok(WriteState::Buffered));
        assert_eq!(t.write_buffer_size(), 9);
        script.with(|state| {
            state.at_a_time = Some(2);
            state.room = 100;
        });
        while t.write_buffer_size() > 0 {
            pause(&lp).await;
        }
        assert_eq!(script.written(), b"hello wide world");
        Ok(())
    });
}

/// Writes down when it is told to stop, and what it was doing then.
#[derive(Default)]
struct Careful {
    log: Log,
    answers: Vec<WriteState>,
}

#[protocol]
impl Careful {
    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        self.log.add("data begins");
        for _ in 0..3 {
            self.answers.push(t.write(e.data.clone())?);
        }
        self.log.add("data ends");
        Ok(())
    }

    #[listener]
    fn paused(&mut self, _: &WritingPaused, t: &Transport) {
        self.log.add(format!("paused at {}", t.write_buffer_size()));
    }

    #[listener]
    fn resumed(&mut self, _: &WritingResumed, t: &Transport) {
        self.log
            .add(format!("resumed at {}", t.write_buffer_size()));
    }
}

#[test]
fn ax14_writing_is_paused_above_the_high_mark_before_write_returns() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 0).await?;
        t.set_write_limits(WriteLimits::between(10, 20)?);
        assert_eq!(t.write(vec![0; 20]), Ok(WriteState::Buffered));
        assert_eq!(log.len(), 0);
        assert_eq!(t.write(vec![0; 1]), Ok(WriteState::OverHigh));
        assert_eq!(log.take(), ["paused"]);
        assert_eq!(t.write(vec![0; 1]), Ok(WriteState::OverHigh));
        script.with(|state| state.room = 11);
        pause(&lp).await;
        assert_eq!((t.write_buffer_size(), log.len()), (11, 0));
        assert_eq!(t.write("x"), Ok(WriteState::OverHigh), "it is still paused");
        script.with(|state| state.room = 2);
        pause(&lp).await;
        assert_eq!(log.take(), ["resumed"]);
        assert_eq!(t.write(vec![0; 20]), Ok(WriteState::OverHigh));
        script.with(|state| state.room = 100);
        pause(&lp).await;
        assert_eq!(log.take(), ["paused", "resumed"]);
        Ok(())
    });
}

#[test]
fn ax14_a_pause_ends_with_its_connection_and_not_before() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 0).await?;
        t.write(vec![0; 65 * KIB])?;
        script.with(|state| state.write_error = Some(io::ErrorKind::BrokenPipe.into()));
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["paused", "lost: broken pipe"]);
}

#[test]
fn ax14_inside_a_listener_the_pause_is_told_when_it_returns_and_before_any_other_item() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        let own = log.clone();
        let careful = move || Careful {
            log: own,
            ..Careful::default()
        };
        let (t, careful) = connect_with(&lp, stream(raw), careful).await?;
        t.set_write_limits(WriteLimits::high(8));
        lp.call_soon({
            let (script, log) = (script.clone(), log.clone());
            move |lp| {
                // The task that reads is the next item, and this the one behind it.
                script.read(b"hello");
                lp.call_soon(move |_| log.add("another item")).map(drop)
            }
        })?;
        log.wait(&lp, "another item").await;
        let answers = careful.with(|careful| careful.answers.clone())?;
        let expected = [
            WriteState::Buffered,
            WriteState::OverHigh,
            WriteState::OverHigh,
        ];
        assert_eq!(answers, expected);
        script.with(|state| state.room = 100);
        log.wait(&lp, "resumed at 0").await;
        Ok(())
    });
    let expected = [
        "data begins",
        "data ends",
        "paused at 15",
        "another item",
        "resumed at 0",
    ];
    assert_eq!(log.take(), expected);
}

#[test]
fn ax14_a_pause_that_is_over_when_the_instance_is_free_is_not_told() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, _script) = witness(&lp, &log, 0).await?;
        let witness: ProtocolRef<Witness> = t.protocol().expect("it is the protocol");
        witness.with(|_| {
            t.write(vec![0; 65 * KIB])?;
            t.set_write_limits(WriteLimits::high(KIB * KIB));
            assert!(witness.with(|_| ()).is_err());
            Ok::<_, WriteError>(())
        })??;
        assert_eq!(log.len(), 0);
        witness.with(|_| t.set_write_limits(WriteLimits::high(KIB)))?;
        assert_eq!(log.take(), ["paused"]);
        Ok(())
    });
}

#[test]
fn ax15_the_marks_have_defaults_and_a_change_is_looked_at_at_once() {
    assert_eq!(
        WriteLimits::default(),
        WriteLimits::between(16 * KIB, 64 * KIB).unwrap()
    );
    assert_eq!(WriteLimits::low(5), WriteLimits::between(5, 20).unwrap());
    assert_eq!(WriteLimits::high(0), WriteLimits::between(0, 0).unwrap());
    let error = WriteLimits::between(2, 1).unwrap_err();
    assert_eq!(error.to_string(), "the low mark 2 is above the high mark 1");

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, _script) = witness(&lp, &log, 0).await?;
        assert_eq!(t.write_limits(), WriteLimits::default());
        assert_eq!(t.write(vec![0; 64 * KIB]), Ok(WriteState::Buffered));
        t.set_write_limits(WriteLimits::high(64 * KIB - 1));
        assert_eq!(log.take(), ["paused"]);
        t.set_write_limits(WriteLimits::between(64 * KIB, 64 * KIB)?);
        assert_eq!(log.take(), ["resumed"]);
        t.set_write_limits(WriteLimits::high(0));
        assert_eq!(log.take(), ["paused"]);
        Ok(())
    });
}

#[test]
fn ax16_an_empty_write_does_nothing_and_one_after_the_end_is_an_error() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 2).await?;
        assert_eq!(t.write(""), Ok(WriteState::Sent));
        assert_eq!(script.with(|state| state.writes.len()), 0);
        t.write("hello")?;
        assert_eq!(t.write(""), Ok(WriteState::Buffered));
        t.write_eof()?;
        assert_eq!(t.write("x"), Err(WriteError::WriteAfterEof));
        assert_eq!(t.write_vectored(["x"]), Err(WriteError::WriteAfterEof));
        assert_eq!(t.writable().await, Err(WriteError::WriteAfterEof));
        Ok(())
    });
}

#[test]
fn ax17_a_write_to_a_closing_or_lost_connection_is_an_error() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 100).await?;
        t.close();
        assert_eq!(t.write("x"), Err(WriteError::Closed));
        t.wait_closed().await;
        assert_eq!(t.write("x"), Err(WriteError::Closed));
        assert_eq!(t.write_vectored(["x", "y"]), Err(WriteError::Closed));
        assert_eq!(t.writable().await, Err(WriteError::Closed));
        assert_eq!(script.written(), b"");
        Ok(())
    });
}

#[test]
fn ax18_the_end_of_writing_comes_behind_what_is_buffered_and_reading_goes_on() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 2).await?;
        t.write("hello")?;
        t.write_eof()?;
        t.write_eof()?;
        pause(&lp).await;
        assert!(!script.with(|state| state.is_shut_down));
        script.with(|state| state.room = 100);
        pause(&lp).await;
        assert_eq!(script.written(), b"hello");
        assert!(script.with(|state| state.is_shut_down));
        script.read(b"answer");
        log.wait(&lp, "data answer").await;
        assert!(!t.is_closing());
        t.close();
        t.write_eof()?;
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["data answer", "lost"]);
}

#[test]
fn ax24_pieces_are_written_together_without_being_copied() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 100).await?;
        assert_eq!(
            t.write_vectored(["one ", "", "two ", "three"]),
            Ok(WriteState::Sent)
        );
        assert_eq!(script.with(|state| state.writes.clone()), [13]);
        assert_eq!(
            t.write_vectored(Vec::<Vec<u8>>::new()),
            Ok(WriteState::Sent)
        );
        // What is gathered in the buffer goes out in one call as well.
        script.with(|state| state.room = 0);
        for piece in ["a", "b", "c"] {
            t.write(piece)?;
        }
        script.with(|state| state.room = 100);
        pause(&lp).await;
        assert_eq!(script.with(|state| state.writes.clone()), [13, 3]);
        assert_eq!(script.written(), b"one two threeabc");
        Ok(())
    });
}

#[test]
fn ax24_pieces_that_close_the_connection_while_they_are_made_are_not_sent() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 100).await?;
        let closes = t.clone();
        let pieces = ["a", "b", "c"].into_iter().inspect(move |piece| {
            if *piece == "b" {
                closes.close();
            }
        });
        assert_eq!(t.write_vectored(pieces), Err(WriteError::Closed));
        t.wait_closed().await;
        assert_eq!(script.written(), b"");
        Ok(())
    });
    assert_eq!(log.take(), ["lost"]);
}

#[test]
fn ax24_pieces_that_panic_while_they_are_made_are_not_sent() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, script) = witness(&lp, &log, 100).await?;
        let pieces = ["a", "b"]
            .into_iter()
            .inspect(|piece| assert_ne!(*piece, "b"));
        let panicked = catch_unwind(AssertUnwindSafe(|| t.write_vectored(pieces)));
        assert!(panicked.is_err());
        t.write("next")?;
        assert_eq!(script.written(), b"next");
        Ok(())
    });
}
