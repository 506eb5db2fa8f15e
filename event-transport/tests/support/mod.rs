//! What the tests of connections share.
#![allow(dead_code, reason = "each test program needs a part of it")]

pub(crate) mod raw;

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tidings::transport::{
    AfterEof, ConnectionError, ConnectionLost, ConnectionMade, DataReceived, EofReceived, Memory,
    Server, Transport, WriteError, WritingPaused, WritingResumed, connect_with, memory, serve,
    serve_with, stream, tcp,
};
use tidings::{EventLoop, protocol};

use raw::{Script, raw};

/// Long enough that a test which needs it has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

/// Runs a test to its end on a loop, which is dropped then.
#[track_caller]
pub(crate) fn run<T>(lp: &EventLoop, test: impl Future<Output = Result<T, Box<dyn Error>>>) -> T {
    let ended = lp.run_until_complete(lp.timeout(LONG, test));
    let ended = ended.expect("the loop runs");
    ended
        .expect("the test ends in time")
        .expect("nothing fails")
}

/// What several instances have written down, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Into<String>) {
        self.0.borrow_mut().push(entry.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }

    pub(crate) fn has(&self, entry: &str) -> bool {
        self.0.borrow().iter().any(|other| other == entry)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Waits until it has this entry.
    pub(crate) async fn wait(&self, lp: &EventLoop, entry: &str) {
        while !self.has(entry) {
            pause(lp).await;
        }
    }
}

/// Lets everything else go on for a moment.
pub(crate) async fn pause(lp: &EventLoop) {
    lp.sleep(Duration::from_millis(1)).await;
}

/// Writes down everything that it hears.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) log: Log,
    pub(crate) keep: bool,
    pub(crate) received: Vec<u8>,
}

impl Witness {
    pub(crate) fn of(log: &Log) -> Self {
        Self {
            log: log.clone(),
            ..Self::default()
        }
    }
}

#[protocol]
impl Witness {
    #[listener]
    fn made(&mut self, _: &ConnectionMade) {
        self.log.add("made");
    }

    #[listener]
    fn data(&mut self, e: &DataReceived) {
        self.received.extend_from_slice(&e.data);
        self.log
            .add(format!("data {}", String::from_utf8_lossy(&e.data)));
    }

    #[listener]
    fn eof(&mut self, _: &EofReceived) -> AfterEof {
        self.log.add("eof");
        if self.keep {
            AfterEof::KeepWriting
        } else {
            AfterEof::Close
        }
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        self.log.add(match &e.error {
            None => "lost".to_owned(),
            Some(error) => format!("lost: {error}"),
        });
    }

    #[listener]
    fn paused(&mut self, _: &WritingPaused) {
        self.log.add("paused");
    }

    #[listener]
    fn resumed(&mut self, _: &WritingResumed) {
        self.log.add("resumed");
    }
}

/// Sends back what comes.
#[derive(Default)]
pub(crate) struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(e: &DataReceived, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
        t.write(e.data.clone())?;
        Ok(())
    }
}

/// Hears nothing.
#[derive(Default)]
pub(crate) struct Silent;

#[protocol]
impl Silent {}

/// The failures that the loop's hook was told.
#[must_use]
pub(crate) fn failures(lp: &EventLoop) -> Log {
    let log = Log::default();
    let told = log.clone();
    lp.on_failure(move |failure| told.add(failure.to_string()));
    log
}

/// A flag that several may see.
pub(crate) type Flag = Rc<Cell<bool>>;

/// A connection whose stream takes so many bytes.
pub(crate) async fn witness(
    lp: &EventLoop,
    log: &Log,
    room: usize,
) -> Result<(Transport, Script), Box<dyn std::error::Error>> {
    let (raw, script) = raw(room);
    let own = log.clone();
    let (t, _) = connect_with(lp, stream(raw), move || Witness::of(&own)).await?;
    log.take();
    Ok((t, script))
}

/// Waits until a server has so many connections.
pub(crate) async fn until(lp: &EventLoop, server: &Server, connections: usize) {
    while server.connections() != connections {
        pause(lp).await;
    }
}

/// A server in memory with so many clients, each of which writes down what it hears.
pub(crate) async fn server_of(
    lp: &EventLoop,
    clients: usize,
) -> Result<(Server, Memory, Log), Box<dyn std::error::Error>> {
    let (place, log) = (memory(), Log::default());
    let server = serve::<Echo>(lp, place.clone()).await?;
    for _ in 0..clients {
        let own = log.clone();
        connect_with(lp, place.clone(), move || Witness::of(&own)).await?;
    }
    until(lp, &server, clients).await;
    log.take();
    Ok((server, place, log))
}

/// Writes down how connections ended.
pub(crate) struct Ends(pub(crate) Log);

#[protocol]
impl Ends {
    #[listener]
    fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        t.write(e.data.clone()).map(drop)
    }

    #[listener]
    fn lost(&mut self, e: &ConnectionLost) {
        let kind = e.error.as_ref().map(ConnectionError::kind);
        self.0.add(format!("{kind:?}"));
    }
}

/// A server that sends back what comes, and the log of how its connections ended.
pub(crate) async fn ends(lp: &EventLoop) -> Result<(Server, Log), Box<dyn std::error::Error>> {
    let log = Log::default();
    let own = log.clone();
    let server = serve_with(lp, tcp("127.0.0.1:0"), move || Ends(own.clone())).await?;
    Ok((server, log))
}
