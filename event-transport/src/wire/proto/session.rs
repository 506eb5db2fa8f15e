//! One side of a link, which outlives its connections: what comes in, what goes out, and when.

mod notice;
mod open;
mod receive;
mod send;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub use notice::{Arrival, Notice};

use super::calls::Calls;
use super::credit::{Budget, Grant};
use super::frame::{Fault, Head, Meta, Rejection, RequestHead};
use super::inbox::Inbox;
use super::inlet::Inlet;
use super::outbox::Outbox;
use super::pulse::Pulse;
use super::terms::Terms;
use crate::wire::error::WireError;
use crate::wire::limits::{COST, Limits};
use crate::wire::shape::Offer;

/// No more is put into the output while this much waits in it.
const MARK: usize = 64 * 1024;

/// What one side of a link is made for.
#[derive(Debug, Clone)]
pub struct Setup {
    pub name: String,
    pub offers: Vec<Offer>,
    pub wants: Vec<Offer>,
    pub content_type: &'static str,
    /// What the events of this side have in their ids.
    pub origin: u64,
    pub limits: Limits,
}

/// The figures of a session since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// How often it was opened.
    pub connections: u64,
    /// Events that were sent, each time.
    pub sent: u64,
    /// Those of them that were sent before.
    pub resent: u64,
    /// Events that the bus of the peer has taken.
    pub acknowledged: u64,
    /// Events that the peer did not take.
    pub rejected: u64,
    /// Events that were not sent, as the peer of this connection does not want them.
    pub unwanted: u64,
    /// Events that were not sent, as they are longer than a frame that the peer takes.
    pub too_long: u64,
    /// Events that came and were new.
    pub received: u64,
    /// Events that came again and were left out.
    pub duplicates: u64,
    /// Events that this side did not take.
    pub refused: u64,
    /// Answers that came when nobody waited for them any more.
    pub late_replies: u64,
    /// How long the peer took to answer the last time that it was asked whether it is there.
    pub round_trip: Option<Duration>,
}

impl SessionStats {
    /// With those of another session.
    pub(in crate::wire) fn plus(&self, other: &Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            sent: self.sent + other.sent,
            resent: self.resent + other.resent,
            acknowledged: self.acknowledged + other.acknowledged,
            rejected: self.rejected + other.rejected,
            unwanted: self.unwanted + other.unwanted,
            too_long: self.too_long + other.too_long,
            received: self.received + other.received,
            duplicates: self.duplicates + other.duplicates,
            refused: self.refused + other.refused,
            late_replies: self.late_replies + other.late_replies,
            round_trip: None,
        }
    }
}

/// Why something is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// There is no room: try again when something was acknowledged or answered.
    Full,
    /// It is longer than a frame may be.
    TooLong,
    /// This side is leaving.
    Leaving,
}

#[derive(Debug)]
pub struct Session {
    id: u64,
    setup: Arc<Setup>,
    outbox: Outbox,
    inbox: Inbox,
    calls: Calls,
    stats: SessionStats,
    notices: VecDeque<Notice>,
    /// Events of a session that are settled when the peer is told that they were not taken. Until then they use up its credit.
    rejections: VecDeque<(u64, u64, Rejection)>,
    leaving: bool,
    conn: Option<Conn>,
    /// The output where there is no connection.
    nothing: BytesMut,
}

/// What is forgotten with the connection.
#[derive(Debug)]
struct Conn {
    inlet: Inlet,
    out: BytesMut,
    pulse: Pulse,
    grant: Grant,
    began: Instant,
    /// Answers that were not sent. They count as open requests of the peer.
    replies: VecDeque<(Head, Bytes)>,
    /// What the peer was told of the inbox.
    acked: u64,
    /// The ping that is to be answered.
    pong: Option<u64>,
    /// The ping that is not answered.
    ping: Option<(u64, Instant)>,
    pings: u64,
    said_goodbye: bool,
    heard_goodbye: bool,
    /// Not there until the handshake is done.
    peer: Option<Peer>,
}

/// What the handshake said of the peer.
#[derive(Debug)]
struct Peer {
    terms: Terms,
    budget: Budget,
    /// How often it wants to hear of this side.
    heartbeat: Duration,
    max_frame: usize,
    requests: usize,
}

impl Session {
    /// A session with an id that no other of this peer has; ids are random and not 0.
    pub fn new(setup: Arc<Setup>, id: u64) -> Self {
        Self {
            id,
            outbox: Outbox::new(&setup.limits),
            inbox: Inbox::default(),
            calls: Calls::default(),
            stats: SessionStats::default(),
            notices: VecDeque::new(),
            rejections: VecDeque::new(),
            leaving: false,
            conn: None,
            nothing: BytesMut::new(),
            setup,
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn stats(&self) -> SessionStats {
        self.stats
    }

    /// How many events wait for the peer to acknowledge them.
    pub fn unacknowledged(&self) -> usize {
        self.outbox.len()
    }

    /// Whether the handshake is done and the connection stands.
    pub fn is_open(&self) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.peer.is_some())
    }

    /// Whether an event may be published.
    pub fn is_ready(&self) -> bool {
        self.room() > 0
    }

    /// How many events may be published, if they are not too many bytes before.
    pub fn room(&self) -> usize {
        if self.leaving { 0 } else { self.outbox.room() }
    }

    /// Takes an event that is sent until the peer has it; its number.
    ///
    /// # Errors
    ///
    /// [`NotTaken`] if it is not; nothing has happened then.
    pub fn publish(&mut self, offer: usize, meta: Meta, payload: Bytes) -> Result<u64, NotTaken> {
        let offer = self.check(offer, &payload)?;
        if self.outbox.room() == 0 {
            return Err(NotTaken::Full);
        }
        Ok(self.outbox.push(offer, meta, payload))
    }

    /// Takes a request that is sent once; its number.
    ///
    /// # Errors
    ///
    /// [`NotTaken`] if it is not; nothing has happened then.
    pub fn request(
        &mut self,
        offer: usize,
        meta: Meta,
        payload: Bytes,
        within: Option<Duration>,
        now: Instant,
    ) -> Result<u64, NotTaken> {
        let offer = self.check(offer, &payload)?;
        let peer = self.conn.as_ref().and_then(|conn| conn.peer.as_ref());
        let own = self.setup.limits.open_requests();
        let most = peer.map_or(own, |peer| peer.requests.min(own));
        if self.calls.open() >= most {
            return Err(NotTaken::Full);
        }
        // Longer than can be said is without end.
        let millis = within.map_or(0, |time| {
            u32::try_from(time.as_millis().max(1)).unwrap_or(0)
        });
        let head = RequestHead {
            call: 0,
            offer,
            within_ms: millis,
            meta,
        };
        let until = within.and_then(|time| now.checked_add(time));
        Ok(self.calls.ask(head, payload, until))
    }

    /// Waits no longer for an answer.
    pub fn give_up(&mut self, call: u64) {
        self.calls.give_up(call);
    }

    fn check(&self, offer: usize, payload: &Bytes) -> Result<u32, NotTaken> {
        if self.leaving {
            return Err(NotTaken::Leaving);
        }
        if payload.len() + COST > self.setup.limits.max_frame_bytes() {
            return Err(NotTaken::TooLong);
        }
        // A handshake with more offers is longer than any frame.
        Ok(u32::try_from(offer).unwrap_or(u32::MAX))
    }

    /// The bus has an event: the peer may forget it.
    pub fn settle(&mut self, session: u64, sequence: u64) {
        self.inbox.settle(session, sequence);
    }

    /// The bus did not take an event, and will not: the peer is told, and may forget it.
    pub fn reject(&mut self, session: u64, sequence: u64, why: Rejection) {
        self.stats.refused += 1;
        self.rejections
            .push_back((session, sequence, why.shortened()));
    }

    /// Answers a request of the peer, if it still waits.
    pub fn reply(&mut self, ticket: u64, answer: Result<Bytes, Fault>) {
        let Some(call) = self.calls.answer(ticket) else {
            return;
        };
        let most = self.peer().map_or(0, |peer| peer.max_frame);
        match answer {
            Ok(payload) if payload.len() + COST <= most => {
                self.say(Head::Reply { call }, payload);
            }
            Ok(_) => self.fault(call, Fault::TooLong),
            Err(fault) => self.fault(call, fault),
        }
    }

    fn say(&mut self, head: Head, payload: Bytes) {
        if let Some(conn) = &mut self.conn {
            conn.replies.push_back((head, payload));
        }
    }

    fn fault(&mut self, call: u64, fault: Fault) {
        self.say(Head::Fault { call, fault }, Bytes::new());
    }

    fn peer(&self) -> Option<&Peer> {
        self.conn.as_ref()?.peer.as_ref()
    }

    /// Whether something happened: also what is said may bring it.
    pub fn has_notice(&self) -> bool {
        !self.notices.is_empty()
    }

    /// What happened, in order.
    pub fn notice(&mut self) -> Option<Notice> {
        self.notices.pop_front()
    }

    /// Takes no more events and requests, and says goodbye when the peer has all there are.
    pub fn leave(&mut self) {
        self.leaving = true;
    }

    /// Whether both sides have said goodbye and all is sent.
    pub fn is_over(&self) -> bool {
        self.conn
            .as_ref()
            .is_some_and(|conn| conn.said_goodbye && conn.heard_goodbye && conn.out.is_empty())
    }

    /// Whether both sides have said goodbye, or the peer has and has nothing to wait for.
    pub fn has_parted(&self) -> bool {
        let parted = |conn: &Conn| conn.heard_goodbye && conn.said_goodbye;
        self.conn.as_ref().is_some_and(parted)
    }

    /// The connection is gone: requests have no answer, events wait for the next connection.
    pub fn lost(&mut self) {
        if self.conn.take().is_none() {
            return;
        }
        self.outbox.rewind();
        let lost = self.calls.lose().into_iter();
        self.notices.extend(lost.map(|(call, fault)| Notice::Reply {
            call,
            answer: Err(fault),
        }));
    }

    /// When to call [`tick`](Self::tick).
    pub fn deadline(&self) -> Option<Instant> {
        let conn = self.conn.as_ref().map(|conn| match conn.peer {
            Some(_) => conn.pulse.deadline(),
            None => conn.began + self.setup.limits.handshake_time(),
        });
        let calls = self.calls.deadline();
        conn.into_iter().chain(calls).min()
    }

    /// Ends what has taken too long.
    ///
    /// # Errors
    ///
    /// If the peer counts as gone: the connection is of no use.
    pub fn tick(&mut self, now: Instant) -> Result<(), WireError> {
        let late = self.calls.late(now).into_iter();
        self.notices.extend(late.map(|call| Notice::Reply {
            call,
            answer: Err(Fault::TimedOut),
        }));
        let Some(conn) = &self.conn else {
            return Ok(());
        };
        if conn.peer.is_some() {
            return conn.pulse.check(now);
        }
        let time = self.setup.limits.handshake_time();
        if now.saturating_duration_since(conn.began) >= time {
            return Err(WireError::HandshakeTimeout(time));
        }
        Ok(())
    }
}
