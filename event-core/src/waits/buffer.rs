//! The events of a stream that nobody took yet, and the line of those that found no room.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::Ends;
use crate::delivery::lane::{Offer, Wait};
use crate::dispatch::failure::FailureKind;
use crate::event::Event;
use crate::listener::policy::Overflow;
use crate::sync::{lock, wake};

/// Events between their emission and who takes them.
pub(super) struct Buffer<E>(Mutex<State<E>>);

pub(super) struct State<E> {
    pub(super) events: VecDeque<Arc<E>>,
    pub(super) capacity: usize,
    pub(super) overflow: Overflow,
    pub(super) dropped: u64,
    /// Who waits for an event.
    pub(super) waker: Option<Waker>,
    /// Who waits for room, the first first. Nobody overtakes them.
    line: VecDeque<InLine<E>>,
    tickets: u64,
    /// Those with this ticket and later ones stood in the line at the end.
    refused_from: u64,
    ended: bool,
    /// Nobody takes what is here.
    pub(super) abandoned: bool,
}

/// An event that waits for room.
pub(super) struct InLine<E> {
    ticket: u64,
    pub(super) event: Arc<E>,
    /// Not before it is first polled.
    pub(super) waker: Option<Waker>,
}

impl<E> State<E> {
    /// Lets those in who stand in front, as far as there is room; who is to be told.
    pub(super) fn let_in(&mut self) -> Vec<Waker> {
        let mut told = Vec::new();
        while self.events.len() < self.capacity {
            let Some(first) = self.line.pop_front() else {
                break;
            };
            self.events.push_back(first.event);
            told.extend(first.waker);
        }
        told
    }

    /// Lets all in who stand in the line, in the places of the oldest; who is to be told, and what was dropped.
    pub(super) fn push_in(&mut self) -> (Vec<Waker>, Vec<Arc<E>>) {
        let (mut told, mut dropped) = (Vec::new(), Vec::new());
        for waits in std::mem::take(&mut self.line) {
            if self.events.len() >= self.capacity {
                self.dropped += 1;
                dropped.extend(self.events.pop_front());
            }
            self.events.push_back(waits.event);
            told.extend(waits.waker);
        }
        (told, dropped)
    }

    /// Ends the line; who stood in it.
    pub(super) fn refuse(&mut self) -> VecDeque<InLine<E>> {
        if let Some(first) = self.line.front() {
            self.refused_from = first.ticket;
        }
        std::mem::take(&mut self.line)
    }

    /// Takes somebody out of the line, who is told nothing.
    fn take_out(&mut self, ticket: u64) -> Option<InLine<E>> {
        let at = self.line.iter().position(|other| other.ticket == ticket)?;
        self.line.remove(at)
    }
}

impl<E: Event + Send + Sync> Buffer<E> {
    /// Takes an event in, or has it wait for room in the line.
    pub(super) fn offer(self: &Arc<Self>, event: Arc<E>) -> Offer {
        let mut state = lock(&self.0);
        if state.abandoned {
            return Offer::Absent;
        }
        if state.ended {
            return closed::<E>();
        }
        let mut oldest = None;
        if state.events.len() >= state.capacity || !state.line.is_empty() {
            match state.overflow {
                Overflow::Block => {
                    state.tickets += 1;
                    let ticket = state.tickets;
                    state.line.push_back(InLine {
                        ticket,
                        event,
                        waker: None,
                    });
                    drop(state);
                    return Offer::Full(Box::pin(Waiting {
                        buffer: Arc::clone(self),
                        ticket: Some(ticket),
                        parks: AtomicBool::new(false),
                    }));
                }
                Overflow::Reject => return full::<E>(),
                Overflow::DropNewest => {
                    state.dropped += 1;
                    return Offer::Skipped;
                }
                Overflow::DropOldest => {
                    state.dropped += 1;
                    oldest = state.events.pop_front();
                }
            }
        }
        state.events.push_back(event);
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        drop(oldest);
        Offer::Accepted
    }
}

impl<E> Buffer<E> {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Mutex::new(State {
            events: VecDeque::new(),
            capacity,
            overflow: Overflow::default(),
            dropped: 0,
            waker: None,
            line: VecDeque::new(),
            tickets: 0,
            refused_from: u64::MAX,
            ended: false,
            abandoned: false,
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<E>> {
        lock(&self.0)
    }

    pub(super) fn poll(&self, waker: Waker) -> Poll<Option<Arc<E>>> {
        let mut state = lock(&self.0);
        let event = state.events.pop_front();
        if event.is_none() && !state.ended {
            let before = state.waker.replace(waker);
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        let told = state.let_in();
        drop(state);
        wake(told);
        Poll::Ready(event)
    }
}

impl<E: Send + Sync> Ends for Buffer<E> {
    fn end(&self) {
        let mut state = lock(&self.0);
        state.ended = true;
        let line = state.refuse();
        let waker = state.waker.take();
        drop(state);
        wake(waker);
        wake(line.into_iter().filter_map(|waits| waits.waker));
    }
}

fn closed<E: Event>() -> Offer {
    let message = format!(
        "the bus was shut down before a stream had room for `{}`",
        E::TOPIC
    );
    Offer::Refused(FailureKind::Closed, message)
}

fn full<E: Event>() -> Offer {
    let message = format!(
        "a stream has no room for `{}`: take its events sooner, say another `bounded` or `overflow`, or await the emission outside of every listener",
        E::TOPIC
    );
    Offer::Refused(FailureKind::QueueFull, message)
}

/// An awaited emission that waits for room.
struct Waiting<E: Event + Send + Sync> {
    buffer: Arc<Buffer<E>>,
    /// Its place in the line, until it is asked how it ended.
    ticket: Option<u64>,
    parks: AtomicBool,
}

impl<E: Event + Send + Sync> Future for Waiting<E> {
    type Output = Offer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Offer> {
        let Some(ticket) = self.ticket else {
            return Poll::Ready(Offer::Absent);
        };
        // Who parks may be the one who would take the next event.
        if self.parks.load(Ordering::Acquire) && self.as_mut().leave() {
            return Poll::Ready(full::<E>());
        }
        let waker = cx.waker().clone();
        let mut state = lock(&self.buffer.0);
        let (abandoned, refused) = (state.abandoned, ticket >= state.refused_from);
        let waits = state.line.iter_mut().find(|other| other.ticket == ticket);
        let (polled, unused) = match waits {
            Some(waits) => (Poll::Pending, waits.waker.replace(waker)),
            None if !refused => (Poll::Ready(Offer::Accepted), Some(waker)),
            None if abandoned => (Poll::Ready(Offer::Absent), Some(waker)),
            None => (Poll::Ready(closed::<E>()), Some(waker)),
        };
        drop(state);
        drop(unused);
        if polled.is_ready() {
            self.ticket = None;
        }
        polled
    }
}

impl<E: Event + Send + Sync> Waiting<E> {
    fn step_out(&mut self) -> bool {
        let Some(ticket) = self.ticket.take() else {
            return false;
        };
        let left = lock(&self.buffer.0).take_out(ticket);
        left.is_some()
    }
}

impl<E: Event + Send + Sync> Wait for Waiting<E> {
    fn linger(&self) {
        self.parks.store(true, Ordering::Release);
    }

    fn leave(mut self: Pin<&mut Self>) -> bool {
        self.step_out()
    }
}

impl<E: Event + Send + Sync> Drop for Waiting<E> {
    fn drop(&mut self) {
        self.step_out();
    }
}
