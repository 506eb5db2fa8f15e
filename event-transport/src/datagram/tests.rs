//! What only a socket whose every answer the test decides can show.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use event_core::private::Registration;
use event_runtime::event_loop::EventLoop;
use tokio::io::ReadBuf;

use super::socket::{Datagrams, Link, Opening, Socket, sealed};
use super::{DatagramAddr, endpoint_with};
use crate::events::{ConnectionLost, DatagramReceived, ErrorReceived};
use crate::private::{Family, Table, heard};
use crate::protocol::{Protocol, Room};
use crate::stream::Info;

/// What receiving and sending give, one after the other. With the last one receiving goes on for ever, or waits if that was a datagram.
#[derive(Clone, Default)]
struct Script {
    receives: Rc<RefCell<VecDeque<Result<usize, io::ErrorKind>>>>,
    sends: Rc<RefCell<VecDeque<io::ErrorKind>>>,
    sent: Rc<RefCell<Vec<Bytes>>>,
}

impl Socket for Script {
    fn poll_receive(
        &self,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<DatagramAddr>> {
        let mut receives = self.receives.borrow_mut();
        let next = match (receives.len(), receives.front()) {
            (1, Some(Err(error))) => Err(*error),
            (_, None) => return Poll::Pending,
            _ => receives.pop_front().expect("there is one"),
        };
        Poll::Ready(match next {
            Ok(size) => {
                buffer.put_slice(&vec![7; size]);
                Ok(DatagramAddr::Unnamed)
            }
            Err(error) => Err(error.into()),
        })
    }

    fn poll_send(
        &self,
        _: &mut Context<'_>,
        data: &Bytes,
        _: Option<&DatagramAddr>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.sends.borrow_mut().pop_front() {
            return Poll::Ready(Err(error.into()));
        }
        self.sent.borrow_mut().push(data.clone());
        Poll::Ready(Ok(()))
    }

    fn takes(&self, _: &DatagramAddr) -> bool {
        true
    }

    fn limit(&self) -> Option<usize> {
        None
    }
}

impl Datagrams for Script {}

impl sealed::Datagrams for Script {
    fn open(self) -> Opening {
        Box::pin(async move {
            Ok(Link {
                socket: Box::new(self),
                info: Info::default(),
                peer: Some(DatagramAddr::Unnamed),
            })
        })
    }
}

/// Writes down what it hears.
struct Probe(Rc<RefCell<Vec<String>>>);

macro_rules! on {
    ($table:expr, $event:ident, $name:literal, $text:expr) => {
        $table.on(
            &heard::<$event>(),
            Registration::new(
                &on::<$event>,
                concat!(module_path!(), "::", $name),
                $name.len(),
            ),
            &[],
            |probe, occurred, _| {
                let heard = heard::<$event>();
                let text: fn(&$event) -> String = $text;
                probe.0.borrow_mut().push(text(heard.event(occurred)));
                heard.returned::<()>(())
            },
        )
    };
}

/// Where a listener would be.
fn on<E>() {}

impl Protocol for Probe {
    const __ROOM: Option<Room<Self>> = None;
    const __TABLE: Table<Self> = {
        let table = Table::<Self>::new();
        let table = on!(table, DatagramReceived, "received", |e| format!(
            "data {}",
            e.data.len()
        ));
        let table = on!(table, ErrorReceived, "error", |e| format!(
            "error {}",
            e.error
        ));
        on!(table, ConnectionLost, "lost", |e| format!(
            "lost {:?}",
            e.error
        ))
    };

    type __Family = Family<2>;
}

/// What a protocol hears at a socket with this script, until it has heard so much.
fn hear(script: &Script, events: usize) -> Vec<String> {
    let lp = EventLoop::virtual_time();
    let log = Rc::new(RefCell::new(Vec::new()));
    let (own, at) = (Rc::clone(&log), script.clone());
    let heard = lp.run_until_complete(async {
        let (t, _) = endpoint_with(&lp, at, move || Probe(own)).await?;
        t.send("first")?;
        t.send("second")?;
        while log.borrow().len() < events {
            lp.sleep(std::time::Duration::from_millis(1)).await;
        }
        let heard = log.take();
        t.abort();
        t.wait_closed().await;
        Ok::<_, Box<dyn std::error::Error>>(heard)
    });
    heard.expect("the loop runs").expect("nothing fails")
}

#[test]
fn au3_an_error_that_does_not_end_is_fatal() {
    let script = Script::default();
    let error = io::ErrorKind::NotConnected;
    script.receives.borrow_mut().extend([Err(error)]);
    let heard = hear(&script, 64);
    let text = io::Error::from(error).to_string();
    assert!(heard[..63].iter().all(|e| *e == format!("error {text}")));
    assert!(heard[63].starts_with("lost Some("), "{}", heard[63]);
}

#[test]
fn au2_errors_between_datagrams_are_not_fatal() {
    let script = Script::default();
    let errors = |_| [Err(io::ErrorKind::ConnectionRefused), Ok(1)];
    let many = (0..200).flat_map(errors);
    script.receives.borrow_mut().extend(many);
    let heard = hear(&script, 400);
    assert!(heard.iter().all(|e| !e.starts_with("lost")));
}

#[test]
fn au2_what_was_interrupted_is_tried_again_without_an_error() {
    let script = Script::default();
    let error = io::ErrorKind::Interrupted;
    script.receives.borrow_mut().extend([Err(error), Ok(5)]);
    script.sends.borrow_mut().extend([error]);
    assert_eq!(hear(&script, 1), ["data 5"]);
    assert_eq!(*script.sent.borrow(), ["first", "second"]);
}

#[test]
fn a_datagram_that_may_have_been_cut_is_an_error_and_the_next_one_is_heard() {
    let script = Script::default();
    script
        .receives
        .borrow_mut()
        .extend([Ok(256 * 1024), Ok(256 * 1024 - 1)]);
    assert_eq!(
        hear(&script, 2),
        [
            "error a datagram of at least 262144 bytes was dropped: there is no room for a larger one",
            "data 262143",
        ]
    );
}

#[test]
fn au2_datagrams_that_are_too_large_are_not_fatal_however_many_there_are() {
    let script = Script::default();
    let many = std::iter::repeat_n(Ok(256 * 1024), 200);
    script.receives.borrow_mut().extend(many.chain([Ok(1)]));
    let heard = hear(&script, 201);
    assert!(heard[..200].iter().all(|e| e.starts_with("error ")));
    assert_eq!(heard[200], "data 1");
}
