//! What came from the peer and what of it the bus has.

use std::collections::VecDeque;

use super::credit::cost;
use super::frame::Seen;

#[derive(Debug, Default)]
pub struct Inbox {
    /// The peer's session, whose numbers these are.
    session: u64,
    /// The last event that came.
    received: u64,
    /// The last up to which all are settled.
    settled: u64,
    open: VecDeque<Open>,
    /// What those open take up, those of earlier sessions too.
    pending: u64,
    /// What is open of earlier sessions: nobody waits for its end, but it is still in memory.
    stale: VecDeque<(u64, Open)>,
}

#[derive(Debug)]
struct Open {
    sequence: u64,
    cost: u64,
    settled: bool,
}

impl Inbox {
    /// The peer begins a connection with this session. A new session is a new count.
    pub fn begin(&mut self, session: u64) {
        if session == self.session {
            return;
        }
        let mut stale = std::mem::take(&mut self.stale);
        stale.extend(self.open.drain(..).map(|open| (self.session, open)));
        *self = Self {
            session,
            pending: self.pending,
            stale,
            ..Self::default()
        };
    }

    /// What the peer is told at the beginning of a connection.
    pub fn seen(&self) -> Option<Seen> {
        (self.session != 0).then_some(Seen {
            session: self.session,
            upto: self.settled,
        })
    }

    pub fn session(&self) -> u64 {
        self.session
    }

    /// Up to where the peer may forget.
    pub fn settled_upto(&self) -> u64 {
        self.settled
    }

    pub fn pending(&self) -> u64 {
        self.pending
    }

    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// An event came; whether it is new. Numbers grow within a session, so what is not above the last came before.
    pub fn receive(&mut self, sequence: u64, payload: usize) -> bool {
        if sequence <= self.received {
            return false;
        }
        self.received = sequence;
        self.pending += cost(payload);
        self.open.push_back(Open {
            sequence,
            cost: cost(payload),
            settled: false,
        });
        true
    }

    /// The bus has an event, or it was rejected; whether that lets the peer forget more.
    pub fn settle(&mut self, session: u64, sequence: u64) -> bool {
        if session != self.session {
            self.settle_stale(session, sequence);
            return false;
        }
        let Ok(at) = self
            .open
            .binary_search_by_key(&sequence, |open| open.sequence)
        else {
            return false;
        };
        if let Some(open) = self.open.get_mut(at) {
            if !open.settled {
                open.settled = true;
                self.pending -= open.cost;
            }
        }
        let before = self.settled;
        while let Some(open) = self.open.front().filter(|open| open.settled) {
            self.settled = open.sequence;
            self.open.pop_front();
        }
        self.settled > before
    }
    fn settle_stale(&mut self, session: u64, sequence: u64) {
        let is = |(of, open): &(u64, Open)| *of == session && open.sequence == sequence;
        let at = self.stale.iter().position(is);
        if let Some((_, open)) = at.and_then(|at| self.stale.remove(at)) {
            if !open.settled {
                self.pending -= open.cost;
            }
        }
    }
}
