//! Requests of this side that wait for an answer, and requests of the peer that wait for one from here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use super::frame::{Fault, RequestHead};
use crate::wire::error::WireError;

/// A request that was not sent yet.
#[derive(Debug)]
pub struct Unsent {
    pub head: RequestHead,
    pub payload: Bytes,
}

#[derive(Debug, Default)]
pub struct Calls {
    last: u64,
    unsent: VecDeque<Unsent>,
    waiting: BTreeMap<u64, Option<Instant>>,
    /// Sent requests that nobody waits for, of which the peer was not told.
    given_up: VecDeque<u64>,
    tickets: u64,
    asked: BTreeMap<u64, Asked>,
    /// What those cost that the peer gave up, also with its connection, by their tickets: nobody waits for the answer, but it is still in the making.
    stale: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Asked {
    call: u64,
    cost: u64,
}

impl Calls {
    /// How many requests of this side wait for an answer.
    pub fn open(&self) -> usize {
        self.waiting.len()
    }

    /// Whether no answer is to come, from either side. What was not sent does not count.
    pub fn is_settled(&self) -> bool {
        let said = self.given_up.is_empty();
        said && self.waiting.len() == self.unsent.len() && self.asked.is_empty()
    }

    /// A request of this side; its number.
    pub fn ask(&mut self, mut head: RequestHead, payload: Bytes, until: Option<Instant>) -> u64 {
        self.last += 1;
        head.call = self.last;
        self.waiting.insert(self.last, until);
        self.unsent.push_back(Unsent { head, payload });
        self.last
    }

    pub fn next(&self) -> Option<&Unsent> {
        self.unsent.front()
    }

    /// The next was sent, or will not be.
    pub fn advance(&mut self) {
        self.unsent.pop_front();
    }

    /// An answer came; whether somebody waits for it. Whoever gave up does not.
    ///
    /// # Errors
    ///
    /// [`WireError::UnaskedReply`] if there was never such a request.
    pub fn answered(&mut self, call: u64) -> Result<bool, WireError> {
        let unsent = self
            .unsent
            .front()
            .map_or(self.last + 1, |next| next.head.call);
        if call == 0 || call >= unsent {
            return Err(WireError::UnaskedReply { call });
        }
        Ok(self.waiting.remove(&call).is_some())
    }

    /// Ends the wait for an answer. The peer is told if it has the request.
    pub fn give_up(&mut self, call: u64) {
        if self.waiting.remove(&call).is_none() {
            return;
        }
        let number = |unsent: &Unsent| unsent.head.call;
        match self.unsent.binary_search_by_key(&call, number) {
            Ok(at) => drop(self.unsent.remove(at)),
            Err(_) => self.given_up.push_back(call),
        }
    }

    /// The next request of which the peer is to be told that nobody waits for it.
    pub fn next_given_up(&mut self) -> Option<u64> {
        self.given_up.pop_front()
    }

    /// Those whose time is over.
    pub fn late(&mut self, now: Instant) -> Vec<u64> {
        let is_late = |until: &Option<Instant>| until.is_some_and(|until| until <= now);
        let waiting = self.waiting.iter();
        let late: Vec<u64> = waiting
            .filter(|(_, until)| is_late(until))
            .map(|(call, _)| *call)
            .collect();
        for call in &late {
            self.give_up(*call);
        }
        late
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.values().flatten().min().copied()
    }

    /// A request of the peer came; the ticket under which it is answered. Tickets are never used twice, as a peer's numbers may be.
    pub fn take(&mut self, call: u64, cost: u64) -> u64 {
        self.tickets += 1;
        self.asked.insert(self.tickets, Asked { call, cost });
        self.tickets
    }

    /// How many of the peer's wait.
    pub fn taken(&self) -> usize {
        self.asked.len()
    }

    /// How many are still in the making that nobody waits for.
    pub fn stale(&self) -> usize {
        self.stale.len()
    }

    /// What the peer's requests take up, those that it gave up too.
    pub fn pending(&self) -> u64 {
        let asked = self.asked.values().map(|asked| asked.cost);
        asked.chain(self.stale.values().copied()).sum()
    }

    /// The peer waits no longer for an answer. That is still in the making, and takes up what it does.
    pub fn leave(&mut self, call: u64) {
        let of = |(ticket, asked): (&u64, &Asked)| (asked.call == call).then_some(*ticket);
        let Some(ticket) = self.asked.iter().find_map(of) else {
            return;
        };
        if let Some(asked) = self.asked.remove(&ticket) {
            self.stale.insert(ticket, asked.cost);
        }
    }

    /// The peer's number of a request that is answered now; nothing if its connection is gone.
    pub fn answer(&mut self, ticket: u64) -> Option<u64> {
        self.stale.remove(&ticket);
        self.asked.remove(&ticket).map(|asked| asked.call)
    }

    /// The connection is gone: those that were waiting.
    pub fn lose(&mut self) -> Vec<(u64, Fault)> {
        let asked = std::mem::take(&mut self.asked).into_iter();
        self.stale
            .extend(asked.map(|(ticket, asked)| (ticket, asked.cost)));
        self.unsent.clear();
        self.given_up.clear();
        let waiting = std::mem::take(&mut self.waiting).into_keys();
        waiting.map(|call| (call, Fault::Lost)).collect()
    }
}
