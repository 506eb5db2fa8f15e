//! A link before it has a connection: what it publishes and hears, and how.

mod caught;
mod client;
mod drive;
mod end;
mod error;
mod feed;
mod origin;
mod plan;
mod requests;
mod server;
mod sessions;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

pub use client::LinkClient;
pub use error::{LinkError, LinkSetupError};
use event_core::private::Pattern;
use event_core::{Bus, PatternError, Policy, Request};
pub use origin::envelope;
use plan::Plan;
use requests::{Answers, Asks};
use serde::Serialize;
use serde::de::DeserializeOwned;
pub use server::LinkServer;
use tokio::io::{AsyncRead, AsyncWrite};

use super::access::Access;
use super::codec::{Codec, Json};
use super::limits::Limits;

/// What two programs exchange: the events that this one publishes to the other, and those that it hears of it.
///
/// The events are declared `#[event(serde)]` in both. What is published waits in a queue of the bus, one for each topic, with the id `link:NAME/TOPIC`: it
/// has the figures of any queue, and its deliveries end when the bus of the peer has the event. What comes in is emitted here, and its listeners are those
/// that hear it when it is emitted locally. It goes out over no link, unless that link is a [`relay`](Self::relay).
///
/// An event arrives at least once while the queue has room, also when the connection is lost and made again. It comes twice only if the peer was started
/// anew in between; then it has the same [id](crate::wire::Envelope).
///
/// ```standalone_crate
/// use std::time::Duration;
/// use serde::{Deserialize, Serialize};
/// use tidings::{Bus, event};
/// use tidings::transport::wire::{Access, Identity, Link, Right};
///
/// #[event("chat.say", serde)]
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Say {
///     text: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Two programs would each have one bus.
/// let (here, there) = (Bus::builder().build()?, Bus::builder().build()?);
/// let bob = Identity::new("bob");
/// let access = Access::nothing().allow(&bob, Right::Publish, "chat.*")?;
/// let server = Link::new("chat").subscribe("chat.*")?.serve(&there, access)?;
///
/// let (ours, theirs) = tokio::io::duplex(1024);
/// server.accept(theirs, bob);
/// let mut ours = Some(ours);
/// let client = Link::new("chat").publish("chat.*")?.connect(&here, move || {
///     let stream = ours.take().ok_or(std::io::ErrorKind::NotConnected);
///     async { Ok(stream?) }
/// })?;
///
/// let heard = there.next::<Say>();
/// here.emit(Say { text: "hello".into() });
/// assert_eq!(heard.await?.text, "hello");
///
/// assert_eq!(here.queues()[0].0.id(), "link:chat/chat.say");
/// client.close(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a link does nothing until it connects or serves"]
pub struct Link {
    name: String,
    publish: Vec<Pattern>,
    subscribe: Vec<Pattern>,
    codec: Arc<dyn Codec>,
    limits: Limits,
    asks: Vec<Asks>,
    answers: Vec<Answers>,
    request_within: Duration,
    queue: Policy,
    relay: Option<u8>,
    backoff: (Duration, Duration),
    resume: Duration,
    insecure: bool,
}

impl Link {
    /// A link that publishes and hears nothing yet. The name is for people, and part of the ids of its queues.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            publish: Vec::new(),
            subscribe: Vec::new(),
            codec: Arc::new(Json),
            limits: Limits::default(),
            asks: Vec::new(),
            answers: Vec::new(),
            request_within: Duration::from_secs(30),
            queue: Policy::queued(1024),
            relay: None,
            backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            resume: Duration::from_secs(60),
            insecure: false,
        }
    }

    /// Sends the events whose topics the pattern matches. Of those that a wildcard matches only the ones declared `serde` can be sent.
    ///
    /// # Errors
    ///
    /// [`PatternError`] if the text is no pattern.
    pub fn publish(mut self, pattern: &str) -> Result<Self, PatternError> {
        self.publish.push(Pattern::parse(pattern)?);
        Ok(self)
    }

    /// Hears the events of the peer whose topics the pattern matches. Of those that a wildcard matches only the ones declared `serde` can be heard.
    ///
    /// # Errors
    ///
    /// [`PatternError`] if the text is no pattern.
    pub fn subscribe(mut self, pattern: &str) -> Result<Self, PatternError> {
        self.subscribe.push(Pattern::parse(pattern)?);
        Ok(self)
    }

    /// Has the peer answer the requests of this type that nobody answers here, where its link [`answers`](Self::answers) them. The program has no listener for
    /// them, so they are declared `unanswered = "ignore"`.
    ///
    /// They are asked as ever, with [`Bus::request`]. A request crosses once: when the connection is lost before the answer came, it fails with
    /// [`Fault::Lost`](crate::wire::Fault::Lost) as its source. It and its answer are written as JSON, whatever the codec.
    pub fn asks<E>(mut self) -> Self
    where
        E: Request + Serialize,
        E::Reply: DeserializeOwned,
    {
        self.asks.push(Asks::of::<E>());
        self
    }

    /// Answers the requests of this type that the peer [`asks`](Self::asks), with the listener that answers them here.
    pub fn answers<E>(mut self) -> Self
    where
        E: Request + DeserializeOwned + Send,
        E::Reply: Serialize,
    {
        self.answers.push(Answers::of::<E>());
        self
    }

    /// How long the peer may take for an answer; 30 s unless set.
    pub fn request_within(mut self, time: Duration) -> Self {
        self.request_within = time;
        self
    }

    /// How the queue of each published topic is carried: capacity and overflow. 1024 events, and emitters wait, unless set.
    pub fn queue(mut self, policy: impl FnOnce(Policy) -> Policy) -> Self {
        self.queue = policy(self.queue);
        self
    }

    /// How much memory and time the peer is given.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How payloads are written: as [`Json`] unless set. Both sides must have the same.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Arc::new(codec);
        self
    }

    /// What came in over other links is published too, with its id and origin, unless it went through that many relays before.
    pub fn relay(mut self, hops: u8) -> Self {
        self.relay = Some(hops);
        self
    }

    /// How long the side that connects waits before it tries again: a random time, from `min` to a ceiling that doubles up to `max`.
    pub fn backoff(mut self, min: Duration, max: Duration) -> Self {
        self.backoff = (min, max);
        self
    }

    /// For how long the side that accepts keeps what a peer did not acknowledge, once the connection is gone; a minute unless set. It is kept no longer when
    /// a peer of the same identity, whose link has the same name, begins anew: then the former one was started again. So programs that run at the same time
    /// have different identities, or different names for their links.
    pub fn resume_within(mut self, time: Duration) -> Self {
        self.resume = time;
        self
    }

    /// Allows plain TCP beyond this machine. Everybody on the way can read and change what is sent; the event
    /// [`PlaintextLink`](crate::wire::PlaintextLink) says so at the start.
    pub fn insecure_plaintext(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Connects over streams that `dial` opens, and again whenever the connection is lost. Whoever opens a stream has found out who the peer is.
    ///
    /// What is published is queued from now on, also before there is a connection.
    ///
    /// # Errors
    ///
    /// [`LinkSetupError`] if an event cannot be exchanged, or this is no task of a tokio runtime.
    #[track_caller]
    pub fn connect<S, F>(
        self,
        bus: &Bus,
        dial: impl FnMut() -> F + Send + 'static,
    ) -> Result<LinkClient, LinkSetupError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
    {
        let plan = Plan::new(self, Location::caller())?;
        LinkClient::start(plan, bus, dial)
    }

    /// Connects over plain TCP to an address of this machine, or any other after [`insecure_plaintext`](Self::insecure_plaintext).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), and [`LinkSetupError::Plaintext`].
    #[track_caller]
    pub fn connect_tcp(self, bus: &Bus, address: SocketAddr) -> Result<LinkClient, LinkSetupError> {
        let plan = Plan::new(self, Location::caller())?;
        plan.check_plaintext(bus, address)?;
        LinkClient::start(plan, bus, move || async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }

    /// Waits for peers, each of which may do what `access` allows it. There is place for 1024 sessions, and 256 of one identity; where that is not enough, a
    /// session of that identity gives way that has no connection.
    ///
    /// # Errors
    ///
    /// [`LinkSetupError`] if an event cannot be exchanged, or this is no task of a tokio runtime.
    #[track_caller]
    pub fn serve(self, bus: &Bus, access: Access) -> Result<LinkServer, LinkSetupError> {
        let plan = Plan::new(self, Location::caller())?;
        Ok(LinkServer::start(plan, bus, access))
    }
}
