//! Faults of real sockets and of listeners: the connection hears of them, and nobody else is harmed.
#![cfg(unix)]

mod support;

use std::future::IntoFuture;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use support::{Ends, Log, Outcome, Silent, Witness, ends, failures, pause, run};
use tidings::transport::{
    ConnectionErrorKind, ConnectionLost, ConnectionMade, DataReceived, Server, Transport,
    WriteError, WriteState, connect, connect_with, serve, serve_with, tcp,
};
use tidings::{EventLoop, protocol};

/// An echo of another connection still works.
async fn check_unharmed(lp: &EventLoop, server: &Server) -> Outcome {
    let log = Log::default();
    let own = log.clone();
    let to = tcp(server.local_addrs());
    let (t, _) = connect_with(lp, to, move || Witness::of(&own)).await?;
    t.write("ping")?;
    log.wait(lp, "data ping").await;
    t.close();
    t.wait_closed().await;
    Ok(())
}

#[test]
fn ax11_a_peer_that_resets_is_an_error_of_its_connection() {
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let (server, log) = ends(&lp).await?;
        let peer = TcpStream::connect(server.local_addrs()[0])?;
        while server.connections() == 0 {
            pause(&lp).await;
        }
        // Bytes that nobody has read make the end of a socket a reset.
        server.transports()[0].write("unread")?;
        while peer.peek(&mut [0; 6])? < 6 {}
        drop(peer);
        let reset = Some(ConnectionErrorKind::Io(ErrorKind::ConnectionReset));
        log.wait(&lp, &format!("{reset:?}")).await;
        check_unharmed(&lp, &server).await?;
        Ok(())
    });
    assert_eq!(told.len(), 0);
}

#[test]
fn a_write_to_a_peer_that_is_gone_loses_the_connection_once() {
    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let log = Log::default();
        let own = log.clone();
        let to = tcp(listener.local_addr()?);
        let (t, _) = connect_with(&lp, to, move || Ends(own)).await?;
        t.pause_reading();
        drop(listener.accept()?);
        // The first write is answered with a reset, and a later one is told of it.
        while t.write("x").is_ok() {
            pause(&lp).await;
        }
        t.wait_closed().await;
        assert_eq!(log.len(), 1);
        assert!(log.take()[0].starts_with("Some(Io("));
        Ok(())
    });
    assert_eq!(told.len(), 0);
}

#[test]
fn a_peer_that_reads_nothing_fills_the_buffer_and_no_more_than_is_written() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (server, _log) = ends(&lp).await?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (stuck, _) = connect::<Silent>(&lp, tcp(listener.local_addr()?)).await?;
        let (mut peer, _) = listener.accept()?;
        let chunk = vec![7; 64 * 1024];
        while stuck.write(chunk.clone())? != WriteState::OverHigh {
            pause(&lp).await;
        }
        assert!(stuck.write_buffer_size() <= 2 * chunk.len());
        check_unharmed(&lp, &server).await?;
        let waited = lp
            .timeout(Duration::from_millis(20), stuck.writable())
            .await;
        assert!(waited.is_err());
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while peer.read(&mut buffer)? > 0 {}
            Ok::<_, std::io::Error>(())
        });
        stuck.writable().await?;
        stuck.close();
        stuck.wait_closed().await;
        reader.join().expect("no panic")?;
        Ok(())
    });
}

#[test]
fn listeners_that_panic_or_fail_end_their_connection_and_no_other() {
    #[derive(Default)]
    struct Moody;

    #[protocol]
    impl Moody {
        #[listener]
        fn made(_: &ConnectionMade, t: &Transport) -> Result<(), WriteError> {
            t.write("hello").map(drop)
        }

        #[listener]
        fn data(e: &DataReceived, t: &Transport) -> Result<(), String> {
            match &e.data[..] {
                b"panic" => panic!("asked to panic"),
                b"fail" => Err("asked to fail".to_owned()),
                data => t
                    .write(data.to_vec())
                    .map(drop)
                    .map_err(|error| error.to_string()),
            }
        }
    }

    let lp = EventLoop::new().unwrap();
    let told = failures(&lp);
    run(&lp, async {
        let server = serve::<Moody>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let peer = thread::spawn(move || {
            let mut good = TcpStream::connect(addr)?;
            good.read_exact(&mut [0; 5])?;
            for word in ["panic", "fail"] {
                let mut bad = TcpStream::connect(addr)?;
                bad.read_exact(&mut [0; 5])?;
                bad.write_all(word.as_bytes())?;
                let mut rest = Vec::new();
                bad.read_to_end(&mut rest)?;
                assert!(rest.is_empty(), "the connection is closed");
            }
            good.write_all(b"ping")?;
            let mut answer = [0; 4];
            good.read_exact(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        });
        while !peer.is_finished() {
            pause(&lp).await;
        }
        assert_eq!(&peer.join().expect("no panic")?, b"ping");
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("panic: asked to panic"), "{told:?}");
    assert!(told[1].ends_with("error: asked to fail"), "{told:?}");
}

#[test]
fn a_loop_that_is_dropped_loses_its_connections_and_closes_their_sockets() {
    let log = Log::default();
    let lp = EventLoop::new().unwrap();
    lp.on_failure(|_| {});
    let own = log.clone();
    let (server, mut peers) = run(&lp, async {
        let factory = move || Ends(own.clone());
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory).await?;
        let mut peers = Vec::new();
        for _ in 0..3 {
            peers.push(TcpStream::connect(server.local_addrs()[0])?);
        }
        while server.connections() < 3 {
            pause(&lp).await;
        }
        Ok((server, peers))
    });
    drop(lp);
    let dropped = format!("{:?}", Some(ConnectionErrorKind::Dropped));
    assert_eq!(log.take(), [&*dropped; 3]);
    assert!(!server.is_listening());
    for peer in &mut peers {
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn a_loop_that_is_dropped_inside_of_a_listener_tells_it_of_the_loss_afterwards() {
    struct Dropper {
        lp: Option<EventLoop>,
        log: Log,
    }

    #[protocol]
    impl Dropper {
        #[listener]
        fn data(&mut self, _: &DataReceived) {
            drop(self.lp.take());
            self.log.add("dropped");
        }

        #[listener]
        fn lost(&mut self, e: &ConnectionLost) {
            self.log.add(format!("lost {}", e.error.is_some()));
        }
    }

    let log = Log::default();
    let lp = EventLoop::virtual_time();
    lp.on_failure(|_| {});
    let (raw, script) = support::raw::raw(0);
    let dropper = run(&lp, async {
        let dropper = Dropper {
            lp: None,
            log: log.clone(),
        };
        let to = tidings::transport::stream(raw);
        Ok(connect_with(&lp, to, || dropper).await?.1)
    });
    let handle = lp.clone();
    dropper.with(|dropper| dropper.lp = Some(lp)).unwrap();
    script.read(b"x");
    // The loop is gone in the middle of its run.
    assert!(handle.run_forever().is_err() || handle.is_closed());
    assert_eq!(log.take(), ["dropped", "lost true"]);
    assert!(script.is_dropped());
}

#[test]
fn a_protocol_whose_drop_panics_keeps_no_connection_from_its_end() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }

    #[protocol]
    impl Bomb {}

    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let place = tidings::transport::memory();
        let server = serve_with(&lp, place.clone(), || Bomb).await?;
        let (t, _) = connect::<Silent>(&lp, place).await?;
        t.close();
        while server.connections() == 0 {
            pause(&lp).await;
        }
        server.close();
        server.wait_closed().await;
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("panic: dropped"), "{told:?}");
}

#[test]
fn a_connection_whose_loop_is_closed_before_its_beginning_hears_nothing() {
    let lp = EventLoop::virtual_time();
    let log = Log::default();
    let (raw, script) = support::raw::raw(0);
    let own = log.clone();
    let to = tidings::transport::stream(raw);
    let connecting = connect_with(&lp, to, move || Witness::of(&own)).into_future();
    let connects = lp.spawn(connecting).unwrap();
    // The first step makes the connection's task, which then has not begun.
    lp.turn(Duration::ZERO).unwrap();
    lp.close().unwrap();
    drop(connects);
    assert!(script.is_dropped());
    assert_eq!(log.len(), 0);
}
