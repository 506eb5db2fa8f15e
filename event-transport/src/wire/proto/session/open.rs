//! The handshake: how a session comes to a connection.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};

use super::{Conn, Notice, Peer, Session};
use crate::wire::access::{Access, Identity, Right};
use crate::wire::error::{Mismatch, WireError};
use crate::wire::proto::credit::{Budget, Grant};
use crate::wire::proto::frame::{Head, Hello, Proof, Refusal};
use crate::wire::proto::greeter::Greeter;
use crate::wire::proto::inlet::{Inlet, PREFACE};
use crate::wire::proto::pulse::Pulse;
use crate::wire::proto::terms::Terms;
use crate::wire::shape::Offer;

impl Session {
    /// Begins a connection as the side that connects, with what proves who this side is, where the stream does not.
    pub fn connect(&mut self, proof: Option<Proof>, now: Instant) {
        self.lost();
        let inlet = Inlet::new(self.setup.limits.max_handshake_bytes());
        let mut conn = self.conn(inlet, now);
        let hello = self.hello(&conn, proof);
        conn.say(&Head::Hello(Box::new(hello)), now);
        self.conn = Some(conn);
    }

    /// Begins a connection as the side that accepts, with a peer that said hello and was found to be `identity`.
    ///
    /// # Errors
    ///
    /// Why the peer is not let in; the [refusal](crate::wire::proto::greeter::refusal) is for it. A connection of the session that stands is unharmed then; otherwise it is gone.
    pub fn accept(
        &mut self,
        greeter: Greeter,
        hello: &Hello,
        identity: &Identity,
        access: &Access,
        now: Instant,
    ) -> Result<(), WireError> {
        if !access.knows(identity) {
            return Err(WireError::UnknownIdentity(identity.clone()));
        }
        let peer = self.compare(hello)?;
        let rights = peer.terms.rights(&self.setup.offers, &self.setup.wants);
        let missing: Vec<(Right, String)> = rights
            .filter(|(right, topic)| !access.allows(identity, *right, topic))
            .map(|(right, topic)| (right, topic.to_owned()))
            .collect();
        if !missing.is_empty() {
            return Err(WireError::NotAllowed {
                identity: identity.clone(),
                missing,
            });
        }
        // Nothing fails once the former connection is gone: its task would read on, and nobody would take what it reads.
        self.meet(hello)?;
        self.lost();
        let mut conn = self.conn(greeter.into_inlet(), now);
        let welcome = self.hello(&conn, None);
        conn.say(&Head::Welcome(Box::new(welcome)), now);
        self.conn = Some(conn);
        self.open(&hello.link, peer);
        Ok(())
    }

    /// The answer to the hello of this side.
    pub(super) fn welcomed(&mut self, welcome: &Hello) -> Result<(), WireError> {
        let peer = self.compare(welcome)?;
        self.meet(welcome)?;
        self.open(&welcome.link, peer);
        Ok(())
    }

    /// The refusal of this side, with what both sides know.
    pub(super) fn refused(&self, refusal: Refusal) -> WireError {
        let Refusal::Mismatch(all) = &refusal else {
            return WireError::Refused(refusal);
        };
        let pair = |(own, there): &(Right, Offer)| {
            let (ours, peer) = match own {
                Right::Publish => (&self.setup.offers, Right::Subscribe),
                Right::Subscribe => (&self.setup.wants, Right::Publish),
            };
            let here = ours.iter().find(|offer| offer.topic == there.topic)?;
            Some(Mismatch {
                peer,
                here: here.clone(),
                there: there.clone(),
            })
        };
        match all.iter().map(pair).collect() {
            Some(pairs) => WireError::Mismatch(pairs),
            None => WireError::Refused(refusal),
        }
    }

    fn conn(&self, inlet: Inlet, now: Instant) -> Conn {
        let limits = &self.setup.limits;
        let pending = self.inbox.pending() + self.calls.pending();
        let mut out = BytesMut::new();
        out.put_slice(&PREFACE);
        Conn {
            inlet,
            out,
            pulse: Pulse::new(limits, now),
            grant: Grant::new(limits.receive_bytes() as u64, pending),
            began: now,
            replies: VecDeque::new(),
            acked: self.inbox.settled_upto(),
            pong: None,
            ping: None,
            pings: 0,
            said_goodbye: false,
            heard_goodbye: false,
            peer: None,
        }
    }

    fn hello(&self, conn: &Conn, proof: Option<Proof>) -> Hello {
        let Self { setup, inbox, .. } = self;
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Hello {
            link: setup.name.clone(),
            session: self.id,
            origin: setup.origin,
            proof,
            content_type: setup.content_type.to_owned(),
            offers: setup.offers.clone(),
            wants: setup.wants.clone(),
            max_frame: small(setup.limits.max_frame_bytes()),
            receive: conn.grant.announced(),
            requests: small(setup.limits.open_requests()),
            heartbeat_ms: millis(setup.limits.heartbeat_period()),
            seen: inbox.seen(),
        }
    }

    fn compare(&self, hello: &Hello) -> Result<Peer, WireError> {
        let setup = &self.setup;
        if hello.content_type != setup.content_type {
            return Err(WireError::ContentType {
                ours: setup.content_type.to_owned(),
                theirs: hello.content_type.clone(),
            });
        }
        Ok(Peer {
            heartbeat: Duration::from_millis(hello.heartbeat_ms.into()),
            terms: Terms::agree(&setup.offers, &setup.wants, hello)?,
            budget: Budget::new(hello.receive)?,
            max_frame: usize::try_from(hello.max_frame).unwrap_or(usize::MAX),
            requests: usize::try_from(hello.requests).unwrap_or(usize::MAX),
        })
    }

    /// What each side knows of the other's session.
    fn meet(&mut self, hello: &Hello) -> Result<(), WireError> {
        if let Some(seen) = hello.seen.filter(|seen| seen.session == self.id) {
            self.acknowledged(seen.upto)?;
        }
        self.inbox.begin(hello.session);
        Ok(())
    }

    fn open(&mut self, link: &str, peer: Peer) {
        let Some(conn) = &mut self.conn else {
            return;
        };
        conn.pulse.meet(peer.heartbeat);
        conn.inlet.set_max(self.setup.limits.max_frame_bytes());
        // What was settled since the hello is told; of a new session nothing was.
        conn.acked = conn.acked.min(self.inbox.settled_upto());
        self.stats.connections += 1;
        self.notices.push_back(Notice::Opened {
            peer: link.to_owned(),
            terms: peer.terms.clone(),
        });
        conn.peer = Some(peer);
    }
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
