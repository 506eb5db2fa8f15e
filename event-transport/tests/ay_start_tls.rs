//! TLS that begins in the middle of a connection, and TLS over TLS.
#![cfg(feature = "tls")]

mod support;
#[path = "support/tls.rs"]
mod tls_support;

use std::error::Error;
use std::time::Duration;

use support::{Echo, Log, Silent, Witness, pause, run, until};
use tidings::transport::tls::{TLS_VERSION, TlsErrorKind, TlsServer, tls};
use tidings::transport::{
    ConnectionErrorKind, ConnectionLost, DataReceived, Transport, WriteError, WriteState,
    WritingResumed, connect, connect_with, memory, pair, serve, serve_with, stream, tcp,
};
use tidings::{EventLoop, protocol};
use tls_support::both;

type Fails = Result<(), Box<dyn Error + Send + Sync>>;

/// A server of lines that knows one command, and writes down what it hears.
struct Mail {
    config: TlsServer,
    log: Log,
}

#[protocol]
impl Mail {
    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Fails {
        let heard = String::from_utf8_lossy(&e.data);
        self.log.add(format!("{heard:?}"));
        if let Some(rest) = e.data.strip_prefix(b"STARTTLS\n") {
            t.write("go ahead\n")?;
            t.start_tls(&self.config, e.data.slice_ref(rest))?;
            t.write("welcome\n")?;
        }
        Ok(())
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        let error = e.error.as_ref().map(ToString::to_string);
        self.log.add(error.unwrap_or_else(|| "lost".to_owned()));
    }
}

#[test]
fn ay7_a_live_connection_gets_tls_on_both_sides() {
    let lp = EventLoop::new().unwrap();
    let (client, config) = both();
    let log = Log::default();
    run(&lp, async {
        let own = log.clone();
        let factory = move || Mail {
            config: config.clone(),
            log: own.clone(),
        };
        let server = serve_with(&lp, tcp("127.0.0.1:0"), factory).await?;
        let ours = Log::default();
        let own = ours.clone();
        let to = tcp(server.local_addrs());
        let (t, _) = connect_with(&lp, to, move || Witness::of(&own)).await?;
        t.write("STARTTLS\n")?;
        ours.wait(&lp, "data go ahead\n").await;
        assert!(t.can_write_eof());
        let ended = t.start_tls(&client, "")?;
        // It waits for the end of the handshake.
        assert_eq!(t.write("secret\n")?, WriteState::Buffered);
        assert!(!t.can_write_eof());
        ended.await?;
        assert_eq!(t.info(TLS_VERSION).as_deref(), Some("TLSv1.3"));
        log.wait(&lp, "\"secret\\n\"").await;
        ours.wait(&lp, "data welcome\n").await;
        t.close();
        t.wait_closed().await;
        until(&lp, &server, 0).await;
        assert_eq!(log.take(), ["\"STARTTLS\\n\"", "\"secret\\n\"", "lost"]);
        assert_eq!(
            ours.take(),
            ["made", "data go ahead\n", "data welcome\n", "lost"]
        );
        Ok(())
    });
}

#[test]
fn ay7_bytes_behind_the_command_are_not_heard_and_fail_the_handshake() {
    let lp = EventLoop::virtual_time();
    let (_, config) = both();
    run(&lp, async {
        // In the bytes of the command, or behind them: somebody on the way has put them in.
        for split in [false, true] {
            let (log, ours) = (Log::default(), Log::default());
            let (near, far) = pair();
            let (own, config) = (log.clone(), config.clone());
            let mail = move || Mail { config, log: own };
            connect_with(&lp, far, mail).await?;
            let own = ours.clone();
            let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
            if split {
                t.write("STARTTLS\n")?;
                log.wait(&lp, "\"STARTTLS\\n\"").await;
                t.write("RCPT TO: eve\n")?;
            } else {
                t.write("STARTTLS\nRCPT TO: eve\n")?;
            }
            t.wait_closed().await;
            let told = log.take();
            assert_eq!(told.len(), 2, "{told:?}");
            assert_eq!(told[1], "what the peer sent is not TLS");
            assert!(!ours.has("data welcome\n"), "nothing more goes out");
        }
        Ok(())
    });
}

#[test]
fn ay7_bytes_that_are_read_behind_the_command_are_not_heard_either() {
    let lp = EventLoop::virtual_time();
    let (_, config) = both();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let (raw, script) = support::raw::raw(1000);
        // Two reads in a row, without a pause between them.
        script.read(b"STARTTLS\n");
        script.read(b"RCPT TO: eve\n");
        let mail = move || Mail { config, log: own };
        let (t, _) = connect_with(&lp, stream(raw), mail).await?;
        t.wait_closed().await;
        assert_eq!(
            log.take(),
            ["\"STARTTLS\\n\"", "what the peer sent is not TLS"]
        );
        Ok(())
    });
}

/// Begins TLS as soon as everything is written.
struct Resumes(Mail);

#[protocol]
impl Resumes {
    #[listener]
    fn resumed(&mut self, _: &WritingResumed, t: &Transport) -> Fails {
        t.start_tls(&self.0.config, "")?;
        Ok(())
    }

    #[listener]
    fn data(&mut self, e: &DataReceived, t: &Transport) -> Fails {
        self.0.data(e, t)
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        self.0.lost(e);
    }
}

#[test]
fn ay7_bytes_that_come_as_writing_is_resumed_belong_to_the_handshake() {
    let lp = EventLoop::virtual_time();
    let (_, config) = both();
    run(&lp, async {
        let log = Log::default();
        let own = log.clone();
        let (raw, script) = support::raw::raw(0);
        let mail = Mail { config, log: own };
        let (t, _) = connect_with(&lp, stream(raw), move || Resumes(mail)).await?;
        assert_eq!(t.write(vec![b'.'; 200_000])?, WriteState::OverHigh);
        pause(&lp).await;
        script.with(|state| {
            state.room = 300_000;
            state.reads.push_back(Ok(b"RCPT TO: eve\n".to_vec()));
        });
        t.wait_closed().await;
        assert_eq!(log.take(), ["what the peer sent is not TLS"]);
        Ok(())
    });
}

#[test]
fn ay7_what_was_written_before_goes_out_before_the_handshake() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    run(&lp, async {
        let (near, far) = pair();
        let log = Log::default();
        let own = log.clone();
        let (peer, heard) = connect_with(&lp, far, move || Witness::of(&own)).await?;
        let (t, _) = connect::<Silent>(&lp, near).await?;
        peer.pause_reading();
        // More than the stream takes, so a part of it waits when TLS begins.
        assert_eq!(t.write(vec![b'.'; 200_000])?, WriteState::OverHigh);
        let before = t.write_buffer_size();
        let ended = t.start_tls(&client, "")?;
        t.write("secret")?;
        assert_eq!(t.write_buffer_size(), before + 6);
        peer.resume_reading();
        while heard.with(|heard| heard.received.len())? < 200_000 {
            lp.next_turn().await;
        }
        // The handshake may have begun: what came of it belongs there.
        let rest = heard.with(|heard| heard.received.split_off(200_000))?;
        assert!(heard.with(|heard| heard.received.iter().all(|byte| *byte == b'.'))?);
        let theirs = peer.start_tls(&config, rest)?;
        theirs.await?;
        ended.await?;
        log.wait(&lp, "data secret").await;
        Ok(())
    });
}

#[test]
fn ay7_tls_begins_again_over_tls() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    run(&lp, async {
        let (near, far) = pair();
        let log = Log::default();
        let own = log.clone();
        let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
        let (peer, _) = connect::<Echo>(&lp, far).await?;
        let mut keys = Vec::new();
        for round in ["one", "two"] {
            let (ours, theirs) = (t.start_tls(&client, "")?, peer.start_tls(&config, "")?);
            ours.await?;
            theirs.await?;
            t.write(round)?;
            log.wait(&lp, &format!("data {round}")).await;
            keys.push(t.export_keying_material("EXPORTER-test", None, 16)?);
            let theirs = peer.export_keying_material("EXPORTER-test", None, 16)?;
            assert_eq!(keys.last(), Some(&theirs));
        }
        assert_ne!(keys[0], keys[1]);
        t.close();
        t.wait_closed().await;
        peer.wait_closed().await;
        assert_eq!(log.take().last().map(String::as_str), Some("lost"));
        Ok(())
    });
}

#[test]
fn ay7_whoever_gives_up_waiting_stops_nothing() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    run(&lp, async {
        let (near, far) = pair();
        let (t, _) = connect::<Silent>(&lp, near).await?;
        let (peer, _) = connect::<Silent>(&lp, far).await?;
        // What comes is the beginning of the handshake, and waits for the other end of it.
        peer.pause_reading();
        let ended = t.start_tls(&client, "")?;
        let slow = lp.timeout(Duration::from_secs(1), ended).await;
        assert!(slow.is_err(), "the peer has not begun");
        peer.start_tls(&config, "")?.await?;
        while t.info(TLS_VERSION).is_none() {
            lp.next_turn().await;
        }
        assert!(!t.is_closing());
        Ok(())
    });
}

#[test]
fn ay7_a_handshake_that_fails_loses_the_connection() {
    let lp = EventLoop::virtual_time();
    let (client, _) = both();
    let (_, stranger) = both();
    let (ours, theirs) = (Log::default(), Log::default());
    run(&lp, async {
        let (near, far) = pair();
        let own = ours.clone();
        let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
        let own = theirs.clone();
        let (peer, _) = connect_with(&lp, far, move || Witness::of(&own)).await?;
        let (failed, refused) = (t.start_tls(&client, "")?, peer.start_tls(&stranger, "")?);
        let error = failed.await.unwrap_err();
        assert!(matches!(error.kind(), ConnectionErrorKind::Io(_)));
        let words = "the server's certificate names an authority of `roots`";
        assert!(error.to_string().contains(words), "{error}");
        assert!(refused.await.is_err());
        t.wait_closed().await;
        peer.wait_closed().await;
        assert_eq!(ours.take(), ["made".to_owned(), format!("lost: {error}")]);
        assert_eq!(theirs.take().len(), 2);
        Ok(())
    });
}

#[test]
fn ay3_a_close_in_the_handshake_ends_the_connection_and_the_waiting() {
    let lp = EventLoop::virtual_time();
    let (client, _) = both();
    run(&lp, async {
        for close in [Transport::close, Transport::abort] {
            let (near, _far) = pair();
            let log = Log::default();
            let own = log.clone();
            let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
            let ended = t.start_tls(&client, "")?;
            pause(&lp).await;
            close(&t);
            let error = ended.await.unwrap_err().to_string();
            assert_eq!(
                error,
                "the connection was closed before the TLS handshake had ended"
            );
            assert_eq!(log.take(), ["made", "lost"]);
        }
        Ok(())
    });
}

#[test]
fn tls_begins_only_where_it_can() {
    let lp = EventLoop::virtual_time();
    let (client, config) = both();
    run(&lp, async {
        let (near, far) = pair();
        let (t, _) = connect::<Silent>(&lp, near).await?;
        let (peer, _) = connect::<Silent>(&lp, far).await?;
        let kept = t.start_tls(&client, "")?;
        let refused = |t: &Transport, words: &str| {
            let error = t.start_tls(&client, "").unwrap_err();
            assert_eq!(error.kind(), TlsErrorKind::Refused);
            assert!(error.to_string().contains(words), "{error}");
        };
        refused(&t, "is going on");
        assert_eq!(t.write_eof(), Err(WriteError::NoHalfClose));
        peer.start_tls(&config, "")?.await?;
        kept.await?;
        t.close();
        refused(&t, "is closing or lost");
        let (raw, script) = support::raw::raw(1000);
        let (t, _) = connect::<Silent>(&lp, stream(raw)).await?;
        t.write_eof()?;
        refused(&t, "one direction of the connection has ended");
        drop(script);
        Ok(())
    });
}

#[test]
fn a_loop_that_is_dropped_ends_a_handshake() {
    let log = Log::default();
    {
        let lp = EventLoop::virtual_time();
        let (client, _) = both();
        let (near, _far) = pair();
        let own = log.clone();
        run(&lp, async {
            let (t, _) = connect_with(&lp, near, move || Witness::of(&own)).await?;
            drop(t.start_tls(&client, "")?);
            pause(&lp).await;
            Ok(())
        });
    }
    assert_eq!(
        log.take(),
        ["made", "lost: the event loop has dropped the connection"]
    );
}

/// Counts what comes.
#[derive(Default)]
struct Counting(usize);

#[protocol]
impl Counting {
    #[listener]
    fn data(&mut self, e: &DataReceived) {
        self.0 += e.data.len();
    }
}

#[test]
fn ay7_tls_over_tls_carries_bytes_and_ends_well() {
    let lp = EventLoop::virtual_time();
    let ((outer, outer_server), (inner, inner_server)) = (both(), both());
    run(&lp, async {
        let place = memory();
        let at = tls(&inner_server, tls(&outer_server, place.clone()));
        let server = serve::<Echo>(&lp, at).await?;
        let to = tls(&inner, tls(&outer, place));
        let (t, heard) = connect::<Counting>(&lp, to).await?;
        t.write(vec![1; 300_000])?;
        while heard.with(|heard| heard.0)? < 300_000 {
            lp.next_turn().await;
        }
        t.close();
        t.wait_closed().await;
        until(&lp, &server, 0).await;
        assert!(lp.elapsed() < Duration::from_secs(1));
        Ok(())
    });
}
