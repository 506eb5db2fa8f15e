//! The side that waits for peers.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use event_core::{Bus, WeakBus};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::caught::caught;
use super::drive::{Drive, now};
use super::end::{End, Status, lock};
use super::error::LinkError;
use super::plan::Plan;
use super::sessions::{Joined, Key, Sessions};
use super::unheard::warn;
use super::who::Who;
use crate::stream::is_of_the_peer;
#[cfg(feature = "tls")]
use crate::tls::TlsServer;
use crate::wire::access::{Access, Identity};
use crate::wire::error::WireError;
use crate::wire::events::LinkLost;
use crate::wire::proto::frame::Hello;
use crate::wire::proto::greeter::{Greeter, refusal};
use crate::wire::proto::session::SessionStats;
#[cfg(feature = "tls")]
use crate::wire::secret::Secrets;

/// After an error of `accept`, such as no descriptor left.
const REST: Duration = Duration::from_millis(100);

/// Peers that connect to this program. Dropped, all of it ends; what peers do not have then is reported as abandoned.
#[must_use = "the server ends when this is dropped; keep it, and `close` it at the end"]
pub struct LinkServer {
    shared: Arc<Shared>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

pub(super) struct Shared {
    pub(super) plan: Arc<Plan>,
    bus: WeakBus,
    access: Access,
    sessions: Sessions,
    /// How many connections there are.
    connections: watch::Sender<usize>,
}

impl LinkServer {
    pub(super) fn start(plan: Arc<Plan>, bus: &Bus, access: Access) -> Self {
        Self {
            shared: Arc::new(Shared {
                bus: bus.downgrade(),
                access,
                sessions: Sessions::new(plan.places),
                connections: watch::Sender::new(0),
                plan,
            }),
            tasks: Mutex::default(),
        }
    }

    /// Talks to a peer over a stream. Whoever accepted the stream has found out who the peer is.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn accept<S>(&self, stream: S, identity: Identity)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.keep(tokio::spawn(shared.talk(stream, Who::Known(identity))));
    }

    /// Accepts connections of a listener on this machine, or any other after [`insecure_plaintext`](crate::wire::Link::insecure_plaintext). All of them
    /// are `identity`, as plain TCP says nothing else of who they are.
    ///
    /// # Errors
    ///
    /// [`LinkSetupError::Plaintext`](crate::wire::LinkSetupError::Plaintext) if the listener is not on this machine; an error of the listener itself.
    pub fn listen_tcp(&self, listener: TcpListener, identity: Identity) -> io::Result<()> {
        let address = listener.local_addr()?;
        let bus = self.shared.bus.upgrade();
        if let Some(bus) = bus {
            let checked = self.shared.plan.check_plaintext(&bus, address);
            checked.map_err(io::Error::other)?;
        }
        self.listen(listener, move |shared, stream, _| {
            shared.talk(stream, Who::Known(identity.clone()))
        });
        Ok(())
    }

    /// Accepts connections with TLS, of which version 1.3 is spoken, from anywhere.
    ///
    /// A peer shows who it is: by its certificate, if `tls` has `client_roots`, as [`Identity::from_certificate`] says, or by a secret, which it proves to have
    /// on this connection alone, if it is one of `secrets`. One that shows both must be the same by both. Who shows nothing is not let in, and one whose
    /// secret does not hold is not told whether the name or the secret is wrong; the event [`LinkLost`] here says it.
    ///
    /// # Errors
    ///
    /// An error of the listener itself.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    #[cfg(feature = "tls")]
    pub fn listen_tls(
        &self,
        listener: TcpListener,
        tls: &TlsServer,
        secrets: Secrets,
    ) -> io::Result<()> {
        listener.local_addr()?;
        let (tls, secrets) = (tls.clone(), Arc::new(secrets));
        self.listen(listener, move |shared, stream, from| {
            shared.secure(stream, from, tls.clone(), Arc::clone(&secrets))
        });
        Ok(())
    }

    fn listen<F>(
        &self,
        listener: TcpListener,
        talk: impl Fn(Arc<Shared>, TcpStream, SocketAddr) -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.keep(tokio::spawn(async move {
            let mut peers = tokio::task::JoinSet::new();
            loop {
                match listener.accept().await {
                    Ok((stream, from)) => {
                        // Slower without, and no less right.
                        let _ = stream.set_nodelay(true);
                        peers.spawn(talk(Arc::clone(&shared), stream, from));
                    }
                    Err(error) if is_of_the_peer(&error) => {}
                    Err(error) => {
                        shared.lost(String::new(), error.to_string());
                        tokio::time::sleep(REST).await;
                    }
                }
                while peers.try_join_next().is_some() {}
                if peers.len() >= shared.plan.connections {
                    peers.join_next().await;
                }
            }
        }));
    }

    /// The figures of each session that has not ended, by the name of its peer.
    pub fn sessions(&self) -> Vec<(String, SessionStats)> {
        self.shared.sessions.each()
    }

    /// The figures of all sessions since the start, also of those that have ended. It has no `round_trip`, which is of one connection.
    pub fn stats(&self) -> SessionStats {
        self.shared.sessions.sum()
    }

    /// Takes in nothing more of the bus, waits until every connected peer has everything, and says goodbye. Nobody else is let in meanwhile.
    ///
    /// # Errors
    ///
    /// [`LinkError::TimedOut`] if that takes longer than `deadline`. What is left is reported as abandoned.
    pub async fn close(self, deadline: Duration) -> Result<(), LinkError> {
        for end in self.shared.sessions.close() {
            end.close();
        }
        let mut connections = self.shared.connections.subscribe();
        let none = connections.wait_for(|connections| *connections == 0);
        let closed = tokio::time::timeout(deadline, none).await.is_ok();
        let tasks: Vec<_> = lock(&self.tasks).drain(..).collect();
        for task in tasks {
            task.abort();
            // So that the port is free and what is left is reported when this returns.
            let _ = task.await;
        }
        self.shared.sessions.forget_all();
        if closed {
            Ok(())
        } else {
            Err(LinkError::TimedOut {
                deadline,
                last: None,
            })
        }
    }

    fn keep(&self, task: JoinHandle<()>) {
        let mut tasks = lock(&self.tasks);
        // Before there has to be more room, so that many of them cost little.
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| !task.is_finished());
        }
        tasks.push(task);
    }
}

impl Drop for LinkServer {
    fn drop(&mut self) {
        lock(&self.tasks).drain(..).for_each(|task| task.abort());
    }
}

impl fmt::Debug for LinkServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkServer({})", self.shared.plan.name)
    }
}

impl Shared {
    pub(super) async fn talk<S>(self: Arc<Self>, mut stream: S, who: Who)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffer = BytesMut::new();
        let mut identity = None;
        let admitting = self.admit(&mut stream, &mut buffer, &who, &mut identity);
        let admitted = caught(admitting).await;
        let (joined, generation) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => {
                let (peer, why) = match identity {
                    Some(identity) => (identity.to_string(), error.to_string()),
                    None => who.unnamed(&error),
                };
                self.lost(peer, why);
                if let LinkError::Wire(error) = &error {
                    let time = self.plan.limits().handshake_time();
                    let tell = tell_refusal(&mut stream, error);
                    // It was worth a try: a peer that does not listen is told nothing.
                    let _ = tokio::time::timeout(time, tell).await;
                }
                return;
            }
        };
        let end = Arc::clone(&joined.end);
        // Until all is told, as whoever closes the server waits for its end.
        let _connected = Connected::new(&self.connections);
        let ended = caught(Drive::new(&end, generation, &mut stream, buffer)).await;
        if ended.is_ok() {
            // Both sides have said goodbye; whether the peer also hears of the end is no matter, and nobody waits for one that does not.
            let time = self.plan.limits().handshake_time();
            let _ = tokio::time::timeout(time, stream.shutdown()).await;
        }
        drop(stream);
        let key = joined.key().clone();
        let is_superseded = joined.leave();
        let mut working = end.wait_for_work().await;
        // Looked at with the work in hand, as the one who is let in has it: the session may belong to a newer connection by now.
        if !end.is_current(generation) {
            return;
        }
        working.get().session.lost();
        drop(working);
        end.lose_requests();
        match ended {
            Ok(()) => {
                end.status.send_replace(Status::Over);
                // First, so that whoever hears of it finds the session gone.
                self.sessions.forget_since(&key, &end, generation);
                return end.tell_closed();
            }
            Err(LinkError::NoBus) => {}
            Err(error) => end.tell_lost(error),
        }
        if is_superseded {
            return self.sessions.forget_since(&key, &end, generation);
        }
        self.forget_later(key, &end, generation);
    }

    /// Finds out what the peer wants, and its session.
    async fn admit<'a, S>(
        &'a self,
        stream: &mut S,
        buffer: &mut BytesMut,
        who: &Who,
        found: &mut Option<Identity>,
    ) -> Result<(Joined<'a>, u64), LinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut greeter = Greeter::new(self.plan.limits(), now());
        let deadline = greeter.deadline();
        let hello = loop {
            if let Some(hello) = greeter.receive(buffer)? {
                break hello;
            }
            let read = tokio::time::timeout_at(deadline.into(), stream.read_buf(buffer)).await;
            match read {
                Err(_) => {
                    let time = self.plan.limits().handshake_time();
                    return Err(WireError::HandshakeTimeout(time).into());
                }
                Ok(Ok(0)) => return Err(LinkError::Closed),
                Ok(read) => drop(read?),
            }
        };
        let identity = &*found.insert(who.identify(&hello)?);
        if !self.access.knows(identity) {
            return Err(WireError::UnknownIdentity(identity.clone()).into());
        }
        let joined = self.session(identity, &hello)?;
        let end = &joined.end;
        let mut working = end.wait_for_work().await;
        let work = working.get();
        let accepted = work
            .session
            .accept(greeter, &hello, identity, &self.access, now());
        if let Err(error) = accepted {
            drop(working);
            // It is of no use if it never had a connection.
            self.sessions.forget_since(joined.key(), end, 0);
            return Err(error.into());
        }
        let generation = end.begin();
        drop(working);
        // Another connection of this session ends when it is polled next.
        end.wake();
        if generation == 1 {
            joined.take_over(&hello);
        }
        Ok((joined, generation))
    }

    fn session(&self, identity: &Identity, hello: &Hello) -> Result<Joined<'_>, LinkError> {
        let Some(bus) = self.bus.upgrade() else {
            return Err(LinkError::NoBus);
        };
        let id = fastrand::u64(1..);
        let new = || End::new(Arc::clone(&self.plan), &bus, id, Some(identity.clone()));
        Ok(self.sessions.join(identity, hello, new)?)
    }

    /// A session is kept for a time, in case its peer comes again.
    fn forget_later(self: &Arc<Self>, key: Key, end: &Arc<End>, generation: u64) {
        let (shared, end) = (Arc::downgrade(self), Arc::downgrade(end));
        let time = self.plan.resume;
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            if let Some((shared, end)) = shared.upgrade().zip(end.upgrade()) {
                shared.sessions.forget_since(&key, &end, generation);
            }
        });
    }

    pub(super) fn lost(&self, peer: String, why: String) {
        if let Some(bus) = self.bus.upgrade() {
            warn(
                &bus,
                LinkLost {
                    link: self.plan.name.clone(),
                    peer,
                    why,
                },
            );
        }
    }
}

async fn tell_refusal<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, error: &WireError) {
    if stream.write_all(&refusal(error)).await.is_ok() && stream.shutdown().await.is_ok() {
        // A connection that is closed while bytes of the peer wait is reset, and the peer would not read why.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await.is_ok_and(|bytes| bytes > 0) {}
    }
}

/// Counts a connection while it is there.
struct Connected<'a>(&'a watch::Sender<usize>);

impl<'a> Connected<'a> {
    fn new(connections: &'a watch::Sender<usize>) -> Self {
        connections.send_modify(|count| *count += 1);
        Self(connections)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
