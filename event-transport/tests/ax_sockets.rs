//! Connections over sockets of the operating system, clause by clause.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use support::{Echo, Log, Silent, Witness, pause, run};
use tidings::EventLoop;
use tidings::transport::{
    LOCAL_ADDR, PEER_ADDR, TransportErrorKind, WriteLimits, WriteState, connect, connect_with,
    serve, serve_with, tcp,
};

fn local() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    local().local_addr().unwrap()
}

#[test]
fn ax01_facts_have_types_or_names_with_a_default() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let (t, _) = connect::<Silent>(&lp, tcp(addr)).await?;
        assert_eq!(t.info(PEER_ADDR), Some(addr));
        assert_eq!(t.info_str("peername", "-"), addr.to_string());
        let own = t.info(LOCAL_ADDR).expect("TCP has addresses");
        assert_eq!(t.info_str("sockname", "-"), own.to_string());
        assert_eq!(t.info_str("cipher", "none"), "none");
        assert_eq!(t.info_str("what", ""), "");
        Ok(())
    });
}

#[test]
fn ax02_facts_stay_when_the_connection_is_lost() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let (t, _) = connect::<Silent>(&lp, tcp(addr)).await?;
        t.abort();
        t.wait_closed().await;
        assert_eq!(t.info(PEER_ADDR), Some(addr));
        assert!(t.info(LOCAL_ADDR).is_some());
        Ok(())
    });
}

#[test]
fn ax12_a_half_closed_connection_goes_on_in_the_other_direction() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let own = log.clone();
        let factory = move || Witness {
            keep: true,
            ..Witness::of(&own)
        };
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory).await?;
        let addr = server.local_addrs()[0];
        let peer = thread::spawn(move || {
            let mut peer = TcpStream::connect(addr)?;
            peer.write_all(b"request")?;
            peer.shutdown(std::net::Shutdown::Write)?;
            let mut answer = Vec::new();
            peer.read_to_end(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        });
        log.wait(&lp, "eof").await;
        let t = server.transports().pop().expect("it is connected");
        t.write("answer")?;
        t.write_eof()?;
        server.close();
        server.wait_closed().await;
        assert_eq!(peer.join().expect("no panic")?, b"answer");
        Ok(())
    });
    assert_eq!(log.take(), ["made", "data request", "eof", "lost"]);
}

#[test]
fn ax13_a_write_to_a_full_socket_is_kept_and_written_when_there_is_room() {
    const SIZE: usize = 8 * 1024 * 1024;
    let lp = EventLoop::new().unwrap();
    let listener = local();
    let addr = listener.local_addr().unwrap();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let (t, _) = connect_with(&lp, tcp(addr), move || Witness::of(&own)).await?;
        let (mut peer, _) = listener.accept()?;
        let sent: Vec<u8> = (0..=250).cycle().take(SIZE).collect();
        assert_eq!(t.write(sent.clone()), Ok(WriteState::OverHigh));
        assert!(log.has("paused"));
        assert!(t.write_buffer_size() < SIZE, "a part is written at once");
        let reader = thread::spawn(move || {
            let mut got = Vec::new();
            peer.read_to_end(&mut got).map(|_| got)
        });
        t.writable().await?;
        assert!(log.has("resumed"));
        t.close();
        t.wait_closed().await;
        assert!(reader.join().expect("no panic")? == sent);
        Ok(())
    });
}

#[test]
fn ax07_a_peer_whose_bytes_are_not_read_is_held_up() {
    let lp = EventLoop::new().unwrap();
    let listener = local();
    let addr = listener.local_addr().unwrap();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let (t, witness) = connect_with(&lp, tcp(addr), move || Witness::of(&own)).await?;
        t.pause_reading();
        let (mut peer, _) = listener.accept()?;
        peer.set_nonblocking(true)?;
        let chunk = vec![0; 64 * 1024];
        let mut sent = 0;
        let full = loop {
            match peer.write(&chunk) {
                Ok(count) => sent += count,
                Err(error) => break error.kind(),
            }
        };
        assert_eq!(full, std::io::ErrorKind::WouldBlock);
        for _ in 0..10 {
            pause(&lp).await;
        }
        assert_eq!(log.take(), ["made"]);
        t.resume_reading();
        while witness.with(|witness| witness.received.len())? < sent {
            pause(&lp).await;
        }
        Ok(())
    });
}

#[test]
fn ax28_each_address_is_tried_and_each_error_kept() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let gone = [nobody(), nobody()];
        let server = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await?;
        let addr = server.local_addrs()[0];
        let (t, _) = connect::<Silent>(&lp, tcp(vec![gone[0], addr])).await?;
        assert_eq!(t.info(PEER_ADDR), Some(addr));

        let error = connect::<Silent>(&lp, tcp(&gone[..])).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Connect);
        let tried: Vec<_> = error
            .errors()
            .iter()
            .map(|(addr, error)| (addr.clone(), error.kind()))
            .collect();
        let refused = std::io::ErrorKind::ConnectionRefused;
        assert_eq!(tried, gone.map(|addr| (addr.to_string(), refused)));
        for addr in gone {
            assert!(error.to_string().contains(&addr.to_string()), "{error}");
        }

        let error = connect::<Silent>(&lp, tcp("no port here"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Address);
        assert!(error.to_string().starts_with("`no port here`: "), "{error}");
        let error = connect::<Silent>(&lp, tcp(Vec::new())).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Address);
        Ok(())
    });
}

#[test]
fn ax28_a_client_chooses_its_own_address() {
    let lp = EventLoop::new().unwrap();
    let listener = local();
    let to = listener.local_addr().unwrap();
    run(&lp, async {
        let own = nobody();
        let (t, _) = connect::<Silent>(&lp, tcp(to).local_addr(own)).await?;
        assert_eq!(t.info(LOCAL_ADDR), Some(own));
        let (_peer, from) = listener.accept()?;
        assert_eq!(from, own);
        Ok(())
    });
}

#[test]
fn a_loop_without_io_says_so() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let error = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::NoReactor);
        let error = connect::<Silent>(&lp, tcp("127.0.0.1:1"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::NoReactor);
        Ok(())
    });
}

#[test]
fn the_marks_of_a_server_are_those_of_its_connections() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let limits = WriteLimits::high(1000);
        let server = serve::<Silent>(&lp, tcp("127.0.0.1:0"))
            .write_limits(limits)
            .await?;
        let to = tcp(server.local_addrs());
        let (t, _) = connect::<Silent>(&lp, to)
            .write_limits(WriteLimits::low(1))
            .await?;
        assert_eq!(t.write_limits().high_mark(), 4);
        while server.connections() == 0 {
            pause(&lp).await;
        }
        assert_eq!(server.transports()[0].write_limits(), limits);
        Ok(())
    });
}

/// A server whose place for those that wait is taken: the operating system answers nobody else. `None` where it does.
fn black_hole() -> Option<(SocketAddr, Vec<TcpStream>)> {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    // It is never accepted from, and closed with the process.
    std::mem::forget(listener);
    let mut waiting = Vec::new();
    while waiting.len() < 16 {
        match TcpStream::connect_timeout(&addr, Duration::from_millis(300)) {
            Ok(stream) => waiting.push(stream),
            Err(_) => return Some((addr, waiting)),
        }
    }
    None
}

#[test]
fn ax28_an_address_that_says_nothing_does_not_hold_up_one_that_works() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let Some((hole, _waiting)) = black_hole() else {
            println!("skipped: this system answers also where nobody accepts");
            return Ok(());
        };
        let server = serve::<Silent>(&lp, tcp("127.0.0.1:0")).await?;
        let works = server.local_addrs()[0];
        let head_start = Duration::from_millis(20);
        for addrs in [vec![hole, works], vec![hole, nobody(), works]] {
            let to = tcp(addrs).happy_eyeballs(head_start);
            let (t, _) = connect::<Silent>(&lp, to).await?;
            assert_eq!(t.info(PEER_ADDR), Some(works));
            t.abort();
        }
        // The try that was given up is the only other one.
        assert!(server.connections() <= 2);
        Ok(())
    });
}

#[test]
fn ax28_each_error_is_kept_also_of_addresses_that_are_tried_at_once() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let gone = [nobody(), nobody()];
        let to = tcp(&gone[..]).happy_eyeballs(Duration::from_secs(60));
        let error = connect::<Silent>(&lp, to).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Connect);
        let tried = error.errors().iter().map(|(addr, _)| addr.clone());
        assert_eq!(tried.collect::<Vec<_>>(), gone.map(|addr| addr.to_string()));
        Ok(())
    });
}

#[test]
fn ar01_tasks_read_from_tokios_streams_beside_protocols() {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        let stream = tokio::net::TcpStream::connect(server.local_addrs()[0]).await?;
        let mut stream = BufReader::new(stream);
        stream.write_all(b"one\ntwo").await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        assert_eq!(line, "one\n");
        let mut exact = [0; 3];
        stream.read_exact(&mut exact).await?;
        assert_eq!(&exact, b"two");
        server.close_clients();
        let short = stream.read_exact(&mut exact).await.unwrap_err();
        assert_eq!(short.kind(), std::io::ErrorKind::UnexpectedEof);
        Ok(())
    });
}

#[cfg(unix)]
mod unix {
    use std::io::ErrorKind;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;

    use tidings::transport::{LOCAL_PATH, PEER_CREDENTIALS, PEER_PATH, unix};

    use super::support::{Echo, Log, Silent, Witness, run};
    use super::{EventLoop, TransportErrorKind, connect_with, serve};

    /// A path of the test's own.
    fn path(name: &str) -> PathBuf {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.sock"));
        if let Err(error) = std::fs::remove_file(&path) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        path
    }

    #[test]
    fn streams_go_over_unix_sockets() {
        let lp = EventLoop::new().unwrap();
        let path = path("echo");
        run(&lp, async {
            let server = serve::<Echo>(&lp, unix(&path)).await?;
            assert_eq!(server.local_path().as_ref(), Some(&path));
            let log = Log::default();
            let own = log.clone();
            let (t, _) = connect_with(&lp, unix(&path), move || Witness::of(&own)).await?;
            assert_eq!(t.info(PEER_PATH).as_ref(), Some(&path));
            assert_eq!(t.info(LOCAL_PATH), None);
            assert_eq!(t.info_str("peername", "-"), path.display().to_string());
            assert!(t.info(PEER_CREDENTIALS).is_some());
            t.write("ping")?;
            log.wait(&lp, "data ping").await;
            Ok(())
        });
    }

    #[test]
    fn av06_a_closed_server_removes_its_own_socket_and_no_other() {
        let lp = EventLoop::new().unwrap();
        let path = path("own");
        run(&lp, async {
            let server = serve::<Silent>(&lp, unix(&path)).await?;
            server.close();
            assert!(!path.exists());

            let server = serve::<Silent>(&lp, unix(&path)).await?;
            // Kept, so that its number is not given to the next one.
            let moved = path.with_extension("moved");
            std::fs::rename(&path, &moved)?;
            let other = UnixListener::bind(&path)?;
            server.close();
            assert!(path.exists(), "it belongs to another server");
            drop(other);
            std::fs::remove_file(&moved)?;
            Ok(())
        });
    }

    #[test]
    fn av06_a_server_takes_the_place_of_one_that_is_gone_and_of_no_other() {
        let lp = EventLoop::new().unwrap();
        let path = path("stale");
        run(&lp, async {
            drop(UnixListener::bind(&path)?);
            assert!(path.exists());
            let server = serve::<Silent>(&lp, unix(&path)).await?;
            let error = serve::<Silent>(&lp, unix(&path)).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Bind);
            assert!(server.is_listening() && UnixStream::connect(&path).is_ok());
            server.close();

            std::fs::write(&path, "no socket")?;
            let error = serve::<Silent>(&lp, unix(&path)).await.unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::Bind);
            let words = "something that is no socket has this path";
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(std::fs::read(&path)?, b"no socket");
            let error = super::connect::<Silent>(&lp, unix(&path))
                .await
                .unwrap_err();
            let words = "what has this path is no socket";
            assert!(error.to_string().ends_with(words), "{error}");
            std::fs::remove_file(&path)?;
            Ok(())
        });
    }
}
