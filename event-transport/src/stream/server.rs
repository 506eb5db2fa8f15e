//! A server, as who made it sees it.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use event_runtime::event_loop::{EventLoop, LoopError};

use super::accept::{Parts, State, accept};
use super::io::Acceptor;
use super::transport::Transport;

/// A server that listens: what [`serve`](crate::serve) gives.
///
/// It is closed when this is dropped, unless [`forever`](Self::forever) keeps it. The connections that it has accepted go on. A shutdown of the loop
/// closes it and its connections.
///
/// It belongs to the thread of its loop.
#[must_use = "the server is closed when this is dropped; keep it, or write `.forever()`"]
pub struct Server {
    state: Rc<State>,
    keeps: bool,
}

impl Server {
    pub(super) fn begin(
        lp: &EventLoop,
        acceptors: Vec<Box<dyn Acceptor>>,
        parts: Parts,
    ) -> Result<Self, LoopError> {
        let state = State::new(lp, acceptors, parts);
        lp.spawn(accept(Rc::clone(&state)))?.detach();
        Ok(Self { state, keeps: true })
    }

    /// The addresses at which it listens, or listened: with the port that the operating system chose for port 0.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        let infos = self.state.info.iter();
        infos.filter_map(|info| info.local_addr).collect()
    }

    /// The path of its Unix socket.
    pub fn local_path(&self) -> Option<PathBuf> {
        let mut infos = self.state.info.iter();
        infos.find_map(|info| info.local_path.clone())
    }

    /// Whether it is not closed.
    pub fn is_listening(&self) -> bool {
        self.state.is_open.get()
    }

    /// How many of its connections are not lost. With TLS, handshakes that go on are among them.
    pub fn connections(&self) -> usize {
        self.state.conns.borrow().len()
    }

    /// The transports of its connections, in the order in which they were accepted. With TLS it has those whose handshake has ended.
    pub fn transports(&self) -> Vec<Transport> {
        let all = self.state.all();
        #[cfg(feature = "tls")]
        let all = all.iter().filter(|conn| conn.is_ready());
        #[cfg(not(feature = "tls"))]
        let all = all.iter();
        all.map(Transport::of).collect()
    }

    /// Begins to accept, if it was made [paused](crate::Serve::paused).
    pub fn start(&self) {
        self.state.is_started.set(true);
        self.state.wake();
    }

    /// Listens no more, at once. The connections that it has accepted go on; those that wait to be accepted are refused.
    pub fn close(&self) {
        self.state.close();
    }

    /// Closes each connection, which ends when it has written what it has buffered. What is not accepted yet is not touched: [`close`](Self::close) first.
    pub fn close_clients(&self) {
        for conn in self.state.all() {
            conn.close();
        }
    }

    /// Ends each connection at once.
    pub fn abort_clients(&self) {
        for conn in self.state.all() {
            conn.abort(None);
        }
    }

    /// Waits until the server is closed and the last of its connections is lost.
    pub async fn wait_closed(&self) {
        self.state.ended().await;
    }

    /// Ends in good order: closes the server and its connections, waits for them, and aborts those that have not ended after `time`; how many
    /// those were.
    ///
    /// ```
    /// # use tidings::transport::{Transport, connect, memory, serve};
    /// # use tidings::{EventLoop, protocol};
    /// # #[derive(Default)]
    /// # struct Silent;
    /// # #[protocol]
    /// # impl Silent {}
    /// use std::time::Duration;
    ///
    /// # let lp = EventLoop::virtual_time();
    /// # lp.run_until_complete(async {
    /// # let place = memory();
    /// let server = serve::<Silent>(&lp, place.clone()).await?;
    /// let (client, _) = connect::<Silent>(&lp, place).await?;
    /// let aborted = server.drain(Duration::from_secs(10)).await;
    /// assert_eq!(aborted, 0);
    /// client.wait_closed().await;
    /// # Ok::<_, tidings::transport::TransportError>(())
    /// # })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn drain(&self, time: Duration) -> usize {
        self.close();
        self.close_clients();
        let state = &self.state;
        if state.lp.timeout(time, state.ended()).await.is_ok() {
            return 0;
        }
        let left = self.connections();
        self.abort_clients();
        state.ended().await;
        left
    }

    /// Accepts until the server is closed; when the future is dropped, the server is closed. The output is an error if this waits already.
    ///
    /// # Errors
    ///
    /// [`AlreadyServed`].
    pub async fn serve_forever(&self) -> Result<(), AlreadyServed> {
        if self.state.is_served.replace(true) {
            return Err(AlreadyServed(()));
        }
        let _served = Served(&self.state);
        self.start();
        while self.state.is_open.get() {
            self.state.changed.notified().await;
        }
        Ok(())
    }

    /// Keeps the server when this is dropped.
    pub fn forever(mut self) {
        self.keeps = false;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.keeps {
            self.state.close();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addrs", &self.local_addrs())
            .field("is_listening", &self.is_listening())
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

/// Somebody awaits [`Server::serve_forever`] already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AlreadyServed(());

impl fmt::Display for AlreadyServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`serve_forever` of this server is awaited already; `wait_closed` waits for its end as well")
    }
}

crate::words::debug_as_display!(AlreadyServed);

impl Error for AlreadyServed {}

/// Closes the server when nobody awaits `serve_forever` any more.
struct Served<'s>(&'s State);

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.0.is_served.set(false);
        self.0.close();
    }
}
