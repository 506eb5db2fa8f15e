//! Beginning to serve.

use std::cell::RefCell;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use event_core::Bus;
use event_runtime::event_loop::{EventLoop, LoopError};

use super::accept::Parts;
use super::endpoint::{Factory, Plan};
use super::io::{Binding, Listen};
use super::limits::WriteLimits;
use super::server::Server;
use crate::connection::Side;
use crate::error::TransportError;
use crate::protocol::{Protocol, StreamProtocol};

/// Serves connections that come in at `at`, each with a protocol that is made by its `Default`. Await it.
#[track_caller]
pub fn serve<P: StreamProtocol + Default>(lp: &EventLoop, at: impl Listen + 'static) -> Serve<P> {
    serve_with(lp, at, P::default)
}

/// Serves connections that come in at `at`, each with a protocol that `factory` makes. Await it.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use tidings::transport::{ConnectionMade, Transport, connect, memory, serve_with};
/// use tidings::{EventLoop, protocol};
///
/// /// Counts with all others of its server.
/// struct Visitor(Rc<Cell<u32>>);
///
/// #[protocol]
/// impl Visitor {
///     #[listener]
///     fn made(&mut self, _: &ConnectionMade, t: &Transport) {
///         self.0.set(self.0.get() + 1);
///         t.close();
///     }
/// }
///
/// #[derive(Default)]
/// struct Guest;
///
/// #[protocol]
/// impl Guest {}
///
/// let lp = EventLoop::virtual_time();
/// let visits = Rc::new(Cell::new(0));
/// let count = Rc::clone(&visits);
/// lp.run_until_complete(async {
///     let place = memory();
///     let _server = serve_with(&lp, place.clone(), move || Visitor(Rc::clone(&count))).await?;
///     for _ in 0..3 {
///         let (guest, _) = connect::<Guest>(&lp, place.clone()).await?;
///         guest.wait_closed().await;
///     }
///     Ok::<_, tidings::transport::TransportError>(())
/// })??;
/// assert_eq!(visits.get(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn serve_with<P: StreamProtocol>(
    lp: &EventLoop,
    at: impl Listen + 'static,
    factory: impl FnMut() -> P + 'static,
) -> Serve<P> {
    Serve {
        plan: Plan::new(lp),
        binding: Box::new(move || at.bind()),
        factory: RefCell::new(Box::new(factory)),
        limit: usize::MAX,
        is_paused: false,
    }
}

/// A server in the making: what [`serve`] gives, to be awaited. The output is a [`Server`], the error a [`TransportError`].
#[must_use = "nothing is served before it is awaited"]
pub struct Serve<P> {
    plan: Plan,
    binding: Box<dyn FnOnce() -> Binding>,
    factory: Factory<P>,
    limit: usize,
    is_paused: bool,
}

impl<P> Serve<P> {
    /// Gives the connections a label, with which they are told to the bus: see [`ConnectionMade`](crate::ConnectionMade).
    ///
    /// ```standalone_crate
    /// use tidings::transport::{ConnectionMade, Transport, connect, memory, serve};
    /// use tidings::{Bus, EventLoop, listener, protocol};
    /// # use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
    ///
    /// #[listener(when = |e| e.connection.label() == "admin")]
    /// fn audit(_: &ConnectionMade, count: &AtomicU32) {
    ///     count.fetch_add(1, Ordering::Relaxed);
    /// }
    ///
    /// #[derive(Default)]
    /// struct Silent;
    ///
    /// #[protocol]
    /// impl Silent {}
    ///
    /// let count = Arc::new(AtomicU32::new(0));
    /// let bus = Bus::builder().state(Arc::clone(&count)).build()?;
    /// let lp = EventLoop::virtual_time();
    /// lp.run_until_complete(async {
    ///     let (admin, public) = (memory(), memory());
    ///     let _admin = serve::<Silent>(&lp, admin.clone()).label("admin").on(&bus).await?;
    ///     let _public = serve::<Silent>(&lp, public.clone()).label("public").on(&bus).await?;
    ///     connect::<Silent>(&lp, public).await?;
    ///     connect::<Silent>(&lp, admin).await?;
    ///     lp.sleep(std::time::Duration::from_secs(1)).await;
    ///     Ok::<_, tidings::transport::TransportError>(())
    /// })??;
    /// assert_eq!(count.load(Ordering::Relaxed), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn label(mut self, label: impl Into<Arc<str>>) -> Self {
        self.plan.label = Some(label.into());
        self
    }

    /// The bus of the protocol's listeners, in the place of the one that is current where this was called.
    pub fn on(mut self, bus: &Bus) -> Self {
        self.plan.bus = Some(bus.clone());
        self
    }

    /// The marks of the write buffer of each connection.
    pub fn write_limits(mut self, limits: WriteLimits) -> Self {
        self.plan.limits = limits;
        self
    }

    /// How many connections there may be at a time. The next ones are accepted when others have ended; until then they wait where the operating system
    /// keeps them, as many as the backlog says.
    ///
    /// # Panics
    ///
    /// With a limit of 0, which no connection could pass.
    pub fn limit(mut self, connections: usize) -> Self {
        assert!(
            connections > 0,
            "a limit of 0 connections lets none in: write at least 1"
        );
        self.limit = connections;
        self
    }

    /// Listens, but accepts nothing before [`Server::start`].
    pub fn paused(mut self) -> Self {
        self.is_paused = true;
        self
    }
}

impl<P: Protocol> IntoFuture for Serve<P> {
    type Output = Result<Server, TransportError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.plan.lp.is_closed() {
                return Err(TransportError::closed(LoopError::Closed));
            }
            let (lp, place) = (self.plan.lp.clone(), self.plan.place);
            let name = self.plan.label.clone();
            let endpoint = self.plan.bind::<P>(Side::Server)?;
            let acceptors = (self.binding)().await?;
            let factory = self.factory;
            let start = move |link| {
                let make = || (factory.borrow_mut())();
                endpoint.connection(link, make).map(|(conn, _)| conn)
            };
            let parts = Parts {
                name: name.unwrap_or_else(|| Arc::from("")),
                place,
                start: Box::new(start),
                limit: self.limit,
                is_started: !self.is_paused,
            };
            Server::begin(&lp, acceptors, parts).map_err(TransportError::closed)
        })
    }
}

impl<P> std::fmt::Debug for Serve<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serve")
            .field("label", &self.plan.label)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
