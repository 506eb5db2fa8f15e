//! An office that hears what tills sell, and who may get at it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, date_time_ymd};
use serde::{Deserialize, Serialize};
use tidings::transport::tls::rustls::pki_types::CertificateDer;
use tidings::transport::tls::rustls::pki_types::pem::PemObject;
use tidings::transport::tls::{TlsClient, TlsServer};
use tidings::transport::wire::{
    Access, Identity, Link, LinkClient, LinkLost, LinkOpened, LinkServer, Right, Secret, Secrets,
};
use tidings::{Bus, event, listener};
use tokio::net::TcpListener;

use crate::tls::{Authority, Card};

pub(crate) const SOON: Duration = Duration::from_secs(20);

#[event("till.sold", serde)]
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sold {
    pub(crate) cents: u32,
}

#[event("till.secret", serde, unheard = "ignore")]
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept;

#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<u32>>);

#[listener]
pub(crate) fn hear(e: &Sold, heard: Option<&Heard>) {
    if let Some(heard) = heard {
        heard.0.lock().unwrap().push(e.cents);
    }
}

pub(crate) fn bob() -> Identity {
    Identity::new("bob")
}

pub(crate) fn secret(byte: u8) -> Secret {
    Secret::new([byte; 32]).unwrap()
}

/// Bob and Carol have secrets; Bob may say what was sold.
pub(crate) struct Office {
    pub(crate) bus: Bus,
    pub(crate) heard: Arc<Heard>,
    pub(crate) server: LinkServer,
    pub(crate) address: SocketAddr,
}

impl Office {
    fn new() -> Self {
        let heard = Arc::new(Heard::default());
        let bus = Bus::builder().state(Arc::clone(&heard)).build().unwrap();
        bus.on(|_: &LinkLost| ()).forever();
        let access = Access::nothing()
            .allow(&bob(), Right::Publish, "till.sold")
            .unwrap();
        let link = Link::new("office").subscribe("till.**").unwrap();
        Self {
            server: link.serve(&bus, access).unwrap(),
            address: ([127, 0, 0, 1], 0).into(),
            heard,
            bus,
        }
    }

    pub(crate) async fn secured(tls: &TlsServer) -> Self {
        let mut office = Self::new();
        let listener = TcpListener::bind(office.address).await.unwrap();
        office.address = listener.local_addr().unwrap();
        let secrets = Secrets::none()
            .add(&bob(), secret(1))
            .add(&Identity::new("carol"), secret(2));
        office.server.listen_tls(listener, tls, secrets).unwrap();
        office
    }

    pub(crate) async fn plain() -> Self {
        let mut office = Self::new();
        let listener = TcpListener::bind(office.address).await.unwrap();
        office.address = listener.local_addr().unwrap();
        office.server.listen_tcp(listener, bob()).unwrap();
        office
    }

    /// Lets a client in, and hears it.
    pub(crate) async fn lets_in(self, link: Link, tls: &TlsClient) -> String {
        let till = till();
        let opened = self.bus.next::<LinkOpened>();
        let client = link.connect_tls(&till, self.address, tls).unwrap();
        till.emit(Sold { cents: 250 }).await;
        client.close(SOON).await.unwrap();
        assert_eq!(*self.heard.0.lock().unwrap(), [250]);
        opened.await.unwrap().peer.clone()
    }

    /// What a client is told that is not let in, and what is told here.
    pub(crate) async fn refuses(
        &self,
        connect: impl FnOnce(&Bus, SocketAddr) -> LinkClient,
    ) -> (String, String) {
        let till = till();
        let (told, own) = (till.next::<LinkLost>(), self.bus.next::<LinkLost>());
        let client = connect(&till, self.address);
        let told = told.within(SOON).await.expect("it is told");
        let own = own.within(SOON).await.expect("it is told here");
        drop(client);
        assert!(self.heard.0.lock().unwrap().is_empty());
        (told.why.clone(), own.why.clone())
    }
}

/// A server that lets in those with a certificate of its authority, and others if that is optional.
pub(crate) fn server_for(authority: &Authority, is_optional: bool) -> TlsServer {
    let card = authority.card("localhost");
    let server = TlsServer::builder(card.chain(), card.private_key());
    let server = server.client_roots(authority.roots());
    let server = if is_optional {
        server.optional_client_certificate()
    } else {
        server
    };
    server.build().unwrap()
}

/// A client of this authority with a certificate, of whomever that is.
pub(crate) fn client_with(authority: &Authority, card: &Card) -> TlsClient {
    let client = TlsClient::builder().roots(authority.roots());
    let client = client.certificate(card.chain(), card.private_key());
    client.build().unwrap().server_name("localhost").unwrap()
}

pub(crate) fn root_of(authority: &Authority) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()
}

pub(crate) fn names(params: &mut CertificateParams, names: &[&str]) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    params.subject_alt_names = CertificateParams::new(names).unwrap().subject_alt_names;
}

/// It was good in 2020.
pub(crate) fn past(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
}

pub(crate) fn till() -> Bus {
    let till = Bus::builder().on_failure(|_| ()).build().unwrap();
    till.on(|_: &LinkLost| ()).forever();
    till
}

pub(crate) fn sells() -> Link {
    let hour = Duration::from_secs(60 * 60);
    let link = Link::new("till").publish("till.sold").unwrap();
    // It is told once.
    link.backoff(hour, hour)
}
