//! TLS around what carries the bytes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_rustls::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::client::TlsClient;
use super::error::TlsError;
use super::facts::TlsFacts;
use super::limits::TlsLimits;
use super::server::TlsServer;
use super::start::TlsSide;
use super::why::why;
use crate::connection::Side;
use crate::error::TransportError;
use crate::stream::{Acceptor, Binding, Dial, Dialing, Info, Io, Link, Listen};

/// TLS around another way to connect or to listen: [`tcp`](crate::tcp), `unix`, [`memory`](crate::memory), an end of a [`pair`](crate::pair),
/// a [`stream`](crate::stream), or TLS again. A [`TlsClient`] is for [`connect`](crate::connect), a [`TlsServer`] for [`serve`](crate::serve).
///
/// The protocol hears [`ConnectionMade`](crate::ConnectionMade) when the handshake has succeeded. If it fails, a client's `connect` is an error, and a
/// server tells of it: see [`HandshakeFailed`](super::HandshakeFailed). On a server a handshake counts as a connection and keeps nobody else waiting.
///
/// In version 1.3 a client has done its part before the server has looked at the client's certificate: one that is refused loses a connection that was
/// made, with the reason in [`ConnectionLost`](crate::ConnectionLost).
///
/// ```
/// use tidings::transport::tls::{PEER_CERTIFICATES, Pem, TlsClient, TlsServer, tls};
/// use tidings::transport::{DataReceived, Transport, WriteError, connect_with, memory, serve};
/// use tidings::{EventLoop, protocol};
///
/// #[derive(Default)]
/// struct Echo;
///
/// #[protocol]
/// impl Echo {
///     #[listener]
///     fn data(e: &DataReceived, t: &Transport) -> Result<(), WriteError> {
///         t.write(e.data.clone()).map(drop)
///     }
/// }
///
/// struct Reader(Vec<u8>);
///
/// #[protocol]
/// impl Reader {
///     #[listener]
///     fn data(&mut self, e: &DataReceived, t: &Transport) {
///         self.0.extend_from_slice(&e.data);
///         t.close();
///     }
/// }
///
/// let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
/// let (certificate, key) = (Pem::text(made.cert.pem()), Pem::text(made.signing_key.serialize_pem()));
/// let client = TlsClient::builder().roots(certificate.clone()).build()?.server_name("localhost")?;
/// let server = TlsServer::builder(certificate, key).build()?;
///
/// let lp = EventLoop::virtual_time();
/// let heard = lp.run_until_complete(async {
///     let place = memory();
///     let _server = serve::<Echo>(&lp, tls(&server, place.clone())).await?;
///     let (t, reader) = connect_with(&lp, tls(&client, place), || Reader(Vec::new())).await?;
///     assert_eq!(t.info(PEER_CERTIFICATES).map(|all| all.len()), Some(1));
///     t.write("hello")?;
///     t.wait_closed().await;
///     Ok::<_, Box<dyn std::error::Error>>(reader.with(|reader| reader.0.clone())?)
/// })??;
/// assert_eq!(heard, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tls<C: TlsSide + Clone, T>(config: &C, inner: T) -> Tls<C, T> {
    Tls {
        config: config.clone(),
        inner,
    }
}

/// See [`tls`].
#[derive(Clone)]
pub struct Tls<C, T> {
    config: C,
    inner: T,
}

impl<C: fmt::Debug, T: fmt::Debug> fmt::Debug for Tls<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("config", &self.config)
            .field("inner", &self.inner)
            .finish()
    }
}

impl<T: Dial + 'static> Dial for Tls<TlsClient, T> {}

impl<T: Dial + 'static> crate::stream::sealed::Dial for Tls<TlsClient, T> {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn dial(self) -> Dialing {
        Box::pin(async move {
            let mut link = self.inner.dial().await?;
            let layer = Layer::client(&self.config, &link.info).map_err(TransportError::tls)?;
            link.layers.push(layer);
            Ok(link)
        })
    }
}

impl<T: Listen + 'static> Listen for Tls<TlsServer, T> {}

impl<T: Listen + 'static> crate::stream::sealed::Listen for Tls<TlsServer, T> {
    #[expect(private_interfaces, reason = "only this package calls it")]
    fn bind(self) -> Binding {
        Box::pin(async move {
            let around = |inner| {
                let config = self.config.clone();
                Box::new(Around { inner, config }) as Box<dyn Acceptor>
            };
            Ok(self.inner.bind().await?.into_iter().map(around).collect())
        })
    }
}

/// Has what comes in do its handshake.
struct Around {
    inner: Box<dyn Acceptor>,
    config: TlsServer,
}

impl Acceptor for Around {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let mut link = ready!(self.inner.poll_accept(cx))?;
        link.layers.push(Layer::Server(self.config.clone()));
        Poll::Ready(Ok(link))
    }

    fn info(&self) -> Info {
        self.inner.info()
    }
}

/// A handshake that is to be done.
#[derive(Debug)]
pub(crate) enum Layer {
    Client(TlsClient, ServerName<'static>),
    Server(TlsServer),
}

/// What a handshake has made of a stream.
pub(crate) type Secured = (TlsStream<Pin<Box<dyn Io>>>, TlsFacts);

impl Layer {
    pub(crate) fn client(config: &TlsClient, info: &Info) -> Result<Self, TlsError> {
        let name = config.name_for(info.host.as_deref())?;
        Ok(Self::Client(config.clone(), name))
    }

    pub(crate) fn limits(&self) -> TlsLimits {
        match self {
            Layer::Client(config, _) => config.limits(),
            Layer::Server(config) => config.limits(),
        }
    }

    pub(crate) async fn shake(self, io: Pin<Box<dyn Io>>) -> io::Result<Secured> {
        let mut asked = None;
        let own = match &self {
            Layer::Client(..) => Side::Client,
            Layer::Server(_) => Side::Server,
        };
        let stream = match self {
            Layer::Client(config, name) => {
                asked = Some(name.to_str().into_owned());
                config.shake(name, io).await.map(TlsStream::Client)
            }
            Layer::Server(config) => config.shake(io).await.map(TlsStream::Server),
        };
        let stream = stream.map_err(|error| why(error, Some(own)))?;
        let facts = TlsFacts::of(&stream, asked);
        Ok((stream, facts))
    }
}
