//! From the queues of the bus to the session: what is published, until the peer has it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use event_core::Bus;
use event_core::private::outlet::NoOutlet;
use event_runtime::private::{Outlet, Parcel};

use super::caught::coded;
use super::error::LinkSetupError;
use super::names::{Name, Names};
use super::origin::Source;
use super::plan::Plan;
use crate::wire::envelope::Envelope;
use crate::wire::proto::frame::Meta;
use crate::wire::proto::session::{NotTaken, Session};

type Sent = Parcel<Envelope>;

/// The queues of one session.
#[derive(Debug)]
pub(super) struct Feed {
    plan: Arc<Plan>,
    outlets: Vec<(usize, Outlet<Envelope>)>,
    /// Taken out of a queue, and not in the session.
    backlog: VecDeque<(usize, Sent)>,
    /// In the session, by their numbers there.
    sent: VecDeque<(u64, Sent)>,
    /// What the queues are called. After them, as a name is free when they are gone.
    name: Option<Name>,
}

impl Feed {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self {
            plan,
            outlets: Vec::new(),
            backlog: VecDeque::new(),
            sent: VecDeque::new(),
            name: None,
        }
    }

    /// Opens the queue of an offer, unless it is open.
    pub(super) fn open(
        &mut self,
        bus: &Bus,
        offer: usize,
        peer: &str,
        session: u64,
    ) -> Result<(), LinkSetupError> {
        if self.outlets.iter().any(|(open, _)| *open == offer) {
            return Ok(());
        }
        let plan = &self.plan;
        let event = plan.publish[offer];
        let (topic, content_type) = (event.topic(), plan.codec.content_type());
        let (source, relay) = (Source::of(bus), plan.relay);
        let base = || format!("link:{}{peer}", plan.name);
        let name = self.name.get_or_insert_with(|| Names::of(bus).take(base()));
        let id = format!("{name}/{topic}");
        let note = move |caused| source.envelope(event, content_type, caused, relay, session);
        let outlet = Outlet::open(bus, topic, id, plan.queue, plan.place, note);
        let outlet = outlet.map_err(|error| match error {
            NoOutlet::NotSend => LinkSetupError::NotSend(topic.to_owned()),
            NoOutlet::Unknown => LinkSetupError::NothingMatches {
                pattern: topic.to_owned(),
                hint: String::new(),
            },
        })?;
        self.outlets.push((offer, outlet));
        Ok(())
    }

    /// Moves events into the session while it has room; whether there were any.
    pub(super) fn poll(&mut self, session: &mut Session, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while session.is_ready() {
            if let Some((offer, parcel)) = self.backlog.pop_front() {
                self.publish(session, offer, parcel);
                moved = true;
            } else if !self.take(session.room(), cx) {
                break;
            }
        }
        moved
    }

    /// Takes a few events of each queue, and no more than the session has room for: what is out of its queue counts as on the way to the peer.
    fn take(&mut self, room: usize, cx: &mut Context<'_>) -> bool {
        for (offer, outlet) in &self.outlets {
            let left = room.saturating_sub(self.backlog.len());
            if left == 0 {
                break;
            }
            if let Poll::Ready(parcels) = outlet.poll_next(left, cx) {
                self.backlog
                    .extend(parcels.into_iter().map(|parcel| (*offer, parcel)));
            }
        }
        // Where there is little room, each queue is the first in its turn.
        if self.outlets.len() > 1 {
            self.outlets.rotate_left(1);
        }
        !self.backlog.is_empty()
    }

    fn publish(&mut self, session: &mut Session, offer: usize, parcel: Sent) {
        let mut payload = Vec::new();
        let codec = &self.plan.codec;
        let write = || parcel.look(|event| codec.write(event, &mut payload));
        if let Err(why) = coded("writing", write) {
            return parcel.failed(why);
        }
        match session.publish(offer, meta(parcel.note()), Bytes::from(payload)) {
            Ok(sequence) => self.sent.push_back((sequence, parcel)),
            Err(NotTaken::TooLong) => {
                let most = self.plan.limits().max_frame_bytes();
                parcel.failed(format!(
                    "it is longer than a frame of the link ({most} bytes)"
                ));
            }
            // It was asked before whether there is room.
            Err(NotTaken::Full | NotTaken::Leaving) => self.backlog.push_front((offer, parcel)),
        }
    }

    /// The peer has done with everything up to a number.
    pub(super) fn acknowledged(&mut self, upto: u64) {
        while self.sent.front().is_some_and(|(number, _)| *number <= upto) {
            if let Some((_, parcel)) = self.sent.pop_front() {
                parcel.delivered();
            }
        }
    }

    /// An event will not arrive.
    pub(super) fn failed(&mut self, sequence: u64, why: String) {
        if let Some(parcel) = self.find(sequence) {
            parcel.failed(why);
        }
    }

    /// The peer does not want an event.
    pub(super) fn unwanted(&mut self, sequence: u64) {
        if let Some(parcel) = self.find(sequence) {
            parcel.skipped();
        }
    }

    fn find(&mut self, sequence: u64) -> Option<Sent> {
        let number = |(number, _): &(u64, Sent)| *number;
        let at = self.sent.binary_search_by_key(&sequence, number).ok()?;
        self.sent.remove(at).map(|(_, parcel)| parcel)
    }

    /// Takes in nothing more.
    pub(super) fn rest(&mut self) {
        self.outlets
            .iter_mut()
            .for_each(|(_, outlet)| outlet.rest());
    }

    /// Whether everything that was emitted has arrived.
    pub(super) fn is_empty(&self) -> bool {
        let waits = |(_, outlet): &(usize, Outlet<Envelope>)| outlet.stats().depth > 0;
        self.backlog.is_empty() && self.sent.is_empty() && !self.outlets.iter().any(waits)
    }
}

pub(super) fn meta(envelope: &Envelope) -> Meta {
    let since = envelope.time.duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |time| {
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    });
    Meta {
        id: envelope.id,
        micros,
        cause: envelope.cause,
        trace: (envelope.trace != envelope.id).then_some(envelope.trace),
        hops: envelope.hops,
    }
}
