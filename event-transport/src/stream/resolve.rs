//! From names to addresses.

use std::net::SocketAddr;

use crate::error::TransportError;

/// One or several addresses of TCP, or a name with a port that stands for them.
#[derive(Debug, Clone)]
pub(super) enum Hosts {
    Name(String),
    Addrs(Vec<SocketAddr>),
}

impl Hosts {
    pub(super) async fn resolve(self) -> Result<Vec<SocketAddr>, TransportError> {
        let (name, found) = match self {
            Hosts::Addrs(addrs) => (String::new(), addrs),
            Hosts::Name(name) => {
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
