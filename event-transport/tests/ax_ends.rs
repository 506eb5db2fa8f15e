//! The end of a connection, clause by clause, in virtual time.

mod support;

use std::rc::Rc;
use std::time::Duration;

use support::raw::raw;
use support::{Flag, Log, Witness, failures, pause, run};
use tidings::transport::{
    ConnectionLost, ConnectionMade, DataReceived, Transport, TransportErrorKind, WriteError,
    connect, connect_with, pair, stream,
};
use tidings::{EventLoop, protocol};

#[test]
fn ax19_close_ends_reading_at_once_and_the_connection_when_all_is_written() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(3);
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.write("hello")?;
        script.read(b"late");
        t.close();
        t.close();
        assert!(t.is_closing() && !t.is_reading());
        assert!(!log.has("lost"), "lost comes in a later item");
        lp.sleep(Duration::from_secs(1)).await;
        assert!(!log.has("lost"), "something is left to write");
        script.with(|state| state.room = 100);
        t.wait_closed().await;
        assert_eq!(script.written(), b"hello");
        assert!(script.with(|state| state.is_shut_down));
        Ok(())
    });
    assert_eq!(log.take(), ["made", "lost"]);
}

#[test]
fn ax20_abort_discards_what_is_buffered_and_lost_comes_in_a_later_item() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(3);
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.write("hello")?;
        t.abort();
        assert!(t.is_closing() && !log.has("lost"));
        assert_eq!(t.write_buffer_size(), 0);
        t.wait_closed().await;
        script.with(|state| state.room = 100);
        pause(&lp).await;
        assert_eq!(script.written(), b"hel");
        Ok(())
    });
    assert_eq!(log.take(), ["made", "lost"]);
}

#[test]
fn ax20_a_connection_can_be_aborted_inside_made() {
    #[derive(Default)]
    struct Never(Vec<&'static str>);

    #[protocol]
    impl Never {
        #[listener]
        fn made(&mut self, _: &ConnectionMade, t: &Transport) {
            t.abort();
            self.0.push("made");
        }

        #[listener]
        fn data(&mut self, _: &DataReceived) {
            self.0.push("data");
        }

        #[listener]
        fn lost(&mut self, e: &ConnectionLost) {
            assert!(e.error.is_none());
            self.0.push("lost");
        }
    }

    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(b"x");
        let (t, never) = connect::<Never>(&lp, stream(raw)).await?;
        t.wait_closed().await;
        assert_eq!(never.with(|never| never.0.clone())?, ["made", "lost"]);
        Ok(())
    });
}

#[test]
fn ax21_the_stream_is_closed_after_lost_ran_even_if_that_failed() {
    struct Last {
        script: support::raw::Script,
        was_open: Flag,
    }

    #[protocol]
    impl Last {
        #[listener]
        fn lost(&mut self, _: &ConnectionLost) {
            self.was_open.set(!self.script.is_dropped());
            panic!("too late");
        }
    }

    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let (raw, script) = raw(0);
        let was_open = Flag::default();
        let last = Last {
            script: script.clone(),
            was_open: Rc::clone(&was_open),
        };
        let (t, _) = connect_with(&lp, stream(raw), || last).await?;
        t.close();
        t.wait_closed().await;
        assert!(was_open.get() && script.is_dropped());
        Ok(())
    });
    assert_eq!(told.len(), 1);
}

#[test]
fn ax22_a_connection_that_is_dropped_with_its_loop_is_lost() {
    let log = Log::default();
    let lp = EventLoop::virtual_time();
    lp.on_failure(|_| {});
    let (ours, theirs) = pair();
    let own = log.clone();
    let t = run(&lp, async {
        let (t, _) = connect_with(&lp, ours, move || Witness::of(&own)).await?;
        Ok(t)
    });
    drop(lp);
    assert_eq!(
        log.take(),
        ["made", "lost: the event loop has dropped the connection"]
    );
    assert!(t.is_closing());
    assert_eq!(t.write("x"), Err(WriteError::Closed));
    let other = EventLoop::virtual_time();
    run(&other, async {
        let (theirs, _) = connect::<support::Silent>(&other, theirs).await?;
        theirs.wait_closed().await;
        Ok(())
    });
}

#[test]
fn a_loop_that_is_shut_down_closes_its_connections_in_good_order() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (raw, script) = raw(2);
    let own = log.clone();
    run(&lp, async {
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.write("hello")?;
        Ok(())
    });
    let slow = script.clone();
    lp.call_later(Duration::from_secs(1), move |_| {
        slow.with(|state| state.room = 100);
    })
    .unwrap();
    assert!(lp.shutdown(Duration::from_secs(10)).unwrap().is_empty());
    assert_eq!(script.written(), b"hello");
    assert_eq!(log.take(), ["made", "lost"]);
}

#[test]
fn a_peer_that_takes_nothing_holds_up_the_end_of_a_loop_for_its_grace_period() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (raw, script) = raw(2);
    let own = log.clone();
    run(&lp, async {
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        t.write("hello")?;
        Ok(())
    });
    assert!(lp.shutdown(Duration::from_secs(60)).unwrap().is_empty());
    assert_eq!(lp.elapsed(), Duration::from_secs(5));
    assert!(script.is_dropped());
    let dropped = "lost: the event loop has dropped the connection";
    assert_eq!(log.take(), ["made", dropped]);
}

#[test]
fn an_instance_that_keeps_its_transport_ends_with_the_connection() {
    struct Keeper {
        transport: Option<Transport>,
        _alive: Rc<()>,
    }

    #[protocol]
    impl Keeper {
        #[listener]
        fn made(&mut self, _: &ConnectionMade, t: &Transport) {
            self.transport = Some(t.clone());
        }
    }

    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let alive = Rc::new(());
        let keeper = Keeper {
            transport: None,
            _alive: Rc::clone(&alive),
        };
        let (raw, _script) = raw(0);
        let (t, keeper) = connect_with(&lp, stream(raw), || keeper).await?;
        t.abort();
        t.wait_closed().await;
        assert!(keeper.with(|keeper| keeper.transport.is_some())?);
        drop(keeper);
        assert_eq!(Rc::strong_count(&alive), 1);
        assert!(t.protocol::<Keeper>().is_none());
        let late = t.upgrade(Witness::default()).unwrap_err();
        assert_eq!(late.kind(), TransportErrorKind::Closed);
        Ok(())
    });
}

#[test]
fn a_connection_that_nobody_waits_for_any_more_is_aborted() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, script) = raw(0);
        let own = log.clone();
        let connecting = connect_with(&lp, stream(raw), move || Witness::of(&own));
        assert!(lp.timeout(Duration::ZERO, connecting).await.is_err());
        pause(&lp).await;
        assert!(script.is_dropped());
        Ok(())
    });
    assert_eq!(log.take(), ["made", "lost"]);
}

#[test]
fn ar04_who_waits_for_the_end_goes_on_when_it_was_heard() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (raw, _script) = raw(0);
        let own = log.clone();
        let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
        let waits = {
            let (t, log) = (t.clone(), log.clone());
            lp.spawn(async move {
                t.wait_closed().await;
                log.add("waited");
            })?
        };
        lp.sleep(Duration::from_secs(1)).await;
        assert!(!waits.is_finished());
        t.close();
        waits.await?;
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["made", "lost", "waited"]);
}
