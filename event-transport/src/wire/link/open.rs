//! How a link begins: it connects, or waits for those who do.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::Location;
#[cfg(feature = "tls")]
use std::sync::Arc;

use event_core::Bus;
use tokio::io::{AsyncRead, AsyncWrite};

use super::plan::Plan;
#[cfg(feature = "tls")]
use super::tls;
use super::{Link, LinkClient, LinkError, LinkServer, LinkSetupError};
#[cfg(feature = "tls")]
use crate::tls::TlsClient;
use crate::wire::access::Access;

impl Link {
    /// Connects over streams that `dial` opens, and again whenever the connection is lost. Whoever opens a stream has found out who the peer is.
    ///
    /// What is published is queued from now on, also before there is a connection.
    ///
    /// # Errors
    ///
    /// [`LinkSetupError`] if an event cannot be exchanged, or this is no task of a tokio runtime.
    #[track_caller]
    pub fn connect<S, F>(
        self,
        bus: &Bus,
        dial: impl FnMut() -> F + Send + 'static,
    ) -> Result<LinkClient, LinkSetupError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = io::Result<S>> + Send + 'static,
    {
        let queue = self.queues.connects;
        let plan = Plan::new(self, queue, bus, Location::caller())?;
        #[cfg(feature = "tls")]
        plan.check_no_secret()?;
        let mut dial = dial;
        LinkClient::start(plan, bus, move || {
            let dialling = dial();
            async { Ok((dialling.await?, None)) }
        })
    }

    /// Connects over plain TCP to an address of this machine, or any other after [`insecure_plaintext`](Self::insecure_plaintext).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), and [`LinkSetupError::Plaintext`].
    #[track_caller]
    pub fn connect_tcp(self, bus: &Bus, address: SocketAddr) -> Result<LinkClient, LinkSetupError> {
        let queue = self.queues.connects;
        let plan = Plan::new(self, queue, bus, Location::caller())?;
        #[cfg(feature = "tls")]
        plan.check_no_secret()?;
        plan.check_plaintext(bus, address)?;
        LinkClient::start(plan, bus, move || async move {
            let connected = tokio::net::TcpStream::connect(address).await;
            let stream = connected.map_err(|error| LinkError::connect(address, error))?;
            stream.set_nodelay(true)?;
            Ok((stream, None))
        })
    }

    /// Connects over TLS, of which version 1.3 is spoken, to an address such as `chat.example:4433`. The server's certificate is checked, and has to be of the
    /// name in the address, or of the one that the `TlsClient` was given.
    ///
    /// This side shows who it is: by the certificate of the `TlsClient`, or by [`credentials`](Self::credentials).
    ///
    /// ```standalone_crate
    /// use std::time::Duration;
    /// use serde::{Deserialize, Serialize};
    /// use tidings::{Bus, event};
    /// use tidings::transport::tls::{Pem, TlsClient, TlsServer};
    /// use tidings::transport::wire::{Access, Identity, Link, Right, Secret, Secrets};
    /// use tokio::net::TcpListener;
    ///
    /// #[event("till.sold", serde)]
    /// #[derive(Serialize, Deserialize)]
    /// struct Sold {
    ///     cents: u32,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let made = rcgen::generate_simple_self_signed(["office.example".to_owned()])?;
    /// # let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    /// # let office = Bus::builder().build()?;
    /// let till = Identity::new("till-7");
    /// let access = Access::nothing().allow(&till, Right::Publish, "till.*")?;
    /// let server = Link::new("office").subscribe("till.*")?.serve(&office, access)?;
    /// let tls = TlsServer::builder(Pem::text(&*certificate), Pem::text(key)).build()?;
    /// let secrets = Secrets::none().add(&till, Secret::new(*b"16 random bytes.")?);
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let address = listener.local_addr()?;
    /// server.listen_tls(listener, &tls, secrets)?;
    ///
    /// // The other program.
    /// # let bus = Bus::builder().build()?;
    /// let tls = TlsClient::builder().roots(Pem::text(&*certificate)).build()?;
    /// let link = Link::new("till").publish("till.*")?;
    /// let link = link.credentials(&till, Secret::new(*b"16 random bytes.")?);
    /// // `connect_tls(&bus, "office.example:4433", &tls)` needs no other name.
    /// let link = link.connect_tls(&bus, address, &tls.server_name("office.example")?)?;
    ///
    /// let sold = office.next::<Sold>();
    /// bus.emit(Sold { cents: 250 });
    /// assert_eq!(sold.await?.cents, 250);
    /// link.close(Duration::from_secs(5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect), and [`LinkSetupError::Address`].
    #[cfg(feature = "tls")]
    #[track_caller]
    pub fn connect_tls(
        self,
        bus: &Bus,
        address: impl std::fmt::Display,
        tls: &TlsClient,
    ) -> Result<LinkClient, LinkSetupError> {
        let queue = self.queues.connects;
        let plan = Plan::new(self, queue, bus, Location::caller())?;
        let target = tls::Target::new(address.to_string(), tls)?;
        let dial = Arc::clone(&plan);
        LinkClient::start(plan, bus, move || target.clone().dial(Arc::clone(&dial)))
    }

    /// Waits for peers, each of which may do what `access` allows it.
    ///
    /// # Errors
    ///
    /// [`LinkSetupError`] if an event cannot be exchanged, or this is no task of a tokio runtime.
    #[track_caller]
    pub fn serve(self, bus: &Bus, access: Access) -> Result<LinkServer, LinkSetupError> {
        let queue = self.queues.accepts;
        let plan = Plan::new(self, queue, bus, Location::caller())?;
        Ok(LinkServer::start(plan, bus, access))
    }
}
