//! Listeners and streams that fail, clause by clause, in virtual time.

mod support;

use std::io;

use support::raw::raw;
use support::{Log, Witness, failures, pause, run};
use tidings::transport::{
    AfterEof, ConnectionErrorKind, ConnectionLost, ConnectionMade, DataReceived, EofReceived,
    TransportErrorKind, WriteError, connect_with, pair, stream,
};
use tidings::{EventLoop, protocol};

/// Fails wherever it is told to.
struct Faulty {
    log: Log,
    panics: bool,
}

impl Faulty {
    fn fail(&self, what: &str) -> Result<(), String> {
        assert!(!self.panics, "{what} panics");
        Err(format!("{what} fails"))
    }
}

#[protocol]
impl Faulty {
    #[listener]
    fn data(&mut self, e: &DataReceived) -> Result<(), String> {
        if &*e.data == b"data" {
            return self.fail("data");
        }
        Ok(())
    }

    #[listener]
    fn eof(&mut self, _: &EofReceived) -> Result<AfterEof, String> {
        self.fail("eof").map(|()| AfterEof::KeepWriting)
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) -> Result<(), String> {
        let kind = e
            .error
            .as_ref()
            .map(tidings::transport::ConnectionError::kind);
        self.log.add(format!("{kind:?}"));
        self.fail("lost")
    }

    #[listener]
    fn paused(&mut self, _: &tidings::transport::WritingPaused) -> Result<(), String> {
        self.fail("paused")
    }

    #[listener]
    fn resumed(&mut self, _: &tidings::transport::WritingResumed) -> Result<(), String> {
        self.fail("resumed")
    }
}

#[test]
fn ax10_a_listener_that_fails_at_data_or_eof_is_told_and_the_connection_lost() {
    for (panics, trigger, what) in [
        (false, &b"data"[..], "data"),
        (true, b"data", "data"),
        (false, b"", "eof"),
        (true, b"", "eof"),
    ] {
        let lp = EventLoop::virtual_time();
        let (log, told) = (Log::default(), failures(&lp));
        run(&lp, async {
            let (raw, script) = raw(0);
            let own = log.clone();
            let faulty = move || Faulty { log: own, panics };
            let (t, _) = connect_with(&lp, stream(raw), faulty).await?;
            script.read(b"fine");
            script.read(trigger);
            t.wait_closed().await;
            assert!(script.is_dropped());
            Ok(())
        });
        let kind = Some(ConnectionErrorKind::Listener);
        assert_eq!(log.take(), [format!("{kind:?}")]);
        let told = told.take();
        let verb = if panics { "panics" } else { "fails" };
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with(&format!("{what} {verb}")), "{told:?}");
        assert!(
            told[0].starts_with("a listener named `ax_failures::Faulty::"),
            "{told:?}"
        );
        assert!(told[1].ends_with(&format!("lost {verb}")), "{told:?}");
    }
}

#[test]
fn ax10_a_listener_that_fails_at_a_pause_of_writing_is_told_and_the_connection_lives() {
    let lp = EventLoop::virtual_time();
    let (log, told) = (Log::default(), failures(&lp));
    run(&lp, async {
        let (raw, _script) = raw(0);
        let own = log.clone();
        let faulty = move || Faulty {
            log: own,
            panics: true,
        };
        let (t, _) = connect_with(&lp, stream(raw), faulty).await?;
        t.write(vec![0; 65 * 1024])?;
        assert_eq!(told.take().len(), 1);
        pause(&lp).await;
        assert!(!t.is_closing());
        t.abort();
        t.wait_closed().await;
        Ok(())
    });
    assert_eq!(log.take(), ["None"]);
}

#[test]
fn ax11_an_error_of_the_system_is_the_connections_and_told_nobody_else() {
    for reads in [true, false] {
        let lp = EventLoop::virtual_time();
        let (log, told) = (Log::default(), failures(&lp));
        run(&lp, async {
            let (raw, script) = raw(0);
            let own = log.clone();
            let (t, _) = connect_with(&lp, stream(raw), move || Witness::of(&own)).await?;
            let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
            if reads {
                script.with(|state| state.reads.push_back(Err(reset())));
            } else {
                script.with(|state| state.write_error = Some(reset()));
                assert_eq!(t.write("x"), Err(WriteError::Closed));
            }
            t.wait_closed().await;
            Ok(())
        });
        assert_eq!(log.take(), ["made", "lost: connection reset"]);
        assert_eq!(told.len(), 0);
    }
}

#[test]
fn ar05_a_listener_that_fails_at_the_beginning_is_told_and_the_connection_closed() {
    struct Broken;

    #[protocol]
    impl Broken {
        #[listener]
        fn made(_: &ConnectionMade) -> Result<(), String> {
            Err("no such user".to_owned())
        }

        #[listener]
        fn data(_: &DataReceived) {
            unreachable!("the connection has ended");
        }
    }

    let lp = EventLoop::virtual_time();
    let told = failures(&lp);
    run(&lp, async {
        let (raw, script) = raw(0);
        script.read(b"x");
        let (t, _) = connect_with(&lp, stream(raw), || Broken).await?;
        assert!(t.is_closing());
        t.wait_closed().await;
        assert!(script.is_dropped());
        Ok(())
    });
    let told = told.take();
    assert!(
        told.len() == 1 && told[0].ends_with("error: no such user"),
        "{told:?}"
    );
}

#[test]
fn ax10_a_listener_that_fails_when_writing_goes_on_is_told_and_the_connection_lives() {
    for panics in [false, true] {
        let lp = EventLoop::virtual_time();
        let (log, told) = (Log::default(), failures(&lp));
        run(&lp, async {
            let (raw, script) = raw(0);
            let own = log.clone();
            let faulty = move || Faulty { log: own, panics };
            let (t, _) = connect_with(&lp, stream(raw), faulty).await?;
            t.write(vec![0; 65 * 1024])?;
            assert_eq!(told.take().len(), 1);
            script.with(|state| state.room = 100 * 1024);
            t.writable().await?;
            let heard = told.take();
            assert_eq!(heard.len(), 1, "{heard:?}");
            assert!(heard[0].contains("Faulty::resumed"), "{heard:?}");
            t.write("more")?;
            pause(&lp).await;
            assert!(!t.is_closing());
            assert_eq!(script.written().len(), 65 * 1024 + 4);
            t.abort();
            t.wait_closed().await;
            Ok(())
        });
        assert_eq!(log.take(), ["None"]);
    }
}

/// Wants what the default bus has not.
struct Greedy;

#[protocol]
impl Greedy {
    #[listener]
    fn data(_: &DataReceived, _: &String) {}
}

#[test]
fn state_that_the_default_bus_was_not_given_is_told_with_its_name() {
    let lp = EventLoop::virtual_time();
    run(&lp, async {
        let error = connect_with(&lp, pair().0, || Greedy).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::State);
        let words = "which the default bus (another is named by `.on(&bus)`";
        assert!(error.to_string().contains(words), "{error}");
        Ok(())
    });
}
