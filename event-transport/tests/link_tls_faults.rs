//! Links over TLS through a proxy that breaks them: what is published arrives, in order, at least once.
#![cfg(all(feature = "tls", feature = "wire"))]

#[path = "support/proxy.rs"]
mod proxy;
#[allow(dead_code, reason = "each test program uses a part of it")]
#[path = "support/shop.rs"]
mod shop;
#[path = "support/tls.rs"]
mod tls;

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proxy::Fault;
use shop::{SOON, Way, bob, bought, setting, survive};
use tidings::Bus;
use tidings::transport::tls::{TlsClient, TlsServer};
use tidings::transport::wire::{Limits, Link, LinkClient, LinkServer, Secret, Secrets};
use tls::Authority;
use tokio::net::TcpListener;

/// The client is known by its certificate, or without one by its secret.
struct OverTls {
    server: TlsServer,
    client: TlsClient,
    secret: Option<Secret>,
}

impl OverTls {
    fn with_certificate() -> Self {
        let authority = Authority::new("tests");
        let (server, client) = (authority.card("localhost"), authority.card("bob"));
        let server = TlsServer::builder(server.chain(), server.private_key());
        let client = TlsClient::builder().certificate(client.chain(), client.private_key());
        let client = client.roots(authority.roots()).build().unwrap();
        Self {
            server: server.client_roots(authority.roots()).build().unwrap(),
            client: client.server_name("localhost").unwrap(),
            secret: None,
        }
    }

    fn with_secret() -> Self {
        let (client, server) = tls::both();
        Self {
            server,
            client,
            secret: Some(Secret::new([7; 32]).unwrap()),
        }
    }
}

impl Way for OverTls {
    fn listen(&self, server: &LinkServer, listener: TcpListener) {
        let secrets = self
            .secret
            .clone()
            .map(|secret| Secrets::none().add(&bob(), secret));
        let secrets = secrets.unwrap_or_default();
        server.listen_tls(listener, &self.server, secrets).unwrap();
    }

    fn connect(&self, link: Link, bus: &Bus, address: SocketAddr) -> LinkClient {
        let link = match &self.secret {
            Some(secret) => link.credentials(&bob(), secret.clone()),
            None => link,
        };
        link.connect_tls(bus, address, &self.client).unwrap()
    }
}

#[tokio::test]
async fn events_arrive_across_cuts() {
    survive(&OverTls::with_certificate(), &[Fault::Cut, Fault::Cut]).await;
}

#[tokio::test]
async fn events_arrive_across_resets() {
    survive(&OverTls::with_secret(), &[Fault::Reset, Fault::Reset]).await;
}

#[tokio::test]
async fn events_arrive_when_connections_end_in_the_middle_of_records() {
    let faults = [Fault::After(5000), Fault::After(1501), Fault::After(300)];
    survive(&OverTls::with_secret(), &faults).await;
}

#[tokio::test]
async fn a_black_hole_is_noticed_and_events_arrive_after_it() {
    survive(&OverTls::with_certificate(), &[Fault::BlackHole]).await;
}

#[tokio::test]
async fn a_half_open_connection_is_noticed_and_its_duplicates_are_dropped() {
    let setting = survive(&OverTls::with_secret(), &[Fault::HalfOpen]).await;

    assert_eq!(setting.heard.all.lock().unwrap().len(), 101);
}

#[tokio::test]
async fn events_arrive_with_delay_and_in_pieces() {
    let way = OverTls::with_certificate();
    let setting = setting(&way, Limits::default(), |link| link).await;
    setting.client.opened().await.unwrap();
    setting.proxy.set(Fault::Drip(7, Duration::from_micros(50)));

    for number in 0..20 {
        setting.here.emit(bought(number)).await;
    }

    setting.heard.wait_for(20).await;
    setting.client.close(SOON).await.unwrap();
    assert_eq!(setting.heard.numbers(), (0..20).collect::<Vec<_>>());
    assert_eq!(setting.proxy.connections.load(Ordering::Relaxed), 1);
}
