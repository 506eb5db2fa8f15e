//! What this side has to say, in its order: what the peer waits for first, then requests and events as far as the credit goes.

use std::time::Instant;

use bytes::BytesMut;

use super::{Conn, MARK, Notice, Session};
use crate::wire::limits::COST;
use crate::wire::proto::frame::{Fault, Head};

impl Session {
    /// The bytes for the peer. The one who writes them takes them out and [says so](Self::wrote).
    pub fn output(&mut self, now: Instant) -> &mut BytesMut {
        self.fill(now);
        // Without a connection there is nothing to say, and nobody to say it to.
        match &mut self.conn {
            Some(conn) => &mut conn.out,
            None => &mut self.nothing,
        }
    }

    /// Bytes of the output were taken.
    pub fn wrote(&mut self, now: Instant) {
        if let Some(conn) = &mut self.conn {
            conn.pulse.wrote(conn.out.len(), now);
        }
    }

    fn fill(&mut self, now: Instant) {
        if !self.is_open() {
            return;
        }
        self.rejections(now);
        self.settled(now);
        self.replies(now);
        self.given_up(now);
        self.requests(now);
        self.events(now);
        self.goodbye(now);
        if let Some(conn) = &mut self.conn {
            conn.ping(now);
        }
    }

    /// What this side has taken: acknowledgement, credit, and that it is there. A later one says what an earlier one would have, so it can wait for room.
    fn settled(&mut self, now: Instant) {
        let pending = self.inbox.pending() + self.calls.pending();
        let upto = self.inbox.settled_upto();
        let Some(conn) = self.conn.as_mut().filter(|conn| conn.out.len() < MARK) else {
            return;
        };
        if upto > conn.acked {
            conn.acked = upto;
            conn.say(&Head::Ack { upto }, now);
        }
        if let Some(upto) = conn.grant.announce(pending) {
            conn.say(&Head::Credit { upto }, now);
        }
        if let Some(number) = conn.pong.take() {
            conn.say(&Head::Pong(number), now);
        }
    }

    fn rejections(&mut self, now: Instant) {
        while let Some(conn) = self.conn.as_mut().filter(|conn| conn.out.len() < MARK) {
            let Some((session, sequence, why)) = self.rejections.pop_front() else {
                break;
            };
            if session == self.inbox.session() {
                conn.say(&Head::Reject { sequence, why }, now);
            }
            self.inbox.settle(session, sequence);
        }
    }

    fn replies(&mut self, now: Instant) {
        let Some(conn) = &mut self.conn else {
            return;
        };
        while conn.out.len() < MARK {
            let Some((head, payload)) = conn.replies.pop_front() else {
                break;
            };
            conn.send(&head, &payload, now);
        }
    }

    /// Before the requests that have their places.
    fn given_up(&mut self, now: Instant) {
        while let Some(conn) = self.conn.as_mut().filter(|conn| conn.out.len() < MARK) {
            let Some(call) = self.calls.next_given_up() else {
                break;
            };
            conn.say(&Head::GiveUp { call }, now);
        }
    }

    fn requests(&mut self, now: Instant) {
        while let Some(unsent) = self.calls.next() {
            let Some(conn) = self.conn.as_mut().filter(|conn| conn.may_send()) else {
                return;
            };
            let Some(peer) = &mut conn.peer else {
                return;
            };
            let wanted = peer.wants(unsent.head.offer);
            let fits = unsent.payload.len() + COST <= peer.max_frame;
            let fault = match (wanted, fits) {
                (true, true) if !peer.budget.spend(unsent.payload.len()) => return,
                (true, true) => None,
                (false, _) => Some(Fault::NotAgreed),
                (true, false) => Some(Fault::TooLong),
            };
            let call = unsent.head.call;
            match fault {
                None => {
                    conn.send(&Head::Request(unsent.head), &unsent.payload, now);
                    self.calls.advance();
                }
                Some(fault) => {
                    self.calls.give_up(call);
                    let answer = Err(fault);
                    self.notices.push_back(Notice::Reply { call, answer });
                }
            }
        }
    }

    fn events(&mut self, now: Instant) {
        while let Some(kept) = self.outbox.next() {
            let Some(conn) = self.conn.as_mut().filter(|conn| conn.may_send()) else {
                return;
            };
            let Some(peer) = &mut conn.peer else {
                return;
            };
            let (offer, id) = (kept.head.offer as usize, kept.head.meta.id);
            let sequence = kept.head.sequence;
            if !peer.wants(kept.head.offer) {
                self.outbox.discard();
                self.stats.unwanted += 1;
                self.notices.push_back(Notice::Unwanted {
                    sequence,
                    offer,
                    id,
                });
            } else if kept.payload.len() + COST > peer.max_frame {
                self.outbox.discard();
                self.stats.too_long += 1;
                self.notices.push_back(Notice::TooLong {
                    sequence,
                    offer,
                    id,
                });
            } else if peer.budget.spend(kept.payload.len()) {
                conn.send(&Head::Event(kept.head), &kept.payload, now);
                self.stats.sent += 1;
                self.stats.resent += u64::from(self.outbox.advance());
            } else {
                return;
            }
        }
    }

    /// When nothing is open any more: the peer said goodbye, or this side wants to and the peer has all.
    fn goodbye(&mut self, now: Instant) {
        let done = match &self.conn {
            Some(conn) if conn.heard_goodbye => !self.outbox.is_waiting(),
            Some(_) if self.leaving => self.outbox.is_empty(),
            _ => false,
        };
        let settled = self.inbox.is_settled() && self.calls.is_settled();
        let Some(conn) = self.conn.as_mut().filter(|_| done && settled) else {
            return;
        };
        if !conn.said_goodbye && conn.replies.is_empty() {
            conn.said_goodbye = true;
            conn.say(&Head::Goodbye, now);
        }
    }
}

impl super::Peer {
    fn wants(&self, offer: u32) -> bool {
        let outgoing = &self.terms.outgoing;
        outgoing.get(offer as usize).copied().unwrap_or(false)
    }
}

impl Conn {
    fn may_send(&self) -> bool {
        self.out.len() < MARK && !self.heard_goodbye && !self.said_goodbye
    }

    pub(super) fn say(&mut self, head: &Head, now: Instant) {
        self.send(head, &[], now);
    }

    fn send(&mut self, head: &Head, payload: &[u8], now: Instant) {
        head.write(payload, &mut self.out);
        self.pulse.speak(self.out.len(), now);
    }

    fn ping(&mut self, now: Instant) {
        if self.pulse.is_due(now) {
            self.pings += 1;
            self.ping = Some((self.pings, now));
            self.say(&Head::Ping(self.pings), now);
        }
    }
}
