//! What was published and is not acknowledged: it outlives connections.

use std::collections::VecDeque;

use bytes::Bytes;

use super::credit::cost;
use super::frame::{EventHead, Meta};
use crate::wire::envelope::EventId;
use crate::wire::error::WireError;
use crate::wire::limits::Limits;

/// An event that is kept until the peer has it.
#[derive(Debug, Clone)]
pub struct Kept {
    pub head: EventHead,
    pub payload: Bytes,
    rejected: bool,
}

#[derive(Debug)]
pub struct Outbox {
    kept: VecDeque<Kept>,
    bytes: u64,
    /// How many of those kept were sent on this connection.
    sent: usize,
    /// The last sequence number that was given.
    last: u64,
    /// The last sequence number that was ever sent.
    highest: u64,
    most_events: usize,
    most_bytes: u64,
}

impl Outbox {
    pub fn new(limits: &Limits) -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: 0,
            sent: 0,
            last: 0,
            highest: 0,
            most_events: limits.kept_events(),
            most_bytes: limits.keep_bytes() as u64,
        }
    }

    /// For how many events there is room. Their bytes may use it up before.
    pub fn room(&self) -> usize {
        if self.bytes >= self.most_bytes {
            return 0;
        }
        self.most_events.saturating_sub(self.kept.len())
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether something was sent on this connection and is not acknowledged.
    pub fn is_waiting(&self) -> bool {
        self.sent > 0
    }

    /// Adds an event; its number. The caller has looked whether there is room.
    pub fn push(&mut self, offer: u32, meta: Meta, payload: Bytes) -> u64 {
        self.last += 1;
        self.bytes += cost(payload.len());
        let head = EventHead {
            sequence: self.last,
            offer,
            meta,
        };
        self.kept.push_back(Kept {
            head,
            payload,
            rejected: false,
        });
        self.last
    }

    /// The next that this connection has not carried.
    pub fn next(&self) -> Option<&Kept> {
        self.kept.get(self.sent)
    }

    /// The next was sent; whether it was sent before.
    pub fn advance(&mut self) -> bool {
        let Some(kept) = self.kept.get(self.sent) else {
            return false;
        };
        let again = kept.head.sequence <= self.highest;
        self.highest = self.highest.max(kept.head.sequence);
        self.sent += 1;
        again
    }

    /// Takes out the next, which will not be sent.
    pub fn discard(&mut self) -> Option<Kept> {
        let kept = self.kept.remove(self.sent)?;
        self.bytes -= cost(kept.payload.len());
        Some(kept)
    }

    /// The peer has done with everything up to a number; how many of those it took.
    ///
    /// # Errors
    ///
    /// [`WireError::NeverSent`] if that was never sent.
    pub fn acknowledge(&mut self, upto: u64) -> Result<u64, WireError> {
        self.check(upto)?;
        let mut count = 0;
        while self
            .kept
            .front()
            .is_some_and(|kept| kept.head.sequence <= upto)
        {
            if let Some(kept) = self.kept.pop_front() {
                self.bytes -= cost(kept.payload.len());
                count += u64::from(!kept.rejected);
            }
            self.sent = self.sent.saturating_sub(1);
        }
        Ok(count)
    }

    /// The peer will not take an event, which is kept until it is acknowledged: which event that is, if it is new.
    ///
    /// # Errors
    ///
    /// [`WireError::NeverSent`] if that was never sent.
    pub fn reject(&mut self, sequence: u64) -> Result<Option<(u32, EventId)>, WireError> {
        self.check(sequence)?;
        let number = |kept: &Kept| kept.head.sequence;
        let at = self.kept.binary_search_by_key(&sequence, number).ok();
        let Some(kept) = at.and_then(|at| self.kept.get_mut(at)) else {
            return Ok(None);
        };
        let first = !std::mem::replace(&mut kept.rejected, true);
        Ok(first.then_some((kept.head.offer, kept.head.meta.id)))
    }

    fn check(&self, sequence: u64) -> Result<(), WireError> {
        if sequence > self.highest {
            return Err(WireError::NeverSent {
                sequence,
                last: self.highest,
            });
        }
        Ok(())
    }

    /// The connection is gone: everything that is kept is sent again on the next.
    pub fn rewind(&mut self) {
        self.sent = 0;
    }
}
