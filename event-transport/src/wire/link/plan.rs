//! A link with the events of the program that it is about.

use std::net::SocketAddr;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use event_core::private::Pattern;
use event_core::private::outlet::{self, written_events};
use event_core::{Bus, EventInfo, Policy, catalog};

use super::error::LinkSetupError;
use super::origin::Source;
use super::requests::{Answers, Asks};
use super::sessions::Places;
use super::unheard::warn;
use crate::wire::codec::Codec;
use crate::wire::events::PlaintextLink;
use crate::wire::limits::Limits;
use crate::wire::proto::session::Setup;
#[cfg(feature = "tls")]
use crate::wire::secret::Credentials;
use crate::wire::shape::Offer;

/// What all connections of a link have in common.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    /// In the order of the offers.
    pub(super) publish: Vec<&'static EventInfo>,
    /// After those in the order of the offers.
    pub(super) asks: Vec<Asks>,
    /// What was named for `publish` and `subscribe`.
    pub(super) named: (Vec<Pattern>, Vec<Pattern>),
    /// In the order of the wants.
    pub(super) subscribe: Vec<&'static EventInfo>,
    /// After those in the order of the wants.
    pub(super) answers: Vec<Answers>,
    pub(super) request_within: Duration,
    pub(super) setup: Arc<Setup>,
    pub(super) codec: Arc<dyn Codec>,
    pub(super) queue: Policy,
    pub(super) relay: Option<u8>,
    pub(super) backoff: (Duration, Duration),
    pub(super) resume: Duration,
    /// How many connections a listener has.
    pub(super) connections: usize,
    pub(super) places: Places,
    pub(super) insecure: bool,
    #[cfg(feature = "tls")]
    pub(super) credentials: Option<Credentials>,
    pub(super) place: &'static Location<'static>,
}

impl Plan {
    pub(super) fn new(
        link: super::Link,
        queue: Policy,
        bus: &Bus,
        place: &'static Location<'static>,
    ) -> Result<Arc<Self>, LinkSetupError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(LinkSetupError::NoTokio);
        }
        let is_empty = link.publish.is_empty() && link.subscribe.is_empty();
        if is_empty && link.asks.is_empty() && link.answers.is_empty() {
            return Err(LinkSetupError::Empty(link.name));
        }
        let mut wrong = Vec::new();
        let publish = matching(&link.publish, &mut wrong);
        let held = |event: &&&EventInfo| outlet::check(event.topic()).is_err();
        let held = publish.iter().filter(held);
        wrong.extend(held.map(|event| LinkSetupError::NotSend(event.topic().to_owned())));
        let subscribe = matching(&link.subscribe, &mut wrong);
        LinkSetupError::check(wrong)?;
        let offers = |events: &[&'static EventInfo], requests: &mut dyn Iterator<Item = _>| {
            let events = events.iter().copied().chain(requests);
            events.map(Offer::of).collect()
        };
        let asks = &mut link.asks.iter().map(|ask| ask.info);
        let answers = &mut link.answers.iter().map(|answer| answer.info);
        let setup = Arc::new(Setup {
            name: link.name.clone(),
            offers: offers(&publish, asks),
            wants: offers(&subscribe, answers),
            content_type: link.codec.content_type(),
            origin: Source::of(bus).origin(),
            limits: link.limits,
        });
        Ok(Arc::new(Self {
            name: link.name,
            publish,
            named: (link.publish, link.subscribe),
            asks: link.asks,
            subscribe,
            answers: link.answers,
            request_within: link.request_within,
            setup,
            codec: link.codec,
            queue,
            relay: link.relay,
            backoff: link.backoff,
            resume: link.resume,
            connections: link.connections,
            places: link.places,
            insecure: link.insecure,
            #[cfg(feature = "tls")]
            credentials: link.credentials,
            place,
        }))
    }

    /// Plain TCP is for this machine, unless it is allowed; then it is told of.
    pub(super) fn check_plaintext(
        &self,
        bus: &Bus,
        address: SocketAddr,
    ) -> Result<(), LinkSetupError> {
        if address.ip().is_loopback() {
            return Ok(());
        }
        if !self.insecure {
            return Err(LinkSetupError::Plaintext { address });
        }
        let link = self.name.clone();
        let address = address.to_string();
        warn(bus, PlaintextLink { link, address });
        Ok(())
    }

    /// A secret that nothing protects is not sent, and one that is not asked for would be forgotten in silence.
    #[cfg(feature = "tls")]
    pub(super) fn check_no_secret(&self) -> Result<(), LinkSetupError> {
        match &self.credentials {
            Some(_) => Err(LinkSetupError::SecretWithoutTls),
            None => Ok(()),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.setup.limits
    }
}

/// The events that one of the patterns matches, each once. What is wrong with a pattern that matches none is added to the others.
fn matching(patterns: &[Pattern], wrong: &mut Vec<LinkSetupError>) -> Vec<&'static EventInfo> {
    for pattern in patterns {
        if crossing().any(|event| pattern.matches(event.topic())) {
            continue;
        }
        let text = pattern.as_str().to_owned();
        let known = catalog().events().iter();
        let named = known.into_iter().find(|event| event.topic() == text);
        let why = match named {
            Some(event) if event.reply().is_some() => LinkSetupError::IsRequest(text),
            Some(_) => LinkSetupError::NotSerde(text),
            None => LinkSetupError::NothingMatches {
                hint: outlet::like_written(&text),
                pattern: text,
            },
        };
        // The same pattern may be written twice, for each direction.
        if !wrong.contains(&why) {
            wrong.push(why);
        }
    }
    let wanted = |event: &&'static EventInfo| {
        let topic = event.topic();
        patterns.iter().any(|pattern| pattern.matches(topic))
    };
    crossing().filter(wanted).collect()
}

/// What is emitted on the other side; requests are asked there.
fn crossing() -> impl Iterator<Item = &'static EventInfo> {
    written_events().filter(|event| event.reply().is_none())
}
