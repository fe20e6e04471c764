// SPDX-License-Identifier: Apache-2.0
//! Answers of Keystone that several servers share: `memcached_servers`.
//!
//! Owns: the two commands of memcached's text protocol that this takes, connections to its servers, the choice of a server
//! by an entry's name (that of python-memcached, so that the middleware's entries are found), and rest for a server that
//! failed. Refuses to own: what an entry means. Invariants: a memcached that is away, slow or talks nonsense costs one wait of
//! `socket_timeout` every `dead_retry`, and never a request; answers are bounded in size.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::options::OptionError;
use crate::sealed::{Protection, Seal};

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
const DEFAULT_PORT: u16 = 11211;
/// A line of the protocol is never longer.
const LINE: u64 = 1024;
const TOO_SLOW: &str = "no answer in time";
/// memcached takes longer times for moments since 1970.
const LONGEST_LIFE: u64 = 30 * 24 * 60 * 60;

/// How entries are shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memcached {
    /// `host:port`, `inet6:[address]:port`, `[address]:port` or `unix:/path`.
    pub servers: Vec<String>,
    pub protection: Protection,
    /// For connecting, and for each answer.
    pub socket_timeout: Duration,
    /// How long a server that failed is left alone.
    pub dead_retry: Duration,
    /// Connections kept to each server.
    pub pool_maxsize: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Tcp(String, u16),
    Unix(String),
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(path.to_owned()));
        }
        let text = text.strip_prefix("inet6:").or_else(|| text.strip_prefix("inet:")).unwrap_or(text);
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if port.is_empty() => DEFAULT_PORT,
            None => return None,
        };
        (!host.is_empty()).then(|| Self::Tcp(host.to_owned(), port))
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}
type Connection = BufReader<Box<dyn Stream>>;

struct Server {
    name: String,
    address: Address,
    idle: Mutex<Vec<Connection>>,
    dead_until: Mutex<Duration>,
}

enum Reply {
    Line(String),
    Value(Vec<u8>),
}

/// The shared cache.
pub(crate) struct Shared {
    servers: Vec<Server>,
    options: Memcached,
    life: u64,
    value_bytes: usize,
    clock: Arc<dyn Clock>,
}

impl Shared {
    /// # Errors
    /// An address is none.
    pub(crate) fn new(options: &Memcached, life: Duration, value_bytes: usize, clock: Arc<dyn Clock>) -> Result<Self, OptionError> {
        let server = |text: &String| {
            let address = Address::parse(text).ok_or_else(|| {
                OptionError::new("memcached_servers", format!("'{text}' is not host:port, inet6:[address]:port or unix:/path"))
            })?;
            Ok(Server { name: text.clone(), address, idle: Mutex::default(), dead_until: Mutex::default() })
        };
        let servers = options.servers.iter().map(server).collect::<Result<_, _>>()?;
        Ok(Self { servers, options: options.clone(), life: life.as_secs().clamp(1, LONGEST_LIFE), value_bytes, clock })
    }

    /// Keystone's answer about a token, if somebody kept it.
    pub(crate) async fn get(&self, token: &str) -> Option<Vec<u8>> {
        let seal = Seal::new(&self.options.protection, token);
        let server = self.server(&seal.name)?;
        let Reply::Value(value) = self.talk(server, format!("get {}\r\n", seal.name).as_bytes()).await? else { return None };
        let opened = seal.open(&value);
        if opened.is_none() {
            tracing::warn!(server = %server.name, "an entry in memcached was not written with our memcache_secret_key: it is passed over");
        }
        opened
    }

    /// Keeps Keystone's answer about a token.
    pub(crate) async fn set(&self, token: &str, answer: &[u8]) {
        let seal = Seal::new(&self.options.protection, token);
        let (Some(server), Some(value)) = (self.server(&seal.name), seal.close(answer)) else { return };
        let mut request = format!("set {} 0 {} {}\r\n", seal.name, self.life, value.len()).into_bytes();
        request.extend_from_slice(&value);
        request.extend_from_slice(b"\r\n");
        match self.talk(server, &request).await {
            Some(Reply::Line(answer)) if answer != "STORED" => tracing::debug!(server = %server.name, answer, "memcached keeps no entry"),
            _ => {}
        }
    }

    fn server(&self, name: &str) -> Option<&Server> {
        let hash = usize::try_from((CRC.checksum(name.as_bytes()) >> 16) & 0x7fff).ok()?;
        let server = self.servers.get(hash.checked_rem(self.servers.len())?)?;
        let dead_until = *server.dead_until.lock().unwrap_or_else(PoisonError::into_inner);
        (dead_until <= self.clock.elapsed()).then_some(server)
    }

    /// One command. A connection that waited may have been closed by the other side: then a new one is tried.
    async fn talk(&self, server: &Server, request: &[u8]) -> Option<Reply> {
        let waited = server.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut connection) = waited {
            match timeout(self.options.socket_timeout, self.exchange(&mut connection, request)).await {
                Ok(Ok(answer)) => {
                    self.keep(server, connection);
                    return Some(answer);
                }
                Ok(Err(_)) => {}
                Err(_) => {
                    self.rest(server, TOO_SLOW);
                    return None;
                }
            }
        }
        let fresh = async {
            let mut connection = connect(&server.address).await?;
            let answer = self.exchange(&mut connection, request).await?;
            Ok::<_, Error>((connection, answer))
        };
        match timeout(self.options.socket_timeout, fresh).await {
            Ok(Ok((connection, answer))) => {
                self.keep(server, connection);
                return Some(answer);
            }
            Ok(Err(error)) => self.rest(server, &error.to_string()),
            Err(_) => self.rest(server, TOO_SLOW),
        }
        None
    }

    /// Leaves a server alone for a while.
    fn rest(&self, server: &Server, error: &str) {
        let rest = self.options.dead_retry;
        tracing::warn!(server = %server.name, error, "memcached fails: left alone for {} s, Keystone is asked instead", rest.as_secs());
        *server.dead_until.lock().unwrap_or_else(PoisonError::into_inner) = self.clock.elapsed().saturating_add(rest);
        server.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn keep(&self, server: &Server, connection: Connection) {
        let mut idle = server.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.options.pool_maxsize {
            idle.push(connection);
        }
    }

    /// The answer is a line, or `VALUE name flags length`, the bytes, `END`.
    async fn exchange(&self, connection: &mut Connection, request: &[u8]) -> Result<Reply, Error> {
        connection.get_mut().write_all(request).await?;
        let head = line(connection).await?;
        let words: Vec<&str> = head.split(' ').collect();
        let ["VALUE", _, flags, length] = words.as_slice() else { return Ok(Reply::Line(head)) };
        let length: usize = length.parse().map_err(|_| nonsense(&head))?;
        if length > self.value_bytes {
            return Err(Error::new(ErrorKind::InvalidData, format!("an entry of {length} bytes")));
        }
        let mut value = vec![0; length];
        connection.read_exact(&mut value).await?;
        for expected in ["", "END"] {
            let end = line(connection).await?;
            if end != expected {
                return Err(nonsense(&end));
            }
        }
        // Bytes (0) and text (16); 1, 2, 4 and 8 are Python's own forms, which the middleware does not use.
        Ok(if matches!(*flags, "0" | "16") { Reply::Value(value) } else { Reply::Line(head) })
    }
}

async fn connect(address: &Address) -> Result<Connection, Error> {
    let stream: Box<dyn Stream> = match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Address::Tcp(host, port) => {
            let stream = TcpStream::connect((host.as_str(), *port)).await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    };
    Ok(BufReader::new(stream))
}

async fn line(connection: &mut Connection) -> Result<String, Error> {
    let mut bytes = Vec::new();
    connection.take(LINE).read_until(b'\n', &mut bytes).await?;
    let text = bytes.strip_suffix(b"\r\n").ok_or_else(|| nonsense(&String::from_utf8_lossy(&bytes)))?;
    String::from_utf8(text.to_vec()).map_err(|_| nonsense("bytes that are no text"))
}

fn nonsense(text: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("unexpected answer '{text:.60}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_python_memcached_reads_them() {
        let tcp = |host: &str, port| Some(Address::Tcp(host.to_owned(), port));
        for (text, address) in [
            ("cache", tcp("cache", 11211)),
            ("10.0.0.1:11212", tcp("10.0.0.1", 11212)),
            ("inet:cache:1", tcp("cache", 1)),
            ("inet6:[::1]:11211", tcp("::1", 11211)),
            ("[fd00::1]", tcp("fd00::1", 11211)),
            ("unix:/run/memcached.sock", Some(Address::Unix("/run/memcached.sock".to_owned()))),
            ("", None),
            (":1", None),
            ("cache:port", None),
            ("cache:70000", None),
            ("[::1", None),
            ("unix:", None),
        ] {
            assert_eq!(Address::parse(text), address, "{text}");
        }
    }
}
