//! The task of one connection: bytes between the stream and the session, events between the session and the bus.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::{Buf, BytesMut};
use event_core::private::outlet::accepted;
use event_core::private::scope::is_open;
use event_core::{Bus, EventInfo, FailureKind, Report};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

use super::caught::panicked;
use super::end::{End, Settled, Work};
use super::error::LinkError;
use super::feed::meta;
use super::origin::{Incoming, delivering};
use crate::wire::codec::{Codec, Json};
use crate::wire::envelope::Envelope;
use crate::wire::proto::frame::{Fault, Meta, Rejection};
use crate::wire::proto::session::{Arrival, NotTaken, Notice};

/// How much is read at once.
const READ: usize = 16 * 1024;
/// After so many rounds other tasks have their turn.
const ROUNDS: usize = 32;
/// More relays than any sensible path has.
const MOST_HOPS: u8 = 64;

/// Ends when the connection does: well if both sides have said goodbye.
pub(super) struct Drive<'a, S> {
    end: &'a Arc<End>,
    generation: u64,
    stream: S,
    buffer: BytesMut,
    sleep: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<'a, S> Drive<'a, S> {
    /// For the connection that is the session's since `generation`, with what was read of it before.
    pub(super) fn new(end: &'a Arc<End>, generation: u64, stream: S, buffer: BytesMut) -> Self {
        Self {
            end,
            generation,
            stream,
            buffer,
            sleep: None,
        }
    }
}

/// The time on tokio's clock, which tests may stop.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Drive<'_, S> {
    type Output = Result<(), LinkError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let end = this.end;
        end.watch(cx);
        let Some(mut working) = end.take() else {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        // With the work in hand: who lets a newer connection in has it until that is the session's.
        if !end.is_current(this.generation) {
            return Poll::Ready(Err(LinkError::Replaced));
        }
        this.turn(working.get(), cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Drive<'_, S> {
    fn turn(&mut self, work: &mut Work, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        for _ in 0..ROUNDS {
            let Some(bus) = self.end.bus.upgrade() else {
                return Poll::Ready(Err(LinkError::NoBus));
            };
            let now = now();
            work.session.tick(now)?;
            self.notices(&bus, work)?;
            self.settled(work);
            self.requests(work, now);
            let fed = work.feed.poll(&mut work.session, cx);
            if self.end.is_refusing() && work.feed.is_empty() {
                return Poll::Ready(Err(LinkError::NoBus));
            }
            if self.end.is_closing() {
                work.feed.rest();
                if work.feed.is_empty() {
                    work.session.leave();
                }
            }
            let wrote = self.write(work, now, cx)?;
            let read = self.read(work, now, cx)?;
            if work.session.is_over() {
                return Poll::Ready(Ok(()));
            }
            if !(fed || wrote || read || work.session.has_notice()) {
                return self.wait(work, cx);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Until the session has something to do, whatever comes or does not.
    fn wait(&mut self, work: &Work, cx: &mut Context<'_>) -> Poll<Result<(), LinkError>> {
        let Some(deadline) = work.session.deadline() else {
            return Poll::Pending;
        };
        let sleep = match self.sleep.take() {
            Some((until, sleep)) if until == deadline => sleep,
            _ => Box::pin(tokio::time::sleep_until(deadline.into())),
        };
        let (_, sleep) = self.sleep.insert((deadline, sleep));
        ready!(sleep.as_mut().poll(cx));
        self.sleep = None;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn write(
        &mut self,
        work: &mut Work,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Result<bool, LinkError> {
        let mut wrote = false;
        loop {
            let output = work.session.output(now);
            if output.is_empty() {
                break;
            }
            match Pin::new(&mut self.stream).poll_write(cx, output)? {
                Poll::Pending => return Ok(wrote),
                Poll::Ready(0) => return Err(LinkError::Closed),
                Poll::Ready(bytes) => output.advance(bytes),
            }
            work.session.wrote(now);
            wrote = true;
        }
        // What fails here fails in the next write too.
        if let Poll::Ready(flushed) = Pin::new(&mut self.stream).poll_flush(cx) {
            flushed?;
        }
        Ok(wrote)
    }

    fn read(
        &mut self,
        work: &mut Work,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Result<bool, LinkError> {
        // What came with the hello.
        work.session.receive(&mut self.buffer, now)?;
        self.buffer.reserve(READ);
        match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0) | Err(_)) if work.session.has_parted() => Ok(false),
            Poll::Ready(Ok(0)) => Err(LinkError::Closed),
            Poll::Ready(Err(error)) => Err(error.into()),
            Poll::Ready(Ok(_)) => {
                work.session.receive(&mut self.buffer, now)?;
                Ok(true)
            }
        }
    }

    fn notices(&mut self, bus: &Bus, work: &mut Work) -> Result<(), LinkError> {
        while let Some(notice) = work.session.notice() {
            match notice {
                Notice::Opened { peer, terms } => {
                    let wanted = terms.outgoing.iter().enumerate();
                    let wanted = wanted.filter(|(_, wanted)| **wanted).map(|(at, _)| at);
                    let events = self.end.plan.publish.len();
                    let (events, asks): (Vec<_>, Vec<_>) = wanted.partition(|at| *at < events);
                    // An event that cannot wait in a queue was refused when the link was made.
                    let opened = self.end.open(work, events.into_iter());
                    opened.map_err(std::io::Error::other)?;
                    let first = self.end.plan.publish.len();
                    self.end
                        .ask_from(bus, asks.into_iter().map(|at| at - first));
                    let times = work.session.stats().connections;
                    self.end.tell_opened(bus, &peer, &terms, times);
                }
                Notice::Event(arrival) => self.arrive(bus, arrival),
                Notice::Request {
                    ticket,
                    want,
                    meta,
                    within,
                    payload,
                } => self.asked(bus, ticket, want, &meta, within, &payload),
                Notice::Reply { call, answer } => self.end.answered(call, answer),
                Notice::Acknowledged { upto } => work.feed.acknowledged(upto),
                Notice::Rejected { sequence, why, .. } => {
                    work.feed
                        .failed(sequence, format!("the peer did not take it: {why}"));
                }
                Notice::Unwanted { sequence, .. } => work.feed.unwanted(sequence),
                Notice::TooLong { sequence, .. } => {
                    let why = "it is longer than a frame that the peer takes".to_owned();
                    work.feed.failed(sequence, why);
                }
                Notice::Leaving => {}
            }
        }
        Ok(())
    }

    /// Those of this side, and answers to those of the peer.
    fn requests(&self, work: &mut Work, now: Instant) {
        let asking = &self.end.asking;
        // Before the others, which may need their places.
        for call in asking.given_up() {
            work.session.give_up(call);
        }
        let within = Some(self.end.plan.request_within);
        let refused = asking.send(|ask| {
            let (meta, payload) = (meta(&ask.envelope), ask.payload.clone());
            work.session.request(ask.offer, meta, payload, within, now)
        });
        for (answered, why) in refused {
            answered(Err(match why {
                NotTaken::Full => Fault::TooMany,
                NotTaken::TooLong => Fault::TooLong,
                NotTaken::Leaving => Fault::Lost,
            }));
        }
        for (ticket, answer) in self.end.replies() {
            work.session.reply(ticket, answer);
        }
    }

    /// Asks the bus what the peer asks.
    fn asked(
        &self,
        bus: &Bus,
        ticket: u64,
        want: usize,
        meta: &Meta,
        within: Option<Duration>,
        payload: &[u8],
    ) {
        let end = Arc::clone(self.end);
        let at = want.checked_sub(end.plan.subscribe.len());
        let answers = at.and_then(|at| end.plan.answers.get(at)).copied();
        let agreed = answers.and_then(|answers| {
            let envelope = self.envelope(meta, answers.info, Json.content_type())?;
            Some((answers, envelope))
        });
        let Some((answers, envelope)) = agreed else {
            return end.reply(ticket, Err(Fault::NotAgreed));
        };
        let incoming = Incoming {
            envelope,
            session: end.id,
            asks: Some(answers.info.topic()),
        };
        let ask = || (answers.answer)(bus, incoming, payload, within);
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(answering) => {
                let waits = end.waiting.one();
                tokio::spawn(async move {
                    end.reply(ticket, answering.await);
                    drop(waits);
                });
            }
            Err(panic) => {
                let why = panicked("reading", panic);
                end.reply(ticket, Err(Fault::Payload(why)));
            }
        }
    }

    fn settled(&self, work: &mut Work) {
        for Settled {
            session,
            sequence,
            verdict,
        } in self.end.settled()
        {
            match verdict {
                Ok(true) => work.session.settle(session, sequence),
                Ok(false) => self.end.refuse(),
                Err(why) => work.session.reject(session, sequence, why),
            }
        }
    }

    /// Emits an event of the peer. Inline listeners run now, so events keep their order; what the bus says may come later.
    fn arrive(&self, bus: &Bus, arrival: Arrival) {
        let Arrival {
            session,
            sequence,
            want,
            meta,
            payload,
        } = arrival;
        let end = Arc::clone(self.end);
        // A request is no event, whatever the peer sends it as.
        let Some(&info) = end.plan.subscribe.get(want) else {
            return end.settle(Settled {
                session,
                sequence,
                verdict: Err(Rejection::NotAgreed),
            });
        };
        let topic = info.topic();
        let settle = move |bus: &Bus, verdict: Result<bool, Rejection>| {
            if let Err(why) = &verdict {
                end.tell_refused(bus, topic, meta.id, why);
            }
            end.settle(Settled {
                session,
                sequence,
                verdict,
            });
        };
        let codec = &self.end.plan.codec;
        let Some(envelope) = self.envelope(&meta, info, codec.content_type()) else {
            return settle(bus, Err(Rejection::Loop));
        };
        let incoming = Incoming {
            envelope,
            session: self.end.id,
            asks: None,
        };
        let emit = || codec.emit(bus, topic, &payload);
        let emitted = catch_unwind(AssertUnwindSafe(|| delivering(incoming, emit)));
        match emitted {
            Ok(Ok(emission)) if is_open(&emission) => {
                let bus = bus.downgrade();
                let waits = self.end.waiting.one();
                tokio::spawn(async move {
                    let report = accepted(emission).await;
                    if let Some(bus) = bus.upgrade() {
                        settle(&bus, verdict(&report));
                    }
                    drop(waits);
                });
            }
            Ok(Ok(emission)) => settle(bus, verdict(&emission.report())),
            Ok(Err(error)) => settle(bus, Err(Rejection::Payload(error.to_string()))),
            Err(panic) => {
                let why = panicked("reading", panic);
                settle(bus, Err(Rejection::Payload(why)));
            }
        }
    }

    /// Nothing if the event was here before, or came a longer way than any should.
    fn envelope(
        &self,
        meta: &Meta,
        event: &EventInfo,
        content_type: &'static str,
    ) -> Option<Envelope> {
        if meta.id.origin() == self.end.source.origin() || meta.hops > MOST_HOPS {
            return None;
        }
        let time = UNIX_EPOCH.checked_add(Duration::from_micros(meta.micros))?;
        let mut envelope = Envelope::new(meta.id, time, event, content_type);
        envelope.cause = meta.cause;
        envelope.trace = meta.trace.unwrap_or(meta.id);
        envelope.hops = meta.hops;
        Some(envelope)
    }
}

/// Whether the bus took an event. That a listener failed is reported here and no matter of the peer's; that one was not reached is.
fn verdict(report: &Report) -> Result<bool, Rejection> {
    let failures = report.failures();
    let of = |kinds: &[FailureKind]| {
        let mut failures = failures.iter();
        failures.find(|failure| kinds.contains(&failure.kind()))
    };
    if of(&[FailureKind::Closed]).is_some() {
        return Ok(false);
    }
    let lost = [
        FailureKind::QueueFull,
        FailureKind::Overloaded,
        FailureKind::NoRuntime,
        FailureKind::NoBus,
        FailureKind::Forked,
    ];
    match of(&lost) {
        Some(failure) => Err(Rejection::Bus(failure.to_string())),
        None => Ok(true),
    }
}
