//! What a server does: it accepts, and keeps its connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use event_runtime::event_loop::{EventLoop, LoopItem};
use tokio::sync::Notify;

use super::conn::Conn;
use super::info::Info;
use super::io::{Acceptor, Link};
use crate::error::TransportError;

/// How many connections are accepted before other items of the loop have their turn.
const BATCH: usize = 128;

/// How long nothing is accepted when it cannot be, as the program has no file descriptor left for example.
const BACK_OFF: Duration = Duration::from_secs(1);

/// What makes a connection of what was accepted; its task is not started.
type Start = Box<dyn Fn(Link) -> Result<Rc<Conn>, TransportError>>;

/// What a server is made of.
pub(super) struct Parts {
    pub(super) name: Arc<str>,
    pub(super) place: &'static Location<'static>,
    pub(super) start: Start,
    pub(super) limit: usize,
    pub(super) is_started: bool,
}

pub(super) struct State {
    pub(super) lp: EventLoop,
    parts: Parts,
    pub(super) info: Vec<Info>,
    /// Empty once the server is closed.
    acceptors: RefCell<Vec<Box<dyn Acceptor>>>,
    pub(super) is_open: Cell<bool>,
    pub(super) is_started: Cell<bool>,
    /// By the numbers of the connections.
    pub(super) conns: RefCell<BTreeMap<u64, Rc<Conn>>>,
    /// Wakes the task that accepts.
    waker: RefCell<Option<Waker>>,
    pub(super) changed: Notify,
    /// Somebody is in `serve_forever`.
    pub(super) is_served: Cell<bool>,
}

impl State {
    pub(super) fn new(lp: &EventLoop, acceptors: Vec<Box<dyn Acceptor>>, parts: Parts) -> Rc<Self> {
        Rc::new(Self {
            lp: lp.clone(),
            info: acceptors.iter().map(|acceptor| acceptor.info()).collect(),
            acceptors: RefCell::new(acceptors),
            is_open: Cell::new(true),
            is_started: Cell::new(parts.is_started),
            parts,
            conns: RefCell::default(),
            waker: RefCell::default(),
            changed: Notify::new(),
            is_served: Cell::new(false),
        })
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn close(&self) {
        if self.is_open.replace(false) {
            let acceptors = self.acceptors.take();
            drop(acceptors);
            self.wake();
            self.changed.notify_waiters();
        }
    }

    pub(super) fn all(&self) -> Vec<Rc<Conn>> {
        self.conns.borrow().values().cloned().collect()
    }

    pub(super) async fn ended(&self) {
        while self.is_open.get() || !self.conns.borrow().is_empty() {
            self.changed.notified().await;
        }
    }

    fn is_full(&self) -> bool {
        self.conns.borrow().len() >= self.parts.limit
    }

    /// The next connection; `None` once the server is closed.
    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Link>>> {
        if !self.is_open.get() {
            return Poll::Ready(None);
        }
        drop(self.waker.replace(Some(cx.waker().clone())));
        if self.is_started.get() && !self.is_full() {
            for acceptor in &mut *self.acceptors.borrow_mut() {
                if let Poll::Ready(link) = acceptor.poll_accept(cx) {
                    return Poll::Ready(Some(link));
                }
            }
        }
        Poll::Pending
    }

    /// Starts a connection. What goes wrong was told to the loop's hook.
    fn start(self: &Rc<Self>, link: Link) {
        let Ok(conn) = (self.parts.start)(link) else {
            return;
        };
        let id = conn.facts.id();
        self.conns.borrow_mut().insert(id, Rc::clone(&conn));
        let server: Weak<Self> = Rc::downgrade(self);
        conn.when_lost(move || {
            if let Some(server) = server.upgrade() {
                let gone = server.conns.borrow_mut().remove(&id);
                #[cfg(feature = "tls")]
                if let Some(gone) = &gone {
                    server.tell_refused(gone);
                }
                drop(gone);
                server.wake();
                server.changed.notify_waiters();
            }
        });
        if conn.start().is_err() {
            // The loop is closed, and the connection with it.
            self.conns.borrow_mut().remove(&id);
        }
    }

    /// Tells of a connection that was not made, as its handshake failed.
    #[cfg(feature = "tls")]
    fn tell_refused(&self, conn: &Conn) {
        let Some(error) = conn.take_failure() else {
            return;
        };
        if conn.facts.is_labelled() {
            let (connection, error) = (conn.facts.clone(), error.clone());
            if conn.emit(crate::tls::HandshakeFailed { connection, error }) {
                return;
            }
        }
        let peer = conn.facts.facts().peer_text();
        let peer = peer.map_or_else(String::new, |peer| format!(" with {peer}"));
        self.tell(io::Error::other(crate::tls::NotMade { peer, error }));
    }

    fn tell(&self, error: io::Error) {
        let name = match &*self.parts.name {
            "" => self.info.first().and_then(Info::local_text),
            name => Some(name.to_owned()),
        };
        let name = name.unwrap_or_default();
        let failed = Ok(error.into());
        self.lp
            .__tell(LoopItem::Server, &name, self.parts.place, failed);
    }
}

/// Whether the error is that of one connection, which ended before it was accepted.
pub(crate) fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, NotConnected,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | NotConnected
    )
}

/// The task of a server.
pub(super) async fn accept(state: Rc<State>) {
    let _closes = Closes(Rc::clone(&state));
    let mut cancelled = pin!(state.lp.cancelled());
    let mut accepted = 0;
    loop {
        let next = poll_fn(|cx| {
            if cancelled.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            state.poll_next(cx)
        });
        match next.await {
            None => return,
            Some(Ok(link)) => {
                state.start(link);
                accepted += 1;
                if accepted % BATCH == 0 {
                    state.lp.next_turn().await;
                }
            }
            Some(Err(error)) if is_of_the_peer(&error) => {}
            Some(Err(error)) => {
                state.tell(error);
                // Whatever it is, it would be there again at once.
                let back_off = state.lp.sleep(BACK_OFF);
                let closed = poll_fn(|cx| {
                    drop(state.waker.replace(Some(cx.waker().clone())));
                    if state.is_open.get() && cancelled.as_mut().poll(cx).is_pending() {
                        Poll::Pending
                    } else {
                        Poll::Ready(())
                    }
                });
                either(back_off, closed).await;
            }
        }
    }
}

/// Waits for the first of two.
async fn either(one: impl Future<Output = ()>, other: impl Future<Output = ()>) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| {
        if one.as_mut().poll(cx).is_ready() || other.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// Closes the server when its task ends, whatever the reason is.
struct Closes(Rc<State>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}
