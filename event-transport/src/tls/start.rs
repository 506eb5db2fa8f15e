//! TLS that begins in the middle of a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::client::TlsClient;
use super::error::TlsError;
use super::layer::Layer;
use super::server::TlsServer;
use crate::error::ConnectionError;
use crate::stream::{Info, Outcome, Transport};

/// One of the two sides of TLS: [`TlsClient`] or [`TlsServer`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no configuration of TLS",
    label = "neither a `TlsClient` nor a `TlsServer`",
    note = "build one, or write `&TlsClient::from(config)` or `&TlsServer::from(config)` around an `Arc` of rustls' own"
)]
pub trait TlsSide: sealed::Side {}

impl TlsSide for TlsClient {}
impl TlsSide for TlsServer {}

mod sealed {
    use super::{Info, Layer, TlsClient, TlsError, TlsServer};

    pub trait Side {
        #[doc(hidden)]
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn layer(&self, info: &Info) -> Result<Layer, TlsError>;
    }

    impl Side for TlsClient {
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn layer(&self, info: &Info) -> Result<Layer, TlsError> {
            Layer::client(self, info)
        }
    }

    impl Side for TlsServer {
        #[expect(private_interfaces, reason = "only this package calls it")]
        fn layer(&self, _: &Info) -> Result<Layer, TlsError> {
            Ok(Layer::Server(self.clone()))
        }
    }
}

impl Transport {
    /// Begins TLS on a connection that is there, as after a STARTTLS. It may be called inside of a listener.
    ///
    /// What waits to be written is written first, without TLS. What is written from now on waits for the end of the handshake, and nothing is read
    /// before it. Whoever wants to know how it ended awaits what this gives; dropping that changes nothing. If it fails, the connection is lost, with the
    /// reason in [`ConnectionLost`](crate::ConnectionLost).
    ///
    /// `received` is what has come behind the command that begins TLS, in the same bytes: usually nothing (`""`). It is the beginning of the handshake.
    /// A peer that sends anything else there, which somebody on the way may have put in, fails the handshake. A protocol must not keep it.
    ///
    /// Which side begins the handshake is what the configuration says, whoever began the connection. TLS may begin on a connection that has TLS.
    ///
    /// # Errors
    ///
    /// [`Refused`](super::TlsErrorKind::Refused) if the connection is closing, has a handshake going on, or has ended in one direction;
    /// [`ServerName`](super::TlsErrorKind::ServerName) if a client does not know the name of the server. Then nothing has happened.
    ///
    /// ```
    /// use tidings::transport::tls::{Pem, TLS_VERSION, TlsClient, TlsServer};
    /// use tidings::transport::{DataReceived, Transport, WriteError, connect, connect_with, pair};
    /// use tidings::{EventLoop, protocol};
    /// # use std::error::Error;
    ///
    /// /// Knows one command.
    /// struct Mail(TlsServer);
    ///
    /// #[protocol]
    /// impl Mail {
    ///     #[listener]
    ///     fn data(&mut self, e: &DataReceived, t: &Transport) -> Result<(), Box<dyn Error + Send + Sync>> {
    ///         if let Some(rest) = e.data.strip_prefix(b"STARTTLS\r\n") {
    ///             t.write("220 go ahead\r\n")?;
    ///             t.start_tls(&self.0, e.data.slice_ref(rest))?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// #[derive(Default)]
    /// struct Sender(Vec<u8>);
    ///
    /// #[protocol]
    /// impl Sender {
    ///     #[listener]
    ///     fn data(&mut self, e: &DataReceived) {
    ///         self.0.extend_from_slice(&e.data);
    ///     }
    /// }
    ///
    /// # let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    /// # let (certificate, key) = (Pem::text(made.cert.pem()), Pem::text(made.signing_key.serialize_pem()));
    /// # let client = TlsClient::builder().roots(certificate.clone()).build()?.server_name("localhost")?;
    /// # let server = TlsServer::builder(certificate, key).build()?;
    /// let lp = EventLoop::virtual_time();
    /// let (ours, theirs) = pair();
    /// lp.run_until_complete(async {
    ///     connect_with(&lp, theirs, move || Mail(server)).await?;
    ///     let (t, sender) = connect::<Sender>(&lp, ours).await?;
    ///     t.write("STARTTLS\r\n")?;
    ///     while !sender.with(|sender| sender.0.ends_with(b"\r\n"))? {
    ///         lp.next_turn().await;
    ///     }
    ///     t.start_tls(&client, "")?.await?;
    ///     assert_eq!(t.info(TLS_VERSION).as_deref(), Some("TLSv1.3"));
    ///     Ok::<_, Box<dyn Error>>(())
    /// })??;
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    pub fn start_tls(
        &self,
        side: &impl TlsSide,
        received: impl Into<Bytes>,
    ) -> Result<StartTls, TlsError> {
        let layer = side.layer(self.connection().facts())?;
        let outcome = self.conn().begin_tls(layer, received.into())?;
        Ok(StartTls::new(self.clone(), outcome))
    }

    /// Keys that both sides can derive from the session and nobody else: bytes that depend on the label, which says what they are for, and on the context
    /// if there is one (RFC 5705). What is checked with them is bound to this connection.
    ///
    /// # Errors
    ///
    /// [`NotSecured`](super::TlsErrorKind::NotSecured) without TLS, before its handshake has ended and after the connection is lost;
    /// [`Refused`](super::TlsErrorKind::Refused) for 0 bytes, or more than TLS gives.
    pub fn export_keying_material(
        &self,
        label: &str,
        context: Option<&[u8]>,
        bytes: usize,
    ) -> Result<Vec<u8>, TlsError> {
        self.conn().export_keys(label.as_bytes(), context, bytes)
    }
}

/// A handshake in the middle of a connection: what [`Transport::start_tls`] gives. Its output is an error if it failed; then the connection is lost
/// with the same error.
pub struct StartTls(Pin<Box<dyn Future<Output = Result<(), ConnectionError>>>>);

impl StartTls {
    fn new(transport: Transport, outcome: Outcome) -> Self {
        Self(Box::pin(async move {
            let conn = Rc::clone(transport.conn());
            conn.handshake_ended(&outcome).await
        }))
    }
}

impl Future for StartTls {
    type Output = Result<(), ConnectionError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for StartTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartTls")
    }
}
