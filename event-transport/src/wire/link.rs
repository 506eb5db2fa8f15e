//! A link before it has a connection: what it publishes and hears, and how.

mod asking;
mod caught;
mod client;
mod drive;
mod end;
mod error;
mod feed;
mod names;
mod open;
mod origin;
mod plan;
mod requests;
mod server;
mod sessions;
#[cfg(feature = "tls")]
mod tls;
mod unheard;
mod waiting;
mod who;

use std::sync::Arc;
use std::time::Duration;

pub use client::LinkClient;
pub use error::{LinkError, LinkSetupError};
use event_core::private::Pattern;
use event_core::{Overflow, PatternError, Policy, Request};
pub use origin::envelope;
use requests::{Answers, Asks};
use serde::Serialize;
use serde::de::DeserializeOwned;
pub use server::LinkServer;
use sessions::Places;

#[cfg(feature = "tls")]
use super::access::Identity;
use super::codec::{Codec, Json};
use super::limits::Limits;
#[cfg(feature = "tls")]
use super::secret::{Credentials, Secret};

/// How the queue of a topic is carried, by which side of the link this is.
#[derive(Debug, Clone, Copy)]
struct Queues {
    connects: Policy,
    /// One of many peers must not hold up what the others are sent.
    accepts: Policy,
}

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
    queues: Queues,
    relay: Option<u8>,
    backoff: (Duration, Duration),
    resume: Duration,
    connections: usize,
    places: Places,
    insecure: bool,
    #[cfg(feature = "tls")]
    credentials: Option<Credentials>,
}

impl Link {
    /// A link that publishes and hears nothing yet. The name is for people, and part of the ids of its queues; where another link of the bus has a queue of
    /// that id, a number tells them apart, as in `link:chat#2/chat.say`.
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
            queues: Queues {
                connects: Policy::queued(1024),
                accepts: Policy::queued(1024).overflow(Overflow::DropOldest),
            },
            relay: None,
            backoff: (Duration::from_millis(100), Duration::from_secs(10)),
            resume: Duration::from_secs(60),
            connections: 2048,
            places: Places {
                all: 1024,
                of_one: 256,
            },
            insecure: false,
            #[cfg(feature = "tls")]
            credentials: None,
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
    /// They are asked as ever, with [`Bus::request`](event_core::Bus::request). A request crosses once: when the connection is lost before the answer came, it fails with
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

    /// How the queue of each published topic is carried: capacity and overflow. Unless set it has room for 1024 events, and when it is full, emitters wait
    /// where the link connects, and where it serves the event is dropped that has waited longest. `policy` is called once for each of the two.
    ///
    /// A server has such a queue for every peer. One that takes little, or nothing, loses its own events, which are counted as dropped in
    /// [`Bus::queues`](event_core::Bus::queues), and holds up nobody else. With `overflow(Overflow::Block)` a server loses nothing and sends to all at the
    /// pace of the slowest: a peer that takes nothing stops whoever emits until it counts as gone and is not kept any longer, and for as long as it likes if
    /// it comes again in time. So that is for peers that you trust.
    pub fn queue(mut self, policy: impl Fn(Policy) -> Policy) -> Self {
        let Queues { connects, accepts } = self.queues;
        self.queues = Queues {
            connects: policy(connects),
            accepts: policy(accepts),
        };
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
    /// have different identities, or different names for their links. A former connection of which no end has come is left until it is
    /// [idle](crate::wire::Limits::idle), and what belongs to it is not kept after that.
    pub fn resume_within(mut self, time: Duration) -> Self {
        self.resume = time;
        self
    }

    /// How many connections each listener of the side that accepts has at a time; 2048 unless set. The next ones are accepted when others have ended; until
    /// then they wait where the operating system keeps them.
    ///
    /// # Panics
    ///
    /// With 0, which no peer could pass.
    pub fn connections(mut self, most: usize) -> Self {
        assert!(
            most > 0,
            "a limit of 0 connections lets none in: write at least 1"
        );
        self.connections = most;
        self
    }

    /// How many sessions the side that accepts has place for, those included that have no connection: 1024 unless set, and 256 of one identity. Where that
    /// is not enough, a session of that identity gives way that has no connection; if there is none, the peer is told to come again.
    /// A session that is gone has its place until the bus has done with all that came with it.
    ///
    /// # Panics
    ///
    /// With 0, which no peer could pass.
    pub fn sessions(mut self, most: usize, of_one: usize) -> Self {
        assert!(
            most > 0 && of_one > 0,
            "a limit of 0 sessions lets none in: write at least 1"
        );
        self.places = Places { all: most, of_one };
        self
    }

    /// Allows plain TCP beyond this machine. Everybody on the way can read and change what is sent; the event
    /// [`PlaintextLink`](crate::wire::PlaintextLink) says so at the start.
    pub fn insecure_plaintext(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Who this side is, for a server that has its secret: see [`connect_tls`](Self::connect_tls) and [`LinkServer::listen_tls`]. The secret is not sent; that it is here is proven to the server whose
    /// certificate TLS has checked, in a way that is of no use on any other connection.
    #[cfg(feature = "tls")]
    pub fn credentials(mut self, identity: &Identity, secret: Secret) -> Self {
        self.credentials = Some(Credentials {
            identity: identity.clone(),
            secret,
        });
        self
    }
}
