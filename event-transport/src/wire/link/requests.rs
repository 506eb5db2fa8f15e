//! Requests that cross a link: asked on one bus, answered on the other.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event_core::private::instrument::subscribe;
use event_core::private::{Answer, Asked, Reply, Step};
use event_core::{Bus, EventInfo, Request, RequestError, RequestErrorKind, Subscription};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asking::Ask;
use super::caught::coded;
use super::end::End;
use super::origin::{self, Incoming, delivering};
use crate::wire::codec::{Codec, Json};
use crate::wire::proto::frame::Fault;

/// An answer in the making.
pub(super) type Answering = Pin<Box<dyn Future<Output = Result<Bytes, Fault>> + Send>>;

/// A request that this side asks the peer.
#[derive(Clone, Copy)]
pub(super) struct Asks {
    pub(super) info: &'static EventInfo,
    pub(super) subscribe: fn(&Bus, &Arc<End>, usize, &'static Location<'static>) -> Subscription,
}

/// A request that this side answers for the peer.
#[derive(Clone, Copy)]
pub(super) struct Answers {
    pub(super) info: &'static EventInfo,
    pub(super) answer: fn(&Bus, Incoming, &[u8], Option<Duration>) -> Answering,
}

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asks({})", self.info.topic())
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answers({})", self.info.topic())
    }
}

impl Asks {
    pub(super) fn of<E>() -> Self
    where
        E: Request + Serialize,
        E::Reply: DeserializeOwned,
    {
        Self {
            info: E::__info(),
            subscribe: ask::<E>,
        }
    }
}

impl Answers {
    pub(super) fn of<E>() -> Self
    where
        E: Request + DeserializeOwned + Send,
        E::Reply: Serialize,
    {
        Self {
            info: E::__info(),
            answer: answer::<E>,
        }
    }
}

/// Has the peer answer what nobody answers on this bus.
fn ask<E>(
    bus: &Bus,
    end: &Arc<End>,
    offer: usize,
    place: &'static Location<'static>,
) -> Subscription
where
    E: Request + Serialize,
    E::Reply: DeserializeOwned,
{
    // The bus keeps this, and the link its bus.
    let end = Arc::downgrade(end);
    subscribe(bus, place, move |event: &E| {
        let incoming = origin::current();
        // One that came over a link is answered here or by nobody.
        if incoming
            .as_ref()
            .is_some_and(|it| it.asks == Some(E::TOPIC))
        {
            return Step::Done;
        }
        let Some((end, reply)) = end.upgrade().zip(Asked::<E>::new().take()) else {
            return Step::Done;
        };
        let payload = match serde_json::to_vec(event) {
            Ok(payload) => Bytes::from(payload),
            Err(error) => {
                finish::<E>(reply, Err(Fault::Payload(error.to_string())));
                return Step::Done;
            }
        };
        let mut envelope = end.source.first(E::__info(), Json.content_type());
        if let Some(incoming) = incoming {
            envelope = envelope.caused_by(&incoming.envelope);
        }
        let number = end.asking.number();
        let waiting = Arc::downgrade(&end);
        reply.when_given_up(move || {
            if let Some(end) = waiting.upgrade() {
                end.give_up(number);
            }
        });
        let answered =
            |answer: Result<Bytes, _>| finish::<E>(reply, answer.and_then(|bytes| read(&bytes)));
        let ask = Ask {
            offer,
            envelope,
            payload,
            answered: Box::new(answered),
        };
        end.ask(number, ask);
        Step::Done
    })
}

fn finish<E: Request>(reply: Reply<E>, answer: Result<E::Reply, Fault>) {
    // The error goes to who asked, and nobody else.
    drop(Answer::<E, _>::new(answer).step(Some(reply)));
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    coded("reading", || serde_json::from_slice(bytes)).map_err(Fault::Payload)
}

fn answer<E>(bus: &Bus, incoming: Incoming, payload: &[u8], within: Option<Duration>) -> Answering
where
    E: Request + DeserializeOwned + Send,
    E::Reply: Serialize,
{
    let event: E = match read(payload) {
        Ok(event) => event,
        Err(fault) => return Box::pin(std::future::ready(Err(fault))),
    };
    let asked = delivering(incoming, || bus.request(event));
    let asked = match within {
        Some(time) => asked.within(time),
        None => asked,
    };
    Box::pin(async move {
        let answer = asked.await.map_err(|error| fault(&error))?;
        let written = coded("writing", || serde_json::to_vec(&answer));
        Ok(Bytes::from(written.map_err(Fault::Failed)?))
    })
}

fn fault(error: &RequestError) -> Fault {
    match error.kind() {
        RequestErrorKind::NoListener => Fault::NoListener,
        RequestErrorKind::TimedOut => Fault::TimedOut,
        _ => Fault::Failed(with_sources(error)),
    }
}

/// What an error says, and those behind it, which do not cross.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    text
}
