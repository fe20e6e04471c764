// SPDX-License-Identifier: Apache-2.0
//! Tells systemd about the state of the service (`Type=notify`), by the datagrams of sd_notify(3).
//!
//! Owns: the socket's address and the messages. Invariant: without `$NOTIFY_SOCKET`, or when sending fails, nothing happens.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

pub const READY: &str = "READY=1";
pub const STOPPING: &str = "STOPPING=1";

/// Who is told. `None` inside: nobody.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    address: Option<SocketAddr>,
}

impl Notifier {
    /// From the value of `$NOTIFY_SOCKET`: a path, or `@name` in the abstract namespace.
    #[must_use]
    pub fn new(socket: Option<&str>) -> Notifier {
        Notifier { address: socket.filter(|name| !name.is_empty()).and_then(|name| address(name).ok()) }
    }

    /// Sends one message; lines are `NAME=value`.
    pub fn tell(&self, message: &str) {
        let Some(address) = &self.address else { return };
        let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(message.as_bytes(), address));
        if let Err(error) = sent {
            tracing::debug!("systemd was not told \"{message}\": {error}");
        }
    }
}

fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 100];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_path_and_an_abstract_name_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Notifier::new(path.to_str()).tell(READY);
        assert_eq!(heard(&socket), READY);

        let name = format!("neutrino-test-{}", std::process::id());
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Notifier::new(Some(&format!("@{name}"))).tell(STOPPING);
        assert_eq!(heard(&socket), STOPPING);
    }

    #[test]
    fn nobody_listening_is_no_fault() {
        Notifier::new(None).tell(READY);
        Notifier::new(Some("")).tell(READY);
        Notifier::new(Some("/nowhere/at/all")).tell(READY);
        Notifier::new(Some(&"x".repeat(500))).tell(READY);
    }
}
