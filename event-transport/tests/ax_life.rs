//! The life of a connection, clause by clause, in virtual time.

mod support;

use std::error::Error;
use std::future::{IntoFuture, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use support::raw::raw;
use support::{Log, Witness, failures, pause, run};
use tidings::transport::{
    ConnectionMade, DataReceived, Transport, connect, connect_with, pair, stream,
};
use tidings::{EventLoop, protocol};

#[test]
fn ax03_a_connection_has_one_protocol_which_can_be_exchanged() {
    /// Hands over to the witness at the first byte.
    struct Greeter(Log);

    #[protocol]
    impl Greeter {
        #[listener]
        fn data(
            &mut self,
            e: &DataReceived,
            t: &Transport,
        ) -> Result<(), Box<dyn Error + Send + Sync>> {
            self.0.add(format!("greeter {}", e.data.len()));
            t.upgrade(Witness::of(&self.0))?;
            assert!(t.protocol::<Greeter>().is_none() && t.protocol::<Witness>().is_some());
            self.0.add("greeter is still here");
            Ok(())
        }
    }

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        let own = log.clone();
        let (t, greeter) = connect_with(&lp, stream(raw), move || Greeter(own)).await?;
        script.read(b"hello");
        script.read(b"world");
        log.wait(&lp, "data world").await;
        assert!(t.protocol::<Greeter>().is_none());
        assert!(greeter.with(|greeter| greeter.0.len()).is_ok());
        t.close();
        t.wait_closed().await;
        Ok(())
    });
    let expected = ["greeter 5", "greeter is still here", "data world", "lost"];
    assert_eq!(log.take(), expected);
}

#[test]
fn ax04_made_data_eof_and_lost_come_once_in_this_order() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(b"a");
        script.read(b"b");
        script.read(b"");
        script.read(b"nobody hears this");
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.wait_closed().await;
        t.close();
        t.abort();
        pause(&lp).await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "data a", "data b", "eof", "lost"]);
}

#[test]
fn ax05_made_comes_before_the_connector_goes_on_and_data_after_it() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(b"early");
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        log.add("connected");
        log.wait(&lp, "data early").await;
        t.abort();
        Ok(())
    });
    assert_eq!(log.take()[..3], ["made", "connected", "data early"]);
}

#[test]
fn ax06_reading_that_is_paused_inside_made_does_not_begin() {
    struct Later(Log);

    #[protocol]
    impl Later {
        #[listener]
        fn made(_: &ConnectionMade, t: &Transport) {
            t.pause_reading();
        }

        #[listener]
        fn data(&mut self, _: &DataReceived) {
            self.0.add("data");
        }
    }

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(b"early");
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Later(own)).await?;
        lp.sleep(Duration::from_secs(1)).await;
        assert_eq!(log.len(), 0);
        assert_eq!(script.with(|state| state.reads.len()), 1);
        assert!(!t.is_reading());
        t.resume_reading();
        assert!(t.is_reading());
        log.wait(&lp, "data").await;
        Ok(())
    });
}

#[test]
fn ax07_pausing_and_resuming_twice_is_once_and_nothing_on_a_closing_connection() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.pause_reading();
        t.pause_reading();
        script.read(b"x");
        pause(&lp).await;
        assert!(!log.has("data x"));
        t.resume_reading();
        t.resume_reading();
        log.wait(&lp, "data x").await;
        t.close();
        assert!(!t.is_reading());
        t.pause_reading();
        t.resume_reading();
        assert!(!t.is_reading());
        t.wait_closed().await;
        t.resume_reading();
        assert!(!t.is_reading());
        Ok(())
    });
}

#[test]
fn ax08_data_is_delivered_in_the_item_that_read_it_and_other_items_come_between_full_reads() {
    struct Sizes(Log);

    #[protocol]
    impl Sizes {
        #[listener]
        fn data(
            &mut self,
            e: &DataReceived,
            t: &Transport,
        ) -> Result<(), tidings::event_loop::LoopError> {
            self.0.add(format!("data {}", e.data.len()));
            let log = self.0.clone();
            t.event_loop().call_soon(move |_| log.add("item")).map(drop)
        }
    }

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(&vec![7; 600 * 1024]);
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Sizes(own)).await?;
        while log.len() < 6 {
            lp.next_turn().await;
        }
        t.abort();
        Ok(())
    });
    let full = format!("data {}", 256 * 1024);
    let rest = format!("data {}", 88 * 1024);
    let expected = [&full, "item", &full, "item", &rest, "item"];
    assert_eq!(log.take(), expected);
}

#[test]
fn ax09_a_read_or_a_write_that_was_interrupted_is_tried_again() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let told = failures(&lp);
    run(&lp, async {
        let (raw, script) = raw(100);
        script.with(|state| {
            for kind in [io::ErrorKind::Interrupted, io::ErrorKind::WouldBlock] {
                state.reads.push_back(Err(kind.into()));
            }
            state.reads.push_back(Ok(b"x".to_vec()));
        });
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        log.wait(&lp, "data x").await;
        script.with(|state| state.write_error = Some(io::ErrorKind::Interrupted.into()));
        t.write("y")?;
        while script.written().is_empty() {
            pause(&lp).await;
        }
        assert!(!t.is_closing());
        t.abort();
        Ok(())
    });
    assert_eq!(told.len(), 0);
}

#[test]
fn ax12_after_the_peers_end_the_connection_is_closed_or_kept_for_writing() {
    for keep in [false, true] {
        let lp = EventLoop::virtual_time();
        let log = Log::default();
        run(&lp, async {
            let (raw, script) = raw(100);
            let own = log.clone();
            let witness = move || Witness {
                keep,
                ..Witness::of(&own)
            };
            let (t, _) = connect_with(&lp, stream(raw), witness).await?;
            script.read(b"");
            log.wait(&lp, "eof").await;
            lp.sleep(Duration::from_secs(1)).await;
            assert_eq!(t.is_closing(), !keep);
            assert!(!t.is_reading());
            if keep {
                t.write("goodbye")?;
                assert_eq!(script.written(), b"goodbye");
                t.write_eof()?;
            }
            t.wait_closed().await;
            Ok(())
        });
        assert_eq!(log.take(), ["made", "eof", "lost"]);
    }
}

#[test]
fn ax12_without_a_listener_the_end_of_the_peer_closes() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (ours, theirs) = pair();
        let (t, _) = connect::<support::Silent>(&lp, ours).await?;
        drop(theirs);
        t.wait_closed().await;
        Ok(())
    });
}

#[test]
fn ax05_a_connect_that_is_given_up_leaves_no_connection() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, _script) = raw(0);
        let own = log.clone();
        let connecting = connect_with(&lp, stream(raw), move || Witness::of(&own));
        let mut connecting = Some(connecting.into_future());
        let waits = poll_fn(|cx| {
            let polled = connecting
                .as_mut()
                .map(|connecting| connecting.as_mut().poll(cx).is_pending());
            connecting = None;
            Poll::Ready(polled)
        });
        assert_eq!(waits.await, Some(true));
        pause(&lp).await;
        assert_eq!(log.take(), ["made", "lost"]);
        Ok(())
    });
    assert_eq!(log.take(), [""; 0]);
}
