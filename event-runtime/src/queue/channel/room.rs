//! Waiting for a queue: for room in it, or for its end of work.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Channel;
use super::state::Shared;
use super::wakers::{Calls, Wakers};
use crate::sync::lock;

impl<T: Send + 'static> Channel<T> {
    /// Ends when there is room or the queue is closed; the next offer tells which. Another emitter may be quicker: then wait again.
    ///
    /// As many waiters are woken as there are places, those first that wait longest.
    pub fn room(&self) -> Room<T> {
        Room {
            channel: self.clone(),
            ticket: None,
        }
    }

    /// Ends when nothing is queued, runs or waits for a retry.
    pub fn idle(&self) -> Idle<T> {
        Idle {
            channel: self.clone(),
            ticket: None,
        }
    }
}

/// Waits for room: see [`Channel::room`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Room<T: Send + 'static> {
    channel: Channel<T>,
    ticket: Option<u64>,
}

impl<T: Send + 'static> Future for Room<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let Self { channel, ticket } = &mut *self;
        let mut calls = Calls::default();
        let ready = {
            let shared = &channel.shared;
            let mut front = lock(&shared.front);
            let mut back = lock(&shared.back);
            leave_line(&mut back.room, ticket, &mut calls);
            let ready = back.closed || shared.depth(&mut back) < shared.config.capacity;
            if ready {
                calls.gone.push(waker);
            } else {
                *ticket = Some(back.room.add(waker));
                front.room_wanted = true;
            }
            ready
        };
        drop(calls);
        if ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<T: Send + 'static> Drop for Room<T> {
    fn drop(&mut self) {
        if self.ticket.is_none() {
            return;
        }
        let mut calls = Calls::default();
        {
            let shared = &self.channel.shared;
            let _front = lock(&shared.front);
            let mut back = lock(&shared.back);
            // It was called to a place that it does not take, so the next in line is.
            if !leave_line(&mut back.room, &mut self.ticket, &mut calls)
                && shared.depth(&mut back) < shared.config.capacity
            {
                calls.wake.extend(back.room.longest());
            }
        }
        self.channel.make(calls);
    }
}

/// Waits until a queue has nothing to do: see [`Channel::idle`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct Idle<T: Send + 'static> {
    channel: Channel<T>,
    ticket: Option<u64>,
}

impl<T: Send + 'static> Future for Idle<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let Self { channel, ticket } = &mut *self;
        let mut calls = Calls::default();
        let ready = {
            let front = lock(&channel.shared.front);
            let mut back = lock(&channel.shared.back);
            leave_line(&mut back.idle, ticket, &mut calls);
            let ready = Shared::is_idle(&front, &back);
            if ready {
                calls.gone.push(waker);
            } else {
                *ticket = Some(back.idle.add(waker));
            }
            ready
        };
        drop(calls);
        if ready {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<T: Send + 'static> Drop for Idle<T> {
    fn drop(&mut self) {
        let mut calls = Calls::default();
        if self.ticket.is_some() {
            let mut back = lock(&self.channel.shared.back);
            leave_line(&mut back.idle, &mut self.ticket, &mut calls);
        }
        drop(calls);
    }
}

/// Says whether it still stood in line, if it did at all.
fn leave_line(line: &mut Wakers, ticket: &mut Option<u64>, calls: &mut Calls) -> bool {
    let waker = ticket.take().and_then(|ticket| line.remove(ticket));
    let stood = waker.is_some();
    calls.gone.extend(waker);
    stood
}

impl<T: Send + 'static> fmt::Debug for Room<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Room")
    }
}

impl<T: Send + 'static> fmt::Debug for Idle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}
