//! Datagram endpoints over Unix sockets.
#![cfg(unix)]

#[path = "support/datagrams.rs"]
mod datagrams;
mod support;

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram as RawSocket;
use std::path::PathBuf;
use std::time::Duration;

use datagrams::{Echo, witness};
use support::{Log, Silent, pause, run};
use tidings::transport::{
    DatagramAddr, DatagramReceived, LOCAL_PATH, PEER_PATH, SendError, TransportErrorKind,
    UnixDatagram, WriteState, endpoint, endpoint_with, unix_datagram,
};
use tidings::{EventLoop, protocol};

/// A folder of its own, removed with this.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("there is room");
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir_all(&self.0);
        assert!(removed.is_ok() || std::thread::panicking());
    }
}

#[test]
fn au7_unix_datagrams_go_to_a_path_and_back() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-datagrams");
    let log = Log::default();
    run(&lp, async {
        let (echo, _) = endpoint::<Echo>(&lp, unix_datagram(folder.at("echo"))).await?;
        assert_eq!(echo.info(LOCAL_PATH), Some(folder.at("echo")));
        let t = witness(&lp, unix_datagram(folder.at("ours")), &log).await?;
        t.send_to("hello", DatagramAddr::from(folder.at("echo")))?;
        log.wait(&lp, "data hello").await;
        let connected = unix_datagram(folder.at("third")).connected(folder.at("echo"));
        let connected = witness(&lp, connected, &log).await?;
        assert_eq!(connected.info(PEER_PATH), Some(folder.at("echo")));
        connected.send("hello again")?;
        log.wait(&lp, "data hello again").await;
        let ip = SocketAddr::from(([127, 0, 0, 1], 9));
        let refused = t.send_to("x", DatagramAddr::from(ip)).unwrap_err();
        assert_eq!(refused, SendError::WrongAddress(ip.into()));
        Ok(())
    });
}

/// Writes down who sends.
struct Senders(Log);

#[protocol]
impl Senders {
    #[listener]
    fn datagram(&mut self, e: &DatagramReceived) {
        self.0.add(e.from.to_string());
    }
}

#[test]
fn au7_a_socket_without_a_path_sends_and_has_no_name() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-unnamed");
    let (log, from) = (Log::default(), Log::default());

    run(&lp, async {
        let own = from.clone();
        let at = unix_datagram(folder.at("here"));
        let (_here, _) = endpoint_with(&lp, at, move || Senders(own)).await?;
        let at = UnixDatagram::unbound().connected(folder.at("here"));
        witness(&lp, at, &log).await?.send("hello")?;
        from.wait(&lp, "an endpoint without an address").await;
        Ok(())
    });
}

#[test]
fn au5_unix_datagrams_that_would_block_wait_whole_and_in_order() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-waiting");
    let log = Log::default();
    run(&lp, async {
        // The peer does not read yet.
        let peer = RawSocket::bind(folder.at("slow"))?;
        let at = UnixDatagram::unbound().connected(folder.at("slow"));
        let t = witness(&lp, at, &log).await?;
        let mut sent = 0;
        while t.send(format!("{sent:04}").repeat(500))? != WriteState::OverHigh {
            sent += 1;
        }
        assert_eq!(log.take(), ["made", "paused"]);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 3000];
            let mut texts = Vec::new();
            for _ in 0..=sent {
                let size = peer.recv(&mut buffer)?;
                texts.push(String::from_utf8_lossy(&buffer[..size]).into_owned());
            }
            Ok::<_, std::io::Error>(texts)
        });
        log.wait(&lp, "resumed").await;
        t.close();
        t.wait_closed().await;
        for (number, text) in reader.join().expect("no panic")?.iter().enumerate() {
            assert_eq!(*text, format!("{number:04}").repeat(500));
        }
        Ok(())
    });
}

#[test]
fn au5_a_unix_datagram_waits_until_others_have_made_room() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-others");
    let log = Log::default();
    run(&lp, async {
        let peer = RawSocket::bind(folder.at("full"))?;
        let other = RawSocket::unbound()?;
        other.set_nonblocking(true)?;
        let mut sent = 0;
        while other.send_to(b"other", folder.at("full")).is_ok() {
            sent += 1;
        }
        let t = witness(&lp, UnixDatagram::unbound(), &log).await?;
        let state = t.send_to("ours", DatagramAddr::from(folder.at("full")))?;
        assert_eq!(state, WriteState::Buffered);
        lp.sleep(Duration::from_millis(50)).await;
        assert_eq!(t.write_buffer_size(), 12);
        let mut buffer = [0; 100];
        for _ in 0..sent {
            peer.recv(&mut buffer)?;
        }
        while t.write_buffer_size() > 0 {
            pause(&lp).await;
        }
        let size = peer.recv(&mut buffer)?;
        assert_eq!(&buffer[..size], b"ours");
        Ok(())
    });
}

#[test]
fn au2_a_unix_datagram_to_nobody_is_an_error_that_names_it() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-nobody");
    let log = Log::default();
    run(&lp, async {
        let t = witness(&lp, unix_datagram(folder.at("ours")), &log).await?;
        t.send_to("hello", DatagramAddr::from(folder.at("nobody")))?;
        let heard = log.take();
        let begins = "error a datagram of 5 bytes to ";
        assert!(heard[1].starts_with(begins), "{heard:?}");
        assert!(heard[1].contains("nobody was not sent"), "{heard:?}");
        assert!(!t.is_closing());
        Ok(())
    });
}

#[test]
fn a_datagram_that_the_system_finds_too_large_is_an_error_that_says_its_size() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-large");
    let log = Log::default();
    run(&lp, async {
        let t = witness(&lp, unix_datagram(folder.at("ours")), &log).await?;
        let to = DatagramAddr::from(folder.at("ours"));
        t.send_to(vec![0; 64 << 20], to)?;
        let heard = log.take();
        let begins = "error a datagram of 67108864 bytes to ";
        assert!(heard[1].starts_with(begins), "{heard:?}");
        t.send_to("small", DatagramAddr::from(folder.at("ours")))?;
        log.wait(&lp, "data small").await;
        Ok(())
    });
}

#[test]
fn the_path_is_removed_at_the_end_and_that_of_a_dead_socket_is_taken() {
    let lp = EventLoop::new().unwrap();
    let folder = Folder::new("tidings-path");
    run(&lp, async {
        // A program that crashed leaves its path behind.
        drop(RawSocket::bind(folder.at("here"))?);
        let at = || unix_datagram(folder.at("here"));
        let (t, _) = endpoint::<Silent>(&lp, at()).await?;
        let error = endpoint::<Silent>(&lp, at()).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::Bind);
        assert!(error.to_string().contains("here: "), "{error}");
        t.close();
        t.wait_closed().await;
        assert!(!folder.at("here").exists());
        Ok(())
    });
}
