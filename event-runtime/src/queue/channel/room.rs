//! Waiting for a queue: for room in it, or for its end of work.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Channel;
use super::line::Waiter;
use super::state::Shared;
use super::wakers::{Calls, Wakers};
use crate::sync::lock;

impl<T: Send + 'static> Channel<T> {
    /// Puts an item in the line for room, behind those who wait already, and waits until it is in the queue. Its place is taken at once, and
    /// kept until the future is dropped.
    pub fn wait(&self, key: u64, item: T) -> Room<T> {
        let since = self.shared.clock.now();
        let mut calls = Calls::default();
        let ticket = {
            let shared = &self.shared;
            let mut front = lock(&shared.front);
            let mut back = lock(&shared.back);
            let ticket = back.line.add(Waiter {
                key,
                item,
                since,
                waker: None,
            });
            shared.let_in(&mut front, &mut back, &mut calls);
            ticket
        };
        self.make(calls);
        Room {
            channel: self.clone(),
            ticket: Some(ticket),
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

/// An item that waits for room: see [`Channel::wait`]. The item comes back if the queue is closed before.
#[must_use = "dropped, the item is not in the queue"]
pub struct Room<T: Send + 'static> {
    channel: Channel<T>,
    /// Until it is known that the item is in the queue, or not.
    ticket: Option<u64>,
}

impl<T: Send + 'static> Room<T> {
    /// Waits no longer. The item, unless it is in the queue.
    pub fn leave(mut self) -> Option<T> {
        self.step_out()
    }

    fn step_out(&mut self) -> Option<T> {
        let ticket = self.ticket.take()?;
        let waiter = lock(&self.channel.shared.back).line.remove(ticket)?;
        drop(waiter.waker);
        Some(waiter.item)
    }
}

// The item is never pinned.
impl<T: Send + 'static> Unpin for Room<T> {}

impl<T: Send + 'static> Future for Room<T> {
    type Output = Result<(), T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(ticket) = self.ticket else {
            return Poll::Ready(Ok(()));
        };
        let waker = cx.waker().clone();
        let mut calls = Calls::default();
        let polled = {
            let shared = &self.channel.shared;
            let mut front = lock(&shared.front);
            let mut back = lock(&shared.back);
            shared.let_in(&mut front, &mut back, &mut calls);
            let closed = back.closed;
            match back.line.get(ticket) {
                None => Poll::Ready(Ok(())),
                Some(_) if closed => match back.line.remove(ticket) {
                    Some(waiter) => {
                        calls.gone.extend(waiter.waker);
                        Poll::Ready(Err(waiter.item))
                    }
                    None => Poll::Ready(Ok(())),
                },
                Some(waiter) => {
                    calls.gone.extend(waiter.waker.replace(waker));
                    front.room_wanted = true;
                    Poll::Pending
                }
            }
        };
        self.channel.make(calls);
        if polled.is_ready() {
            self.ticket = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Room<T> {
    fn drop(&mut self) {
        drop(self.step_out());
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

fn leave_line(line: &mut Wakers, ticket: &mut Option<u64>, calls: &mut Calls) {
    let waker = ticket.take().and_then(|ticket| line.remove(ticket));
    calls.gone.extend(waker);
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
