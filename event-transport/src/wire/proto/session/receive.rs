//! What a peer's frames do.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::{Arrival, Conn, Notice, Peer, Session};
use crate::wire::error::WireError;
use crate::wire::proto::credit::cost;
use crate::wire::proto::frame::{EventHead, Fault, Head, Rejection, RequestHead};
use crate::wire::proto::inlet::Frame;

impl Session {
    /// Takes whole frames out of the buffer.
    ///
    /// # Errors
    ///
    /// What the peer did wrong: the connection is of no use.
    pub fn receive(&mut self, buffer: &mut BytesMut, now: Instant) -> Result<(), WireError> {
        while let Some(conn) = &mut self.conn {
            let Some(frame) = conn.inlet.next(buffer)? else {
                break;
            };
            conn.pulse.hear(now);
            self.take(frame, now)?;
        }
        if let Some(conn) = &mut self.conn {
            conn.pulse.begun(conn.inlet.is_in_frame(), now);
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame, now: Instant) -> Result<(), WireError> {
        let Frame { head, payload } = frame;
        let kind = head.kind();
        let unexpected = |at| Err(WireError::Unexpected { kind, at });
        let Some(conn) = &mut self.conn else {
            return unexpected("without a connection");
        };
        let Some(peer) = &mut conn.peer else {
            return match head {
                Head::Welcome(welcome) => self.welcomed(&welcome),
                Head::Refuse(refusal) => Err(self.refused(*refusal)),
                _ => unexpected("before its welcome"),
            };
        };
        match head {
            Head::Hello(_) | Head::Welcome(_) | Head::Refuse(_) => {
                unexpected("after the handshake")
            }
            Head::Event(_) | Head::Request(_) | Head::Goodbye if conn.heard_goodbye => {
                unexpected("after its goodbye")
            }
            Head::Event(event) => self.event(event, payload),
            Head::Request(request) => self.asked(request, payload),
            Head::Ack { upto } => self.acknowledged(upto),
            Head::Reject { sequence, why } => self.rejected(sequence, why),
            Head::Reply { call } => self.answered(call, Ok(payload)),
            Head::Fault { call, fault } => self.answered(call, Err(fault)),
            Head::GiveUp { call } => {
                self.peer_gave_up(call);
                Ok(())
            }
            Head::Credit { upto } => peer.budget.grant(upto),
            Head::Ping(number) => {
                conn.pong = Some(number);
                Ok(())
            }
            Head::Pong(number) => {
                if let Some((_, sent)) = conn.ping.take_if(|(ping, _)| *ping == number) {
                    self.stats.round_trip = Some(now.saturating_duration_since(sent));
                }
                Ok(())
            }
            Head::Goodbye => {
                conn.heard_goodbye = true;
                self.notices.push_back(Notice::Leaving);
                Ok(())
            }
        }
    }

    fn event(&mut self, head: EventHead, payload: Bytes) -> Result<(), WireError> {
        let Some(Conn {
            grant,
            peer: Some(peer),
            ..
        }) = &mut self.conn
        else {
            return Ok(());
        };
        grant.take(payload.len())?;
        if !self.inbox.receive(head.sequence, payload.len()) {
            self.stats.duplicates += 1;
            return Ok(());
        }
        self.stats.received += 1;
        let session = self.inbox.session();
        let Some(want) = want(peer, head.offer) else {
            self.reject(session, head.sequence, Rejection::NotAgreed);
            return Ok(());
        };
        self.notices.push_back(Notice::Event(Arrival {
            session,
            sequence: head.sequence,
            want,
            meta: head.meta,
            payload,
        }));
        Ok(())
    }

    fn asked(&mut self, head: RequestHead, payload: Bytes) -> Result<(), WireError> {
        let Some(Conn {
            grant,
            replies,
            peer: Some(peer),
            ..
        }) = &mut self.conn
        else {
            return Ok(());
        };
        grant.take(payload.len())?;
        // An answer that the peer has not read is not answered for it either.
        let open = self.calls.taken() + replies.len();
        let limit = self.setup.limits.open_requests();
        if open >= limit {
            return Err(WireError::TooManyRequests { limit });
        }
        let want = want(peer, head.offer);
        let ticket = self.calls.take(head.call, cost(payload.len()));
        let Some(want) = want else {
            self.reply(ticket, Err(Fault::NotAgreed));
            return Ok(());
        };
        // The peer asks no more than it may: it does not know whether what it gave up has ended here.
        if open + self.calls.stale() >= limit {
            self.reply(ticket, Err(Fault::TooMany));
            return Ok(());
        }
        let millis = u64::from(head.within_ms);
        self.notices.push_back(Notice::Request {
            ticket,
            want,
            meta: head.meta,
            within: (millis > 0).then(|| Duration::from_millis(millis)),
            payload,
        });
        Ok(())
    }

    /// The peer waits no longer for the answer to a request, which may be on its way.
    fn peer_gave_up(&mut self, call: u64) {
        self.calls.leave(call);
        if let Some(conn) = &mut self.conn {
            conn.replies.retain(|(head, _)| match head {
                Head::Reply { call: of } | Head::Fault { call: of, .. } => *of != call,
                _ => true,
            });
        }
    }

    fn answered(&mut self, call: u64, answer: Result<Bytes, Fault>) -> Result<(), WireError> {
        if self.calls.answered(call)? {
            self.notices.push_back(Notice::Reply { call, answer });
        } else {
            self.stats.late_replies += 1;
        }
        Ok(())
    }

    /// The peer needs nothing any more of what was sent up to a number.
    pub(super) fn acknowledged(&mut self, upto: u64) -> Result<(), WireError> {
        let before = self.outbox.len();
        self.stats.acknowledged += self.outbox.acknowledge(upto)?;
        if self.outbox.len() < before {
            self.notices.push_back(Notice::Acknowledged { upto });
        }
        Ok(())
    }

    fn rejected(&mut self, sequence: u64, why: Rejection) -> Result<(), WireError> {
        if let Some((offer, id)) = self.outbox.reject(sequence)? {
            self.stats.rejected += 1;
            let offer = offer as usize;
            self.notices.push_back(Notice::Rejected {
                sequence,
                offer,
                id,
                why,
            });
        }
        Ok(())
    }
}

/// Which want of this side an offer of the peer is.
fn want(peer: &Peer, offer: u32) -> Option<usize> {
    let offer = usize::try_from(offer).ok()?;
    *peer.terms.incoming.get(offer)?
}
