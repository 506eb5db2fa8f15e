//! One side of one session: what its connections, the bus and the user's handle have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use bytes::Bytes;
use event_core::private::outlet;
use event_core::{Bus, Event, Subscription, WeakBus};
use tokio::sync::watch;

use super::asking::{Ask, Asking};
use super::error::{LinkError, LinkSetupError};
use super::feed::Feed;
use super::origin::Source;
use super::plan::Plan;
use super::unheard::warn;
use super::waiting::Waiting;
use crate::wire::access::Identity;
use crate::wire::envelope::EventId;
use crate::wire::error::shown;
use crate::wire::events::{EventRefused, LinkClosed, LinkLost, LinkOpened};
use crate::wire::proto::frame::{Fault, Rejection};
use crate::wire::proto::session::{Session, SessionStats, Setup};
use crate::wire::proto::terms::Terms;

/// How a link stands.
#[derive(Debug, Clone)]
pub(super) enum Status {
    /// It has no connection and no news of one.
    Waiting,
    Open,
    /// The last connection ended so, or did not come about.
    Lost(LinkError),
    /// Both sides have said goodbye.
    Over,
}

/// What the bus said of an event of the peer.
pub(super) struct Settled {
    pub(super) session: u64,
    pub(super) sequence: u64,
    /// `Ok(false)` leaves it to the peer, which sends it to the next that runs here.
    pub(super) verdict: Result<bool, Rejection>,
}

/// What is worked on: by the task of a connection, as long as it is polled.
pub(super) struct Work {
    pub(super) session: Session,
    pub(super) feed: Feed,
}

pub(super) struct End {
    pub(super) plan: Arc<Plan>,
    pub(super) bus: WeakBus,
    pub(super) source: Arc<Source>,
    pub(super) id: u64,
    /// Who it is, for the side that accepts.
    identity: Option<Identity>,
    /// How the peer calls its link.
    called: Mutex<String>,
    /// Not there while somebody works. So no lock is held while users' code runs.
    work: Mutex<Option<Work>>,
    /// Which connection is the session's. Older ones end when they notice.
    generation: AtomicU64,
    settled: Mutex<Vec<Settled>>,
    waker: Mutex<Option<Waker>>,
    stats: Mutex<SessionStats>,
    closing: AtomicBool,
    /// The bus takes no events any more.
    refusing: AtomicBool,
    /// Nobody will come for what it has.
    discarded: AtomicBool,
    pub(super) asking: Asking,
    /// What the bus has not done with.
    pub(super) waiting: Arc<Waiting>,
    /// Answers for the peer.
    answers: Mutex<Vec<(u64, Result<Bytes, Fault>)>>,
    /// What has the bus ask the peer.
    askers: Mutex<Vec<(usize, Subscription)>>,
    pub(super) status: watch::Sender<Status>,
}

/// Emits what a link has to say of itself, unless the bus takes nothing any more.
pub(super) fn tell<E: Event>(bus: &Bus, event: E) {
    if !outlet::is_closing(bus) {
        bus.emit(event);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl End {
    pub(super) fn new(
        plan: Arc<Plan>,
        bus: &Bus,
        id: u64,
        identity: Option<Identity>,
    ) -> Arc<Self> {
        let session = Session::new(Arc::clone(&plan.setup), id);
        let feed = Feed::new(Arc::clone(&plan));
        Arc::new(Self {
            plan,
            bus: bus.downgrade(),
            source: Source::of(bus),
            id,
            identity,
            called: Mutex::default(),
            work: Mutex::new(Some(Work { session, feed })),
            generation: AtomicU64::new(0),
            settled: Mutex::default(),
            waker: Mutex::default(),
            stats: Mutex::default(),
            closing: AtomicBool::new(false),
            refusing: AtomicBool::new(false),
            discarded: AtomicBool::new(false),
            asking: Asking::default(),
            waiting: Arc::default(),
            answers: Mutex::default(),
            askers: Mutex::default(),
            status: watch::Sender::new(Status::Waiting),
        })
    }

    /// Begins a connection; its number.
    pub(super) fn begin(&self) -> u64 {
        self.generation.fetch_add(1, Ordering::AcqRel) + 1
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    /// Lets go of what the peer did not take, when nobody works on it.
    pub(super) fn discard(&self) {
        self.discarded.store(true, Ordering::Release);
        self.empty();
    }

    fn empty(&self) {
        let mut work = lock(&self.work);
        let empty = || Feed::new(Arc::clone(&self.plan));
        let feed = work
            .as_mut()
            .map(|work| std::mem::replace(&mut work.feed, empty()));
        drop(work);
        // What is in it is reported, where no lock is held.
        drop(feed);
    }

    /// Gives the work to whoever may work now; nothing if somebody does.
    pub(super) fn take(&self) -> Option<Working<'_>> {
        let work = lock(&self.work).take()?;
        Some(Working {
            end: self,
            work: Some(work),
        })
    }

    /// The same, when whoever works has ended its turn.
    pub(super) async fn wait_for_work(&self) -> Working<'_> {
        loop {
            if let Some(working) = self.take() {
                return working;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Opens the queues of some offers.
    pub(super) fn open(
        &self,
        work: &mut Work,
        offers: impl Iterator<Item = usize>,
    ) -> Result<(), LinkSetupError> {
        let Some(bus) = self.bus.upgrade() else {
            return Ok(());
        };
        let identity = self.identity.as_ref();
        let peer = identity.map_or_else(String::new, |identity| format!("@{identity}"));
        for offer in offers {
            work.feed.open(&bus, offer, &peer, self.id)?;
        }
        Ok(())
    }

    /// The task of the connection is woken by [`wake`](Self::wake) from here on.
    pub(super) fn watch(&self, cx: &Context<'_>) {
        *lock(&self.waker) = Some(cx.waker().clone());
    }

    pub(super) fn wake(&self) {
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn settle(&self, settled: Settled) {
        lock(&self.settled).push(settled);
        self.wake();
    }

    pub(super) fn settled(&self) -> Vec<Settled> {
        std::mem::take(&mut *lock(&self.settled))
    }

    /// Has the bus ask the peer some of its requests.
    pub(super) fn ask_from(self: &Arc<Self>, bus: &Bus, asks: impl Iterator<Item = usize>) {
        for at in asks {
            let mut askers = lock(&self.askers);
            if askers.iter().all(|(known, _)| *known != at) {
                let offer = self.plan.publish.len() + at;
                let subscribe = self.plan.asks[at].subscribe;
                askers.push((at, subscribe(bus, self, offer, self.plan.place)));
            }
        }
    }

    /// Has the session send a request, if there is a connection.
    pub(super) fn ask(&self, number: u64, ask: Ask) {
        if !matches!(*self.status.borrow(), Status::Open) || self.is_closing() {
            return (ask.answered)(Err(Fault::Lost));
        }
        self.asking.add(number, ask);
        self.wake();
    }

    /// Whoever asked waits no longer.
    pub(super) fn give_up(&self, number: u64) {
        self.asking.give_up(number);
        self.wake();
    }

    pub(super) fn answered(&self, call: u64, answer: Result<Bytes, Fault>) {
        if let Some(answered) = self.asking.answered(call) {
            answered(answer);
        }
    }

    /// The connection is gone, and nobody will answer.
    pub(super) fn lose_requests(&self) {
        for answered in self.asking.lose() {
            answered(Err(Fault::Lost));
        }
    }

    /// An answer for the peer.
    pub(super) fn reply(&self, ticket: u64, answer: Result<Bytes, Fault>) {
        lock(&self.answers).push((ticket, answer));
        self.wake();
    }

    pub(super) fn replies(&self) -> Vec<(u64, Result<Bytes, Fault>)> {
        std::mem::take(&mut *lock(&self.answers))
    }

    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake();
    }

    /// The bus takes nothing any more. What the peer sends is left to whoever comes after, and the link ends when the bus has no more for it.
    pub(super) fn refuse(&self) {
        self.refusing.store(true, Ordering::Release);
    }

    pub(super) fn is_refusing(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Whether the link closes, and the peer has everything.
    pub(super) fn is_done(&self) -> bool {
        if !self.is_closing() {
            return false;
        }
        let Some(mut working) = self.take() else {
            return false;
        };
        let feed = &mut working.get().feed;
        feed.rest();
        feed.is_empty()
    }

    pub(super) fn stats(&self) -> SessionStats {
        *lock(&self.stats)
    }

    /// The peer's name, for people.
    pub(super) fn peer(&self) -> String {
        match &self.identity {
            Some(identity) => identity.to_string(),
            None => lock(&self.called).clone(),
        }
    }

    pub(super) fn tell_opened(&self, bus: &Bus, called: &str, terms: &Terms, times: u64) {
        *lock(&self.called) = shown(called);
        self.status.send_replace(Status::Open);
        let Setup { offers, wants, .. } = &*self.plan.setup;
        let unwanted = terms.unwanted(offers);
        let unoffered = terms.unoffered(wants);
        // A server serves many, who need not want the same.
        if self.identity.is_none() {
            self.warn_of_patterns(bus, &unwanted, &unoffered);
        }
        tell(
            bus,
            LinkOpened {
                link: self.plan.name.clone(),
                peer: self.peer(),
                times,
                unwanted,
                unoffered,
            },
        );
    }

    pub(super) fn tell_lost(&self, error: LinkError) {
        if let Some(bus) = self.bus.upgrade() {
            warn(
                &bus,
                LinkLost {
                    link: self.plan.name.clone(),
                    peer: self.peer(),
                    why: error.to_string(),
                },
            );
        }
        self.status.send_replace(Status::Lost(error));
    }

    pub(super) fn tell_closed(&self) {
        if let Some(bus) = self.bus.upgrade() {
            tell(
                &bus,
                LinkClosed {
                    link: self.plan.name.clone(),
                    peer: self.peer(),
                },
            );
        }
    }

    pub(super) fn tell_refused(&self, bus: &Bus, topic: &str, id: EventId, why: &Rejection) {
        warn(
            bus,
            EventRefused {
                link: self.plan.name.clone(),
                peer: self.peer(),
                topic: topic.to_owned(),
                id,
                why: why.to_string(),
            },
        );
    }
}

/// The work, which goes back when this is dropped.
pub(super) struct Working<'a> {
    end: &'a End,
    work: Option<Work>,
}

impl Working<'_> {
    pub(super) fn get(&mut self) -> &mut Work {
        // It is taken out in `drop` alone.
        self.work
            .as_mut()
            .expect("the work is there until the turn ends")
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            *lock(&self.end.stats) = work.session.stats();
            *lock(&self.end.work) = Some(work);
            // Who discards and finds somebody at work leaves it to them.
            if self.end.discarded.load(Ordering::Acquire) {
                self.end.empty();
            }
        }
    }
}
