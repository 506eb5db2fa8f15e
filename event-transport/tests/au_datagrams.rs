//! Datagram endpoints inside of the program, in virtual time.

#[path = "support/datagrams.rs"]
mod datagrams;
mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datagrams::{Count, Witness, pair, witness};
use support::{Flag, Log, Silent, failures, pause, run};
use tidings::transport::{
    ConnectionLost, ConnectionMade, SendError, TransportErrorKind, WriteLimits, WriteState,
    datagram_pair, endpoint, endpoint_with, udp,
};
use tidings::{Bus, EventLoop, listener, protocol};

#[test]
fn au2_a_listener_that_fails_is_told_to_the_hook_and_the_endpoint_stays() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let told = failures(&lp);
    run(&lp, async {
        let (ours, theirs) = datagram_pair();
        let own = log.clone();
        let factory = move || Witness {
            log: own,
            fails_at: Some("bad"),
        };
        let (t, _) = endpoint_with(&lp, ours, factory).await?;
        let (peer, _) = endpoint::<Silent>(&lp, theirs).await?;
        peer.send("bad one")?;
        peer.send("good one")?;
        log.wait(&lp, "data good one").await;
        assert!(!t.is_closing());
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("bad one is too much"), "{told:?}");
}

#[test]
fn au3_a_listener_that_fails_at_the_beginning_ends_the_endpoint() {
    struct Broken(Log);

    #[protocol]
    impl Broken {
        #[listener]
        fn made(_: &ConnectionMade) -> Result<(), String> {
            Err("no room".to_owned())
        }

        #[listener]
        fn lost(&mut self, e: &ConnectionLost) {
            self.0.add(format!("{:?}", e.error));
        }
    }

    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (own, told) = (log.clone(), failures(&lp));
    run(&lp, async {
        let at = datagram_pair().0;
        let (t, _) = endpoint_with(&lp, at, move || Broken(own)).await?;
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(
        log.take(),
        ["Some(a listener of the protocol failed: no room)"]
    );
    assert_eq!(told.len(), 1);
}

#[test]
fn au5_what_would_block_waits_whole_and_in_order() {
    let lp = EventLoop::virtual_time();
    let (log, peers) = (Log::default(), Log::default());
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        let mut states = Vec::new();
        for number in 0..100 {
            let mut data = format!("{number:03}");
            data.push_str(&"x".repeat(997));
            states.push(t.send(data)?);
        }
        // The pair has room for 65 datagrams with their overhead, and the marks are 64 and 16 KiB.
        assert_eq!(states[64], WriteState::Sent);
        assert_eq!(states[65], WriteState::Buffered);
        assert_eq!(t.write_buffer_size(), 35 * 1008);
        let _peer = witness(&lp, theirs, &peers).await?;
        while peers.len() < 101 {
            pause(&lp).await;
        }
        let heard = peers.take();
        for (number, text) in heard[1..].iter().enumerate() {
            assert!(text.starts_with(&format!("data {number:03}x")));
            assert_eq!(text.len(), 1005);
        }
        assert_eq!(t.write_buffer_size(), 0);
        Ok(())
    });
}

#[test]
fn au5_above_the_high_mark_sending_is_paused_and_at_the_low_one_resumed() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        t.set_write_limits(WriteLimits::between(100, 1000)?);
        while t.send(vec![1; 992])? == WriteState::Sent {}
        assert_eq!(t.write_buffer_size(), 1000);
        assert_eq!(log.take(), ["made"]);
        assert_eq!(t.send("")?, WriteState::OverHigh);
        assert_eq!(log.take(), ["paused"], "at once");
        let waiting = t.clone();
        let writable = lp.spawn(async move { waiting.writable().await })?;
        let (_peer, _) = endpoint::<Silent>(&lp, theirs).await?;
        assert_eq!(writable.await?, Ok(()));
        assert_eq!(log.take(), ["resumed"]);
        Ok(())
    });
}

#[test]
fn au6_an_empty_datagram_is_sent_and_counts_its_overhead_while_it_waits() {
    let lp = EventLoop::virtual_time();
    let (log, peers) = (Log::default(), Log::default());
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        let mut sent = 0;
        while t.send("")? == WriteState::Sent {
            sent += 1;
        }
        assert_eq!(sent, 64 * 1024 / 8);
        assert_eq!(t.write_buffer_size(), 8);
        witness(&lp, theirs, &peers).await?;
        while peers.len() < sent + 2 {
            pause(&lp).await;
        }
        assert_eq!(t.write_buffer_size(), 0);
        Ok(())
    });
}

#[test]
fn au7_close_sends_what_waits_and_abort_does_not() {
    for close in [true, false] {
        let lp = EventLoop::virtual_time();
        let (log, peers) = (Log::default(), Log::default());
        run(&lp, async {
            let (t, theirs) = pair(&lp, &log).await?;
            let mut sent = 1;
            while t.send(vec![b'x'; 1000])? == WriteState::Sent {
                sent += 1;
            }
            if close {
                t.close();
                t.close();
            } else {
                t.abort();
            }
            assert!(t.is_closing());
            assert_eq!(t.send("late"), Err(SendError::Closed));
            assert_eq!(t.writable().await, Err(SendError::Closed));
            let _peer = witness(&lp, theirs, &peers).await?;
            t.wait_closed().await;
            assert_eq!(log.take(), ["made", "lost"]);
            let arrived = if close { sent } else { sent - 1 };
            while peers.len() < arrived + 1 {
                pause(&lp).await;
            }
            lp.sleep(Duration::from_secs(1)).await;
            assert_eq!(peers.len(), arrived + 1);
            Ok(())
        });
    }
}

#[test]
fn au7_what_waits_for_an_end_that_goes_away_is_refused() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        while t.send(vec![b'x'; 1000])? == WriteState::Sent {}
        drop(theirs);
        let error = "error a datagram of 1000 bytes to an endpoint without an address was not sent: connection refused";
        log.wait(&lp, error).await;
        assert!(!t.is_closing());
        assert_eq!(t.write_buffer_size(), 0);
        Ok(())
    });
}

#[test]
fn in_virtual_time_udp_is_an_error_that_says_what_to_write() {
    let lp = EventLoop::virtual_time();
    let at = udp("127.0.0.1:0");
    let opened = lp.run_until_complete(async { endpoint::<Silent>(&lp, at).await });
    let error = opened.unwrap().unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::NoReactor);
    assert!(error.to_string().contains("datagram_pair()"), "{error}");
}

#[test]
fn an_instance_can_be_exchanged_and_looked_at() {
    let lp = EventLoop::virtual_time();
    let (log, second) = (Log::default(), Log::default());
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        let (peer, _) = endpoint::<Silent>(&lp, theirs).await?;
        assert!(t.protocol::<Witness>().is_some());
        assert!(t.protocol::<Silent>().is_none());
        t.upgrade(Witness {
            log: second.clone(),
            fails_at: None,
        })?;
        peer.send("hello")?;
        second.wait(&lp, "data hello").await;
        assert_eq!(log.take(), ["made"]);
        t.close();
        t.wait_closed().await;
        assert!(t.upgrade(Silent).is_err());
        Ok(())
    });
}

#[listener(when = |e| e.connection.label() == "clock")]
fn audit(e: &ConnectionMade, seen: &Mutex<Vec<u64>>) {
    seen.lock().unwrap().push(e.connection.id());
}

#[listener(when = |e| e.connection.label() == "clock")]
fn audit_end(e: &ConnectionLost, seen: &Mutex<Vec<u64>>) {
    seen.lock().unwrap().push(e.connection.id());
}

#[test]
fn the_bus_hears_of_a_labelled_endpoint() {
    let lp = EventLoop::virtual_time();
    let seen = Arc::new(Mutex::new(Vec::<u64>::new()));
    let bus = Bus::builder().state(Arc::clone(&seen)).build().unwrap();
    let id = run(&lp, async {
        let (one, two) = datagram_pair();
        let (t, _) = endpoint::<Silent>(&lp, one).label("clock").on(&bus).await?;
        let (_other, _) = endpoint::<Silent>(&lp, two).on(&bus).await?;
        t.close();
        t.wait_closed().await;
        Ok(t.connection().id())
    });
    assert_eq!(*seen.lock().unwrap(), [id, id]);
}

#[test]
fn a_loop_that_is_closed_ends_its_endpoints() {
    let log = Log::default();
    let dropped: Flag = Flag::default();
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        let seen = Rc::clone(&dropped);
        lp.spawn(async move {
            t.wait_closed().await;
            seen.set(true);
        })?
        .detach();
        drop(theirs);
        Ok(())
    });
    drop(lp);
    assert_eq!(
        log.take(),
        ["made", "lost: the event loop has dropped the connection"]
    );
}

#[test]
fn a_flood_is_received_in_bounded_steps() {
    let lp = EventLoop::virtual_time();
    let (log, count) = (Log::default(), Rc::new(Cell::new(0)));
    run(&lp, async {
        let (t, theirs) = pair(&lp, &log).await?;
        while t.send("")? == WriteState::Sent {}
        t.abort();
        let own = Rc::clone(&count);
        let (_peer, _) = endpoint_with(&lp, theirs, move || Count(own)).await?;
        // Whatever else is ready has a turn after each step.
        let (mut before, mut steps) = (count.get(), 0);
        while before < 64 * 1024 / 8 {
            lp.next_turn().await;
            let now = count.get();
            assert!(now - before <= 32, "{} at once", now - before);
            (before, steps) = (now, steps + 1);
        }
        assert!(steps >= 64 * 1024 / 8 / 32);
        Ok(())
    });
}
