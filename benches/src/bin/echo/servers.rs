//! Servers that send back what they get. Each prints its port and serves until it is killed.

use std::error::Error;
use std::path::Path;

use tidings::transport::tls::{TlsServer, tls};
use tidings::transport::{
    DataReceived, Listen, StreamProtocol, Transport, WriteError, WritingPaused, WritingResumed,
    serve, tcp,
};
use tidings::{EventLoop, protocol};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio_rustls::TlsAcceptor;

use crate::security;

#[derive(Default)]
struct Echo;

#[protocol]
impl Echo {
    #[listener]
    fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        t.write(e.data.clone())?;
        Ok(())
    }
}

/// Takes no more than its peer does.
#[derive(Default)]
struct Patient;

#[protocol]
impl Patient {
    #[listener]
    fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
        t.write(e.data.clone())?;
        Ok(())
    }

    #[listener]
    fn paused(_: &WritingPaused, t: &Transport) {
        t.pause_reading();
    }

    #[listener]
    fn resumed(_: &WritingResumed, t: &Transport) {
        t.resume_reading();
    }
}

/// Ours.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn tidings() -> Result<(), Box<dyn Error>> {
    ours::<Echo>(tcp("127.0.0.1:0"))
}

/// Ours, which holds back when the peer does not read.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn patient() -> Result<(), Box<dyn Error>> {
    ours::<Patient>(tcp("127.0.0.1:0"))
}

/// Ours, with the certificate in a folder.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn tidings_tls(folder: &Path) -> Result<(), Box<dyn Error>> {
    let config = security::server(folder)?;
    ours::<Echo>(tls(&TlsServer::from(config), tcp("127.0.0.1:0")))
}

fn ours<P: StreamProtocol + Default>(at: impl Listen + 'static) -> Result<(), Box<dyn Error>> {
    let lp = EventLoop::new()?;
    lp.run_until_complete(async {
        let server = serve::<P>(&lp, at).await?;
        println!("{}", server.local_addrs()[0].port());
        server.wait_closed().await;
        Ok(())
    })?
}

/// How much is read at a time: as much as ours does.
const ROOM: usize = 256 * 1024;

/// A task for each connection, on tokio's runtime of one thread.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn tokio() -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(echo(stream));
        }
    })
}

/// The same with TLS.
///
/// # Errors
///
/// When the system refuses.
pub(crate) fn tokio_rustls(folder: &Path) -> Result<(), Box<dyn Error>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let acceptor = TlsAcceptor::from(security::server(folder)?);
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let accepting = acceptor.accept(stream);
            tokio::spawn(async move {
                // A client that makes no handshake gets no echo.
                if let Ok(stream) = accepting.await {
                    echo(stream).await;
                }
            });
        }
    })
}

async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = vec![0; ROOM];
    // The client is done when it has no more, whichever way it goes.
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
