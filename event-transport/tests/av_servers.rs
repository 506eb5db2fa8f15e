//! Servers, clause by clause.

mod support;

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use support::{Echo, Log, Silent, Witness, pause, run, server_of, until};
use tidings::EventLoop;
use tidings::transport::{TransportErrorKind, connect, connect_with, memory, serve, tcp};

#[test]
fn av01_a_closed_server_accepts_nothing_and_its_connections_live() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let log = Log::default();
        let own = log.clone();
        let (t, _) = connect_with(&lp, tcp(addr), move || Witness::of(&own)).await?;
        until(&lp, &server, 1).await;
        assert!(server.is_listening());
        server.close();
        server.close();
        assert!(!server.is_listening());
        assert!(
            TcpStream::connect(addr).is_err(),
            "the socket is closed at once"
        );
        assert_eq!(server.local_addrs(), [addr]);
        t.write("still there")?;
        log.wait(&lp, "data still there").await;
        Ok(())
    });
}

#[test]
fn av02_all_that_wait_are_accepted_and_other_items_have_their_turn() {
    const CLIENTS: usize = 300;
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let place = memory();
        let server = serve::<Silent>(&lp, place.clone()).paused().await?;
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(connect::<Silent>(&lp, place.clone()).await?);
        }
        assert_eq!(server.connections(), 0);
        server.start();
        let mut seen = Vec::new();
        while server.connections() < CLIENTS {
            lp.next_turn().await;
            seen.push(server.connections());
        }
        seen.dedup();
        seen.retain(|count| *count > 0);
        assert_eq!(seen, [128, 256, 300]);
        Ok(())
    });
}

#[test]
fn av03_wait_closed_is_until_the_server_is_closed_and_the_last_connection_lost() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (server, _place, log) = server_of(&lp, 1).await?;
        let second = Duration::from_secs(1);
        assert!(lp.timeout(second, server.wait_closed()).await.is_err());
        server.close();
        assert!(lp.timeout(second, server.wait_closed()).await.is_err());
        server.close_clients();
        server.wait_closed().await;
        server.wait_closed().await;
        assert_eq!(server.connections(), 0);
        log.wait(&lp, "eof").await;
        Ok(())
    });
}

#[test]
fn av04_clients_are_closed_with_what_they_have_to_write_or_aborted_without() {
    for aborts in [false, true] {
        let lp = EventLoop::virtual_time();
        run(&lp, async {
            let (server, _place, log) = server_of(&lp, 2).await?;
            for t in server.transports() {
                // More than is on its way at a time.
                t.write(vec![b'x'; 100 * 1024])?;
            }
            if aborts {
                server.abort_clients();
            } else {
                server.close_clients();
            }
            until(&lp, &server, 0).await;
            assert!(server.is_listening());
            while log.len() < 2 || !log.has("lost") {
                pause(&lp).await;
            }
            lp.sleep(Duration::from_secs(1)).await;
            let entries = log.take();
            let size: usize = entries
                .iter()
                .filter_map(|entry| entry.strip_prefix("data "))
                .map(str::len)
                .sum();
            let expected = if aborts { 2 * 64 } else { 2 * 100 };
            assert_eq!(size, expected * 1024);
            assert_eq!(entries.iter().filter(|entry| *entry == "lost").count(), 2);
            Ok(())
        });
    }
}

#[test]
fn av05_a_paused_server_listens_and_accepts_when_it_is_started() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).paused().await?;
        let (t, _) = connect::<Silent>(&lp, tcp(server.local_addrs())).await?;
        for _ in 0..10 {
            pause(&lp).await;
        }
        assert_eq!(server.connections(), 0);
        server.start();
        until(&lp, &server, 1).await;
        assert!(!t.is_closing());
        Ok(())
    });
}

#[test]
fn av05_serve_forever_is_for_one_and_closes_the_server_when_it_is_cancelled() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let (server, _place, _log) = server_of(&lp, 1).await?;
        let second = Duration::from_secs(1);
        let first = lp.timeout(second, server.serve_forever());
        let other = async {
            lp.next_turn().await;
            server.serve_forever().await
        };
        let (first, other) = futures_join(first, other).await;
        assert!(first.is_err() && other.is_err());
        assert!(!server.is_listening());
        assert_eq!(server.connections(), 1);
        assert_eq!(server.serve_forever().await, Ok(()));
        Ok(())
    });
}

/// Waits for both.
async fn futures_join<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut one, mut other) = (None, None);
    std::future::poll_fn(|cx| {
        use std::task::Poll;
        if one.is_none() {
            if let Poll::Ready(value) = a.as_mut().poll(cx) {
                one = Some(value);
            }
        }
        if other.is_none() {
            if let Poll::Ready(value) = b.as_mut().poll(cx) {
                other = Some(value);
            }
        }
        match (one.take(), other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (first, second) => {
                (one, other) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn av06_a_server_listens_at_every_address_with_a_port_that_the_system_chose() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let any: SocketAddr = "127.0.0.1:0".parse()?;
        let server = serve::<Silent>(&lp, tcp(vec![any, any])).await?;
        let addrs = server.local_addrs();
        assert!(addrs.len() == 2 && addrs[0] != addrs[1]);
        for addr in addrs {
            assert_ne!(addr.port(), 0);
            TcpStream::connect(addr)?;
        }
        Ok(())
    });
}

#[test]
fn av06_an_address_that_this_machine_lacks_is_left_out_if_there_is_another() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        // An address for documentation, which no machine has.
        let lacking: SocketAddr = "192.0.2.1:0".parse()?;
        let own: SocketAddr = "127.0.0.1:0".parse()?;
        let server = serve::<Silent>(&lp, tcp(vec![lacking, own])).await?;
        assert_eq!(server.local_addrs().len(), 1);
        let error = serve::<Silent>(&lp, tcp(lacking)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Bind);
        let kind = error.errors()[0].1.kind();
        assert_eq!(kind, std::io::ErrorKind::AddrNotAvailable);
        Ok(())
    });
}

#[cfg(unix)]
#[test]
fn av06_servers_share_a_port_if_each_of_them_says_so() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let one = serve::<Silent>(&lp, tcp("127.0.0.1:0").reuse_port()).await?;
        let addr = one.local_addrs()[0];
        let _other = serve::<Silent>(&lp, tcp(addr).reuse_port()).await?;
        let error = serve::<Silent>(&lp, tcp(addr)).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Bind);
        assert_eq!(error.errors()[0].1.kind(), std::io::ErrorKind::AddrInUse);
        assert!(
            error
                .to_string()
                .starts_with(&format!("cannot listen at {addr}: ")),
            "{error}"
        );
        Ok(())
    });
}

#[test]
fn av06_one_port_is_served_for_both_versions() {
    use std::net::TcpListener;

    if TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no version 6");
        return;
    }
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let four: SocketAddr = format!("0.0.0.0:{free}").parse()?;
        let six: SocketAddr = format!("[::]:{free}").parse()?;
        for addrs in [vec![four, six], vec![six, four]] {
            let server = serve::<Silent>(&lp, tcp(addrs)).await?;
            assert_eq!(server.local_addrs().len(), 2);
            let _four = TcpStream::connect(("127.0.0.1", free))?;
            let _six = TcpStream::connect(("::1", free))?;
            until(&lp, &server, 2).await;
            let peers = server.transports();
            let versions = peers.iter().map(|t| {
                let addr = t.info(tidings::transport::PEER_ADDR);
                addr.is_some_and(|addr| addr.is_ipv4())
            });
            let mut versions: Vec<_> = versions.collect();
            versions.sort_unstable();
            assert_eq!(versions, [false, true], "one of each version");
            server.abort_clients();
            server.close();
            server.wait_closed().await;
        }
        Ok(())
    });
}
