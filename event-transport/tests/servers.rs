//! Servers beyond the clauses: their limit, their end, and what makes their protocols.

mod support;

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use support::raw::raw;
use support::{Echo, LONG, Log, Silent, Witness, failures, pause, run, server_of, until};
use tidings::EventLoop;
use tidings::transport::{
    TransportErrorKind, connect, connect_with, memory, serve, serve_with, stream, tcp,
};

#[test]
fn a_full_server_accepts_the_next_one_when_another_has_ended() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let factory = move || Witness::of(&own);
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory)
            .limit(2)
            .await?;
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(server.local_addrs()[0])?);
        }
        until(&lp, &server, 2).await;
        for _ in 0..10 {
            pause(&lp).await;
        }
        assert_eq!((server.connections(), log.take().len()), (2, 2));
        clients.remove(0);
        log.wait(&lp, "lost").await;
        log.wait(&lp, "made").await;
        assert_eq!(server.connections(), 2);
        Ok(())
    });
}

#[test]
#[should_panic(expected = "a limit of 0 connections lets none in")]
fn a_limit_of_nothing_is_refused() {
    let lp = EventLoop::virtual_time();
    let _ = serve::<Silent>(&lp, memory()).limit(0);
}

#[test]
fn a_dropped_server_is_closed_and_one_that_is_kept_forever_is_not() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (server, place, log) = server_of(&lp, 1).await?;
        drop(server);
        assert!(connect::<Silent>(&lp, place.clone()).await.is_err());
        assert_eq!(log.len(), 0, "the connection lives");

        serve::<Echo>(&lp, place.clone()).await?.forever();
        connect::<Silent>(&lp, place).await?;
        Ok(())
    });
}

#[test]
fn a_place_in_memory_has_one_server() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let place = memory();
        let error = connect::<Silent>(&lp, place.clone()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Connect);
        let _server = serve::<Silent>(&lp, place.clone()).await?;
        let error = serve::<Silent>(&lp, place).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Bind);
        Ok(())
    });
}

#[test]
fn drain_writes_what_is_there_and_aborts_who_does_not_take_it() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (server, place, log) = server_of(&lp, 1).await?;
        // A client that reads nothing.
        let (stuck, _) = connect::<Silent>(&lp, place).await?;
        stuck.pause_reading();
        until(&lp, &server, 2).await;
        for t in server.transports() {
            t.write(vec![b'x'; 1024 * 1024])?;
        }
        let begun = lp.elapsed();
        assert_eq!(server.drain(Duration::from_secs(30)).await, 1);
        assert_eq!(lp.elapsed(), begun + Duration::from_secs(30));
        assert_eq!(server.connections(), 0);
        log.wait(&lp, "lost").await;
        let data = log.take();
        let size: usize = data
            .iter()
            .filter_map(|entry| entry.strip_prefix("data "))
            .map(str::len)
            .sum();
        assert_eq!(size, 1024 * 1024);
        Ok(())
    });
}

#[test]
fn a_factory_that_panics_is_told_and_the_next_connection_is_served() {
    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let place = memory();
        let mut count = 0;
        let factory = move || {
            count += 1;
            assert_ne!(count, 1, "the first one fails");
            Echo
        };
        let server = serve_with(&lp, place.clone(), factory).await?;
        let (first, _) = connect::<Silent>(&lp, place.clone()).await?;
        first.wait_closed().await;
        let (_second, _) = connect::<Silent>(&lp, place).await?;
        until(&lp, &server, 1).await;

        let (raw, script) = raw(0);
        let failed = connect_with(&lp, stream(raw), || -> Echo { panic!("no protocol") });
        let error = failed.await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Factory);
        assert!(script.is_dropped());
        Ok(())
    });
    let told = told.take();
    assert_eq!(told.len(), 2);
    assert!(told[0].contains("the first one fails"), "{told:?}");
}

#[test]
fn a_loop_that_is_shut_down_closes_its_servers() {
    let lp = EventLoop::new().unwrap();
    let (server, mut client) = run(&lp, async {
        let server = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await?;
        let client = TcpStream::connect(server.local_addrs()[0])?;
        until(&lp, &server, 1).await;
        Ok((server, client))
    });
    assert!(lp.shutdown(LONG).unwrap().is_empty());
    assert!(!server.is_listening());
    assert_eq!(
        client.read(&mut [0]).unwrap(),
        0,
        "the connection was closed"
    );
}

#[test]
fn a_closed_loop_serves_and_connects_nothing() {
    let lp = EventLoop::virtual_time();
    let other = EventLoop::virtual_time();
    lp.close().unwrap();
    run(&other, async {
        let error = serve::<Silent>(&lp, memory()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Closed);
        let (raw, _) = raw(0);
        let error = connect::<Silent>(&lp, stream(raw)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Closed);
        Ok(())
    });
}
