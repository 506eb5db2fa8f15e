//! The reasons for which TLS ends, in words that say what to do.

use std::error::Error;
use std::fmt;
use std::io;

use tokio_rustls::rustls::{self, AlertDescription};

use super::certificate;
use crate::connection::Side;

/// Says of an error what it means for a connection. `shaking` is the own side of a handshake that goes on.
pub(crate) fn why(error: io::Error, shaking: Option<Side>) -> io::Error {
    let text = match (error.kind(), rustls_error(&error)) {
        (_, Some(of_tls)) => words(of_tls, shaking),
        (kind, None) if shaking.is_some() && is_gone(kind) => {
            Some("the peer ended the connection in the TLS handshake".to_owned())
        }
        (io::ErrorKind::UnexpectedEof, None) => Some(
            "the peer ended the connection without ending TLS: what came may be cut short"
                .to_owned(),
        ),
        _ => None,
    };
    match text {
        Some(text) => io::Error::new(error.kind(), Explained { text, error }),
        None => error,
    }
}

/// What an error of TLS says to somebody who knows the two configurations; `None` if its own words are the best ones.
pub(crate) fn words(error: &rustls::Error, shaking: Option<Side>) -> Option<String> {
    use rustls::Error::{
        AlertReceived, InappropriateHandshakeMessage, InappropriateMessage, InvalidCertificate,
        InvalidMessage, NoCertificatesPresented,
    };
    match (error, shaking) {
        (AlertReceived(alert), _) => refusal(*alert).map(ToOwned::to_owned),
        (InvalidCertificate(error), side) => certificate::words(error, side),
        (NoCertificatesPresented, _) => Some(
            "the client shows no certificate, and `client_roots` wants one: a client says who it is with `.certificate(chain, private_key)`"
                .to_owned(),
        ),
        (InvalidMessage(_), Some(_)) => Some("what the peer sent is not TLS".to_owned()),
        (InappropriateHandshakeMessage { .. } | InappropriateMessage { .. }, Some(side)) => {
            let other = match side {
                Side::Client => "server",
                Side::Server => "client",
            };
            Some(format!("what the peer sent is not what a TLS {other} sends"))
        }
        _ => None,
    }
}

/// What it means that the peer ended TLS with this alert.
fn refusal(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => {
            "the server lets in only clients with a certificate: write `.certificate(chain, private_key)`"
        }
        AlertDescription::CertificateExpired => {
            "the peer does not accept the certificate of this side: it has expired, or is not valid yet"
        }
        AlertDescription::BadCertificate => {
            "the peer does not accept the certificate of this side: it has not the name that the peer asks for, or cannot be read"
        }
        AlertDescription::UnknownCA => {
            "the peer does not accept the certificate of this side: it is signed by nobody whom the peer trusts"
        }
        AlertDescription::DecryptError => {
            "the peer does not accept the certificate of this side: an authority whom the peer trusts has the name of the signer, but has not signed it"
        }
        AlertDescription::UnsupportedCertificate => {
            "the peer does not accept the certificate of this side: it is not one for a side of this kind, server or client"
        }
        AlertDescription::CertificateRevoked => {
            "the peer does not accept the certificate of this side: it was revoked"
        }
        AlertDescription::NoApplicationProtocol => {
            "the peer speaks none of the protocols of `alpn`"
        }
        _ => return None,
    })
}

/// Whether the peer ended the connection without a word.
pub(crate) fn is_gone(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    matches!(
        kind,
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
    )
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// An error with words of ours.
#[derive(Debug)]
struct Explained {
    text: String,
    error: io::Error,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Explained {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
