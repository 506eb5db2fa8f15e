//! From names to addresses.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};

use crate::error::TransportError;

/// One or several addresses of TCP, or a name with a port that stands for them.
#[derive(Debug, Clone)]
pub(crate) enum Hosts {
    Name(String),
    Addrs(Vec<SocketAddr>),
}

impl Hosts {
    /// The name that was asked for, without the port; the address itself if there was none.
    #[cfg(feature = "tls")]
    pub(super) fn host(&self, addr: SocketAddr) -> String {
        let name = match self {
            Hosts::Name(name) => name.rsplit_once(':').map(|(host, _)| host),
            Hosts::Addrs(_) => None,
        };
        match name {
            Some(host) if !host.starts_with('[') => host.to_owned(),
            _ => addr.ip().to_string(),
        }
    }

    pub(crate) async fn resolve(self) -> Result<Vec<SocketAddr>, TransportError> {
        let (name, found) = match self {
            Hosts::Addrs(addrs) => (String::new(), addrs),
            Hosts::Name(name) => {
                check(&name)?;
                let found = tokio::net::lookup_host(&name).await.map(Iterator::collect);
                match found {
                    Ok(addrs) => (name, addrs),
                    Err(error) => return Err(TransportError::address(&name, Some(error))),
                }
            }
        };
        if found.is_empty() {
            return Err(TransportError::address(&name, None));
        }
        Ok(found)
    }
}

/// The usual slips.
fn check(name: &str) -> Result<(), TransportError> {
    let wrong = |why: String| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, why);
        Err(TransportError::address(name, Some(error)))
    };
    if let Some((scheme, rest)) = name.split_once("://") {
        let host = rest.split('/').next().unwrap_or(rest);
        return wrong(format!(
            "it is a URL: write the name and the port alone, `{}`",
            with_port(host, scheme)
        ));
    }
    let is_v6 = name.parse::<Ipv6Addr>().is_ok();
    match name.rsplit_once(':') {
        Some((_, port)) if !is_v6 && !port.ends_with(']') => match port.parse::<u16>() {
            Ok(_) => Ok(()),
            Err(_) => wrong(format!("`{port}` is no port: those are 0 to 65535")),
        },
        _ => wrong(format!(
            "it has no port: write `{}`",
            with_port(name, "http")
        )),
    }
}

/// The name with a port, as it may have been meant.
fn with_port(host: &str, scheme: &str) -> String {
    let port = if scheme == "https" { 443 } else { 80 };
    if host.parse::<Ipv6Addr>().is_ok() {
        format!("[{host}]:{port}")
    } else if host.contains(':') && !host.ends_with(']') {
        host.to_owned()
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn an_address_that_is_none_is_told_with_what_to_write() {
        for name in ["localhost:80", "127.0.0.1:0", "[::1]:80", "[fe80::1%lo]:1"] {
            assert!(check(name).is_ok(), "{name}");
        }
        for (name, words) in [
            ("127.0.0.1", "it has no port: write `127.0.0.1:80`"),
            ("::1", "it has no port: write `[::1]:80`"),
            ("[::1]", "it has no port: write `[::1]:80`"),
            (
                "a.example:99999",
                "`99999` is no port: those are 0 to 65535",
            ),
            (
                "https://a.example/b",
                "it is a URL: write the name and the port alone, `a.example:443`",
            ),
            (
                "http://localhost:8080",
                "it is a URL: write the name and the port alone, `localhost:8080`",
            ),
        ] {
            let error = check(name).unwrap_err().to_string();
            assert_eq!(error, format!("`{name}`: {words}"));
        }
    }
}
