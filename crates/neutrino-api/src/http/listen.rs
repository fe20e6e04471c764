// SPDX-License-Identifier: Apache-2.0
//! What the listener may be told, and the listening socket made from it.
//!
//! Option names are Neutron's where Neutron has one; the unit is in the name.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

/// A listening address and how connections to it are served.
#[derive(Clone, Debug)]
pub struct ListenConfig {
    /// `bind_host`: an address or a name.
    pub bind_host: String,
    /// `bind_port`; 0 lets the system choose.
    pub bind_port: u16,
    /// `backlog`: connections that the kernel may hold before they are accepted.
    pub backlog: u32,
    /// `tcp_keepidle`, in seconds: idle time before TCP keepalive probes.
    pub tcp_keepidle_seconds: u32,
    /// Set when `use_ssl` is on.
    pub tls: Option<TlsConfig>,
    pub limits: Limits,
    /// One line in the log for each request.
    pub log_requests: bool,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            bind_host: "0.0.0.0".to_owned(),
            bind_port: 9696,
            backlog: 4096,
            tcp_keepidle_seconds: 600,
            tls: None,
            limits: Limits::default(),
            log_requests: true,
        }
    }
}

/// The `[ssl]` group.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// PEM file with the server's certificate, followed by its chain.
    pub cert_file: PathBuf,
    /// PEM file with the private key.
    pub key_file: PathBuf,
    /// PEM file with the authorities that clients' certificates must come from. When set, a client without one is refused.
    pub ca_file: Option<PathBuf>,
    /// `version`: `TLSv1_2` for that version alone, `SSLv23` (any) or unset for 1.2 and 1.3.
    pub version: Option<String>,
    /// `ciphers`: an OpenSSL cipher list. Not supported: refused when set.
    pub ciphers: Option<String>,
}

/// The bounds of everything that a client can make the server hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// `client_socket_timeout`, in seconds: a client that neither sends nor takes anything for so long is dropped. 0: never.
    pub client_socket_timeout_seconds: u64,
    /// `max_header_line`: bytes of one header line. Longer: 400.
    pub max_header_line_bytes: usize,
    /// Bytes of the request line. Longer: 414. Neutron's clients split their queries at 8192.
    pub max_request_line_bytes: usize,
    /// Bytes of all header lines together. More: 431.
    pub max_headers_bytes: usize,
    /// Number of header lines. More: 431.
    pub max_headers: usize,
    /// Bytes of one request's body. More: 413, without reading on.
    pub max_body_bytes: usize,
    /// Bytes of all bodies that are held at one time. More: 503.
    pub max_buffered_bytes: usize,
    /// Open connections. Further ones wait in the backlog.
    pub max_connections: usize,
    /// `wsgi_default_pool_size`: requests that are worked on at one time.
    pub wsgi_default_pool_size: usize,
    /// Requests that may wait for their turn. More: 503.
    pub max_waiting_requests: usize,
    /// `wsgi_keep_alive`: several requests on one connection.
    pub keep_alive: bool,
    /// `graceful_shutdown_timeout`, in seconds: how long a stopping listener waits for requests in flight. 0: as long as they take.
    pub graceful_shutdown_timeout_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_socket_timeout_seconds: 900,
            max_header_line_bytes: 16_384,
            max_request_line_bytes: 8192,
            max_headers_bytes: 65_536,
            max_headers: 100,
            max_body_bytes: 16 << 20,
            max_buffered_bytes: 256 << 20,
            max_connections: 4096,
            wsgi_default_pool_size: 100,
            max_waiting_requests: 1000,
            keep_alive: true,
            graceful_shutdown_timeout_seconds: 60,
        }
    }
}

impl Limits {
    /// The client's timeout; `None` when there is none.
    #[must_use]
    pub fn client_timeout(&self) -> Option<Duration> {
        (self.client_socket_timeout_seconds > 0).then(|| Duration::from_secs(self.client_socket_timeout_seconds))
    }
}

impl ListenConfig {
    /// Opens the listening socket.
    ///
    /// # Errors
    /// The name does not resolve, or the address cannot be bound; the message names the address.
    pub(super) fn open(&self) -> io::Result<std::net::TcpListener> {
        let place = format!("{}:{}", self.bind_host, self.bind_port);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {place}: {error}"));
        let addresses: Vec<SocketAddr> = (self.bind_host.as_str(), self.bind_port).to_socket_addrs().map_err(named)?.collect();
        let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
        for address in addresses {
            match self.open_at(address) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = error,
            }
        }
        Err(named(last))
    }

    fn open_at(&self, address: SocketAddr) -> io::Result<std::net::TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        // Accepted sockets inherit keepalive from the listening one.
        socket.set_keepalive(true)?;
        let idle = Duration::from_secs(u64::from(self.tcp_keepidle_seconds.clamp(1, 32_767)));
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle))?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[test]
    fn the_socket_has_the_options_that_were_asked_for() {
        let config = ListenConfig { bind_host: "127.0.0.1".to_owned(), bind_port: 0, tcp_keepidle_seconds: 77, ..ListenConfig::default() };
        let listener = config.open().unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(SockRef::from(&listener).reuse_address().unwrap());
        assert!(SockRef::from(&accepted).keepalive().unwrap());
        assert_eq!(SockRef::from(&accepted).tcp_keepalive_time().unwrap(), Duration::from_secs(77));
        drop(client);
    }

    #[test]
    fn what_cannot_be_bound_is_named() {
        let taken = ListenConfig { bind_host: "127.0.0.1".to_owned(), bind_port: 0, ..ListenConfig::default() }.open().unwrap();
        let port = taken.local_addr().unwrap().port();
        let again = ListenConfig { bind_host: "127.0.0.1".to_owned(), bind_port: port, ..ListenConfig::default() }.open();
        assert!(again.unwrap_err().to_string().contains(&format!("127.0.0.1:{port}")));
        let nowhere = ListenConfig { bind_host: "name.invalid".to_owned(), ..ListenConfig::default() }.open();
        assert!(nowhere.unwrap_err().to_string().contains("name.invalid:9696"));
    }
}
