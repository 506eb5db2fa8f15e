//! A small TCP proxy that does to connections what networks do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the proxy does with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Passes everything on.
    None,
    /// Passes everything on in pieces of so many bytes, each after a time.
    Drip(usize, Duration),
    /// Closes those there are, in good order, and accepts no others.
    Cut,
    /// Resets those there are, and accepts no others.
    Reset,
    /// Takes everything and passes nothing on, in both directions.
    BlackHole,
    /// The same towards the client alone, so that its side seems well.
    HalfOpen,
    /// Passes on so many bytes towards the server in each connection, and resets it then: in the middle of a frame.
    After(u64),
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    fault: watch::Sender<Fault>,
    pub(crate) connections: Arc<AtomicU64>,
    _task: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let fault = watch::Sender::new(Fault::None);
        let connections = Arc::new(AtomicU64::new(0));
        let mut task = JoinSet::new();
        task.spawn(run(
            listener,
            server,
            fault.subscribe(),
            Arc::clone(&connections),
        ));
        Self {
            address,
            fault,
            connections,
            _task: task,
        }
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }
}

async fn run(
    listener: TcpListener,
    server: SocketAddr,
    fault: watch::Receiver<Fault>,
    connections: Arc<AtomicU64>,
) {
    let mut pairs = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        if matches!(*fault.borrow(), Fault::Cut | Fault::Reset) {
            continue;
        }
        connections.fetch_add(1, Ordering::Relaxed);
        pairs.spawn(pair(client, server, fault.clone()));
    }
}

async fn pair(client: TcpStream, server: SocketAddr, fault: watch::Receiver<Fault>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut ended = fault.clone();
    let cut = async move {
        let is_end = |fault: &Fault| matches!(fault, Fault::Cut | Fault::Reset);
        let end = ended.wait_for(is_end).await;
        end.map_or(Fault::Cut, |fault| *fault)
    };
    let up = pump(&mut from_client, &mut to_server, fault.clone(), true);
    let down = pump(&mut from_server, &mut to_client, fault, false);
    let end = tokio::select! {
        end = cut => end,
        Some(end) = up => end,
        Some(end) = down => end,
        else => Fault::None,
    };
    if end == Fault::Reset {
        // Linger of zero: the system sends a reset when the socket is dropped.
        for (read, write) in [(from_client, to_client), (from_server, to_server)] {
            let stream = read.reunite(write).expect("these are halves of one stream");
            stream.set_zero_linger().unwrap();
        }
    }
}

/// Passes bytes on until there are none; the fault if that was the end. A direction that ends well leaves the other.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    fault: watch::Receiver<Fault>,
    up: bool,
) -> Option<Fault> {
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0;
    loop {
        let bytes = match from.read(&mut buffer).await {
            Ok(0) => {
                let _ = to.shutdown().await;
                return None;
            }
            Ok(bytes) => bytes,
            Err(_) => return Some(Fault::Cut),
        };
        let mut bytes = &buffer[..bytes];
        let now = *fault.borrow();
        match now {
            Fault::BlackHole => continue,
            Fault::HalfOpen if !up => continue,
            Fault::After(most) if up => {
                let rest = usize::try_from(most - passed).unwrap().min(bytes.len());
                bytes = &bytes[..rest];
            }
            Fault::Drip(piece, pause) => {
                for piece in bytes.chunks(piece) {
                    tokio::time::sleep(pause).await;
                    if to.write_all(piece).await.is_err() {
                        return Some(Fault::Cut);
                    }
                }
                continue;
            }
            _ => {}
        }
        passed += bytes.len() as u64;
        if to.write_all(bytes).await.is_err() {
            return Some(Fault::Cut);
        }
        if matches!(now, Fault::After(most) if up && passed >= most) {
            return Some(Fault::Reset);
        }
    }
}
