//! Peers that take less than they are sent.

mod support;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use support::raw::raw;
use support::{Echo, Log, Silent, Witness, failures, pause, run, witness};
use tidings::transport::{
    Transport, WriteError, WriteState, WritingResumed, connect, connect_with, pair, stream,
};
use tidings::{EventLoop, protocol};

const KIB: usize = 1024;

#[test]
fn ax13_many_small_writes_arrive_whole_and_in_order() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    run(&lp, async {
        let (ours, theirs) = pair();
        let own = log.clone();
        let (reader, witness) = connect_with(&lp, theirs, move || Witness::of(&own)).await?;
        let (writer, _) = connect::<Silent>(&lp, ours).await?;
        let mut rest = &sent[..];
        let mut size = 1;
        while !rest.is_empty() {
            let piece;
            (piece, rest) = rest.split_at(size.min(rest.len()));
            writer.write(piece.to_vec())?;
            writer.writable().await?;
            size = size * 7 % 9973;
        }
        writer.close();
        reader.wait_closed().await;
        assert!(witness.with(|witness| witness.received == sent)?);
        Ok(())
    });
}

#[test]
fn ar03_any_number_of_tasks_wait_until_writing_goes_on_and_hear_of_the_loss() {
    for is_lost in [false, true] {
        let lp = EventLoop::virtual_time();
        let log = Log::default();
        run(&lp, async {
            let (t, script) = witness(&lp, &log, 0).await?;
            assert_eq!(t.writable().await, Ok(()));
            t.write(vec![0; 65 * KIB])?;
            let done = Rc::new(RefCell::new(Vec::new()));
            for _ in 0..3 {
                let (t, done) = (t.clone(), Rc::clone(&done));
                let wait = async move {
                    let waited = t.writable().await;
                    done.borrow_mut().push(waited);
                };
                lp.spawn(wait)?.detach();
            }
            lp.sleep(Duration::from_secs(1)).await;
            assert!(done.borrow().is_empty());
            if is_lost {
                script.with(|state| {
                    state
                        .reads
                        .push_back(Err(io::ErrorKind::ConnectionReset.into()));
                });
            } else {
                script.with(|state| state.room = KIB * KIB);
            }
            while done.borrow().len() < 3 {
                pause(&lp).await;
            }
            let expected = if is_lost {
                Err(WriteError::Closed)
            } else {
                Ok(())
            };
            assert_eq!(*done.borrow(), [expected; 3]);
            Ok(())
        });
    }
}

#[test]
fn a_listener_may_write_to_another_connection_when_writing_is_resumed() {
    /// Tells a log on another connection.
    struct Relay(Transport);

    #[protocol]
    impl Relay {
        #[listener]
        fn resumed(&mut self, _: &WritingResumed) -> Result<(), WriteError> {
            self.0.write("resumed").map(drop)
        }
    }

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (other, seen) = witness(&lp, &log, 100).await?;
        let (raw, script) = raw(0);
        let (t, _) = connect_with(&lp, stream(raw), || Relay(other)).await?;
        t.write(vec![0; 65 * KIB])?;
        script.with(|state| state.room = KIB * KIB);
        while seen.written() != b"resumed" {
            pause(&lp).await;
        }
        Ok(())
    });
}

#[test]
fn a_peer_that_reads_nothing_holds_up_nobody_else() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let (ours, _theirs) = pair();
        let (stuck, _) = connect::<Silent>(&lp, ours).await?;
        while stuck.write(vec![0; 16 * KIB])? != WriteState::OverHigh {}
        let (ours, theirs) = pair();
        let log = Log::default();
        let own = log.clone();
        connect::<Echo>(&lp, theirs).await?;
        let (t, _) = connect_with(&lp, ours, move || Witness::of(&own)).await?;
        t.write("ping")?;
        log.wait(&lp, "data ping").await;
        assert!(stuck.write_buffer_size() > 64 * KIB);
        stuck.close();
        lp.sleep(Duration::from_secs(1)).await;
        assert!(stuck.is_closing());
        stuck.abort();
        stuck.wait_closed().await;
        Ok(())
    });
    assert_eq!(told.len(), 0);
}
