//! Two sides of a link, and the bytes between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use event_transport::wire::proto::frame::{Head, Meta};
use event_transport::wire::proto::greeter::{Greeter, refusal};
use event_transport::wire::proto::inlet::{Frame, Inlet, PREFACE};
use event_transport::wire::proto::session::{Notice, Session, Setup};
use event_transport::wire::{Access, EventId, Identity, Limits, Offer, Right, Shape, WireError};

pub(crate) fn offer(topic: &str, version: u32, shape: &str) -> Offer {
    Offer {
        topic: topic.to_owned(),
        version,
        shape: Shape::from_text(shape),
    }
}

pub(crate) fn say() -> Offer {
    offer("chat.say", 1, "text: String")
}

pub(crate) fn quote() -> Offer {
    offer("chat.quote", 1, "line: u64 -> String")
}

pub(crate) fn meta(number: u64) -> Meta {
    Meta {
        id: EventId::new(7, number),
        micros: 1_700_000_000_000_000,
        cause: None,
        trace: None,
        hops: 0,
    }
}

pub(crate) fn setup(offers: Vec<Offer>, wants: Vec<Offer>) -> Setup {
    Setup {
        name: "chat".to_owned(),
        offers,
        wants,
        content_type: "application/json",
        origin: 7,
        limits: Limits::default(),
    }
}

pub(crate) fn bob() -> Identity {
    Identity::new("bob")
}

pub(crate) fn everything() -> Access {
    Access::nothing()
        .allow(&bob(), Right::Publish, "**")
        .and_then(|access| access.allow(&bob(), Right::Subscribe, "**"))
        .expect("`**` is a pattern")
}

/// A client that says and asks, a server that hears and answers.
pub(crate) struct Pair {
    pub(crate) client: Session,
    pub(crate) server: Session,
    pub(crate) access: Access,
    pub(crate) now: Instant,
    pub(crate) limits: Limits,
    /// Bytes on their way.
    pub(crate) to_server: BytesMut,
    pub(crate) to_client: BytesMut,
    greeter: Option<Greeter>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::of(
            setup(vec![say(), quote()], vec![]),
            setup(vec![], vec![say(), quote()]),
        )
    }

    pub(crate) fn of(client: Setup, server: Setup) -> Self {
        Self {
            limits: server.limits,
            client: Session::new(Arc::new(client), 11),
            server: Session::new(Arc::new(server), 22),
            access: everything(),
            now: Instant::now(),
            to_server: BytesMut::new(),
            to_client: BytesMut::new(),
            greeter: None,
        }
    }

    /// A pair that has agreed.
    pub(crate) fn open() -> Self {
        let mut pair = Self::new();
        pair.connect();
        pair.run().expect("they agree");
        pair.notices();
        pair
    }

    pub(crate) fn connect(&mut self) {
        self.to_server.clear();
        self.to_client.clear();
        self.client.connect(None, self.now);
        self.greeter = Some(Greeter::new(self.limits, self.now));
    }

    pub(crate) fn cut(&mut self) {
        self.client.lost();
        self.server.lost();
    }

    /// Lets bytes go to and fro until there are none. The error is of the side that has it first.
    pub(crate) fn run(&mut self) -> Result<(), WireError> {
        loop {
            let now = self.now;
            self.to_server.unsplit(take(&mut self.client, now));
            if !self.to_server.is_empty() {
                self.serve()?;
            }
            self.to_client.unsplit(take(&mut self.server, now));
            let moved = !self.to_client.is_empty();
            self.client.receive(&mut self.to_client, now)?;
            if !moved && self.client.output(now).is_empty() {
                return Ok(());
            }
        }
    }

    fn serve(&mut self) -> Result<(), WireError> {
        if let Some(mut greeter) = self.greeter.take() {
            let Some(hello) = greeter.receive(&mut self.to_server)? else {
                self.greeter = Some(greeter);
                return Ok(());
            };
            let accepted = self
                .server
                .accept(greeter, &hello, &bob(), &self.access, self.now);
            if let Err(error) = accepted {
                self.to_client.unsplit(refusal(&error));
                return Err(error);
            }
        }
        self.server.receive(&mut self.to_server, self.now)
    }

    /// What the client is told after the server refused it.
    pub(crate) fn told(&mut self) -> WireError {
        let told = self.client.receive(&mut self.to_client, self.now);
        told.expect_err("the client is refused")
    }

    pub(crate) fn say(&mut self, number: u64) {
        let payload = Bytes::from(format!("{{\"text\":\"{number}\"}}"));
        let said = self.client.publish(0, meta(number), payload);
        said.expect("there is room");
    }

    /// The notices of the client and of the server.
    pub(crate) fn notices(&mut self) -> (Vec<Notice>, Vec<Notice>) {
        let all = |side: &mut Session| std::iter::from_fn(|| side.notice()).collect();
        (all(&mut self.client), all(&mut self.server))
    }

    /// The bus of the server takes what came: the numbers of the events.
    pub(crate) fn accept(&mut self) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some(notice) = self.server.notice() {
            if let Notice::Event(arrival) = notice {
                numbers.push(arrival.meta.id.number());
                self.server.settle(arrival.session, arrival.sequence);
            }
        }
        numbers
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// The server takes a frame that the client would not send.
    pub(crate) fn forge(&mut self, head: &Head, payload: &[u8]) -> Result<(), WireError> {
        let mut bytes = BytesMut::new();
        head.write(payload, &mut bytes);
        self.server.receive(&mut bytes, self.now)
    }

    /// The frames that the server has to send.
    pub(crate) fn frames(&mut self) -> Vec<Frame> {
        let mut bytes = BytesMut::from(&PREFACE[..]);
        bytes.unsplit(take(&mut self.server, self.now));
        let mut inlet = Inlet::new(self.limits.max_frame_bytes());
        std::iter::from_fn(|| inlet.next(&mut bytes).expect("own frames are readable")).collect()
    }
}

fn take(side: &mut Session, now: Instant) -> BytesMut {
    let bytes = side.output(now).split();
    side.wrote(now);
    bytes
}
