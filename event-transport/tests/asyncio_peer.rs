//! asyncio's clients and servers talk to ours. Without `python3` the tests say that they are skipped.

mod support;

use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use support::{Echo, Log, Outcome, Witness, pause, run};
use tidings::transport::{
    AfterEof, ConnectionMade, DatagramReceived, DatagramTransport, EofReceived, LOCAL_ADDR,
    SendError, Server, Transport, WriteError, connect_with, endpoint, endpoint_with, serve,
    serve_with, tcp, udp,
};
use tidings::{EventLoop, protocol};

/// Starts a peer; `None` without Python.
fn peer(function: &str, server: Option<&Server>) -> Option<Child> {
    let port = server.map(|server| server.local_addrs()[0].port());
    peer_of(function, port)
}

/// Starts a peer of what has this port; `None` without Python.
fn peer_of(function: &str, port: Option<u16>) -> Option<Child> {
    let port = port.map(|port| port.to_string());
    let started = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer.py"))
        .arg(function)
        .args(port)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    match started {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("{function} is skipped: there is no `python3`");
            None
        }
        started => Some(started.expect("python3 starts")),
    }
}

/// Waits for the end of a peer, which must be a good one.
async fn end(lp: &EventLoop, mut peer: Child) -> Outcome {
    drop(peer.stdin.take());
    while peer.try_wait()?.is_none() {
        pause(lp).await;
    }
    let output = peer.wait_with_output()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn a_client_of_asyncios_gets_its_bytes_back() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Echo>(&lp, tcp("127.0.0.1:0")).await?;
        if let Some(peer) = peer("echo_client", Some(&server)) {
            end(&lp, peer).await?;
        }
        Ok(())
    });
}

/// Answers at the end of the question.
#[derive(Default)]
struct Answers;

#[protocol]
impl Answers {
    #[listener]
    fn eof(_: &EofReceived, t: &Transport) -> Result<AfterEof, WriteError> {
        t.write("answer")?;
        t.write_eof()?;
        Ok(AfterEof::KeepWriting)
    }
}

#[test]
fn ax12_a_client_of_asyncios_that_closes_half_gets_its_answer() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Answers>(&lp, tcp("127.0.0.1:0")).await?;
        if let Some(peer) = peer("half_closing_client", Some(&server)) {
            end(&lp, peer).await?;
            server.close();
            server.wait_closed().await;
        }
        Ok(())
    });
}

/// Sends much and closes.
#[derive(Default)]
struct Flood;

#[protocol]
impl Flood {
    #[listener]
    fn made(_: &ConnectionMade, t: &Transport) -> Result<(), WriteError> {
        t.write(vec![1; 4 * 1024 * 1024])?;
        t.close();
        Ok(())
    }
}

#[test]
fn ax19_a_slow_client_of_asyncios_gets_everything_before_the_end() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let server = serve::<Flood>(&lp, tcp("127.0.0.1:0")).await?;
        if let Some(peer) = peer("slow_client", Some(&server)) {
            end(&lp, peer).await?;
        }
        Ok(())
    });
}

#[test]
fn a_client_of_asyncios_that_aborts_is_lost() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let own = log.clone();
        let factory = move || Witness::of(&own);
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory).await?;
        let Some(peer) = peer("aborting_client", Some(&server)) else {
            return Ok(());
        };
        end(&lp, peer).await?;
        while !log.has("made") || server.connections() > 0 {
            pause(&lp).await;
        }
        let told = log.take();
        assert_eq!(told[0], "made");
        assert!(
            told.last().is_some_and(|last| last.starts_with("lost")),
            "{told:?}"
        );
        Ok(())
    });
}

#[test]
fn a_server_of_asyncios_answers_us_and_sees_our_end() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let Some(mut peer) = peer("shouting_server", None) else {
            return Ok(());
        };
        let mut lines = BufReader::new(peer.stdout.take().expect("it is a pipe")).lines();
        let port: u16 = lines.next().expect("it tells its port")?.parse()?;
        let own = log.clone();
        let (t, witness) =
            connect_with(&lp, tcp(("127.0.0.1", port)), move || Witness::of(&own)).await?;
        t.write("hello")?;
        log.wait(&lp, "data HELLO").await;
        t.write_eof()?;
        t.wait_closed().await;
        assert_eq!(witness.with(|witness| witness.received.clone())?, b"HELLO!");
        assert_eq!(log.take().last().map(String::as_str), Some("lost"));
        drop(peer.stdin.take());
        let rest = lines.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(
            rest, [""; 0],
            "a half closed connection of asyncio's stays until it is closed"
        );
        end(&lp, peer).await
    });
}

/// Sends back what comes, to whoever sent it.
#[derive(Default)]
struct EchoDatagrams;

#[protocol]
impl EchoDatagrams {
    #[listener]
    fn datagram(e: &DatagramReceived, t: &DatagramTransport) -> Result<(), SendError> {
        t.send_to(e.data.clone(), e.from.clone()).map(drop)
    }
}

#[test]
fn au1_a_datagram_client_of_asyncios_gets_its_datagrams_back() {
    let lp = EventLoop::new().unwrap();
    run(&lp, async {
        let (t, _) = endpoint::<EchoDatagrams>(&lp, udp("127.0.0.1:0")).await?;
        let port = t.info(LOCAL_ADDR).map(|addr| addr.port());
        if let Some(peer) = peer_of("datagram_client", port) {
            end(&lp, peer).await?;
        }
        Ok(())
    });
}

/// Writes down what comes.
struct Heard(Log);

#[protocol]
impl Heard {
    #[listener]
    fn datagram(&mut self, e: &DatagramReceived) {
        self.0.add(String::from_utf8_lossy(&e.data));
    }
}

#[test]
fn au4_a_datagram_server_of_asyncios_answers_us() {
    let lp = EventLoop::new().unwrap();
    let log = Log::default();
    run(&lp, async {
        let Some(mut peer) = peer("datagram_server", None) else {
            return Ok(());
        };
        let mut lines = BufReader::new(peer.stdout.take().expect("it is a pipe")).lines();
        let port: u16 = lines.next().expect("it tells its port")?.parse()?;
        let own = log.clone();
        let at = udp("127.0.0.1:0").connected(("127.0.0.1", port));
        let (t, _) = endpoint_with(&lp, at, move || Heard(own)).await?;
        for text in ["hello", "and again"] {
            t.send(text)?;
            log.wait(&lp, &text.to_uppercase()).await;
        }
        t.close();
        t.wait_closed().await;
        end(&lp, peer).await
    });
}
