//! What the tests of datagrams share.
#![allow(dead_code, reason = "each test program needs a part of it")]

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;

use tidings::transport::{
    ConnectionLost, ConnectionMade, DatagramAddr, DatagramEnd, DatagramReceived, DatagramTransport,
    Datagrams, ErrorReceived, LOCAL_ADDR, SendError, WritingPaused, WritingResumed, datagram_pair,
    endpoint_with,
};
use tidings::{EventLoop, protocol};

use crate::support::Log;

/// Writes down everything that it hears.
#[derive(Default)]
pub(crate) struct Witness {
    pub(crate) log: Log,
    /// It fails at what begins so.
    pub(crate) fails_at: Option<&'static str>,
}

#[protocol]
impl Witness {
    #[listener]
    fn made(&mut self, _: &ConnectionMade) {
        self.log.add("made");
    }

    #[listener]
    fn datagram(&mut self, e: &DatagramReceived) -> Result<(), String> {
        let text = String::from_utf8_lossy(&e.data);
        self.log.add(format!("data {text}"));
        match self.fails_at {
            Some(at) if text.starts_with(at) => Err(format!("{text} is too much")),
            _ => Ok(()),
        }
    }

    #[listener]
    fn error(&mut self, e: &ErrorReceived) {
        self.log.add(format!("error {}", e.error));
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

/// Opens an endpoint that writes down what it hears.
pub(crate) async fn witness(
    lp: &EventLoop,
    at: impl Datagrams + 'static,
    log: &Log,
) -> Result<DatagramTransport, Box<dyn Error>> {
    let own = log.clone();
    let factory = move || Witness {
        log: own,
        fails_at: None,
    };
    Ok(endpoint_with(lp, at, factory).await?.0)
}

/// One end of a pair, and the other, which is not opened yet.
pub(crate) async fn pair(
    lp: &EventLoop,
    log: &Log,
) -> Result<(DatagramTransport, DatagramEnd), Box<dyn Error>> {
    let (ours, theirs) = datagram_pair();
    Ok((witness(lp, ours, log).await?, theirs))
}

/// The address of an endpoint of UDP.
pub(crate) fn addr(t: &DatagramTransport) -> DatagramAddr {
    t.info(LOCAL_ADDR).expect("UDP has an address").into()
}

/// Sends back what comes, to whoever sent it.
#[derive(Default)]
pub(crate) struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn datagram(e: &DatagramReceived, t: &DatagramTransport) -> Result<(), SendError> {
        t.send_to(e.data.clone(), e.from.clone()).map(drop)
    }
}

/// Counts what comes.
pub(crate) struct Count(pub(crate) Rc<Cell<usize>>);

#[protocol]
impl Count {
    #[listener]
    fn datagram(&mut self, _: &DatagramReceived) {
        self.0.set(self.0.get() + 1);
    }
}
