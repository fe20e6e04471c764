// SPDX-License-Identifier: Apache-2.0
//! The few lines that a newcomer sees when the server starts without a configuration.
//!
//! Owns: their text. Written to a writer once the API answers. Invariant: what it says is so, also when the environment or the
//! command line changed what standalone would have chosen.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a standalone server runs with.
#[derive(Debug)]
pub struct Choices<'a> {
    pub scheme: &'a str,
    pub address: SocketAddr,
    /// The file of the database; `None` when the operator named another one.
    pub database: Option<String>,
    pub loaded: &'a str,
    /// Where agents are reached.
    pub messaging: &'a str,
}

impl Choices<'_> {
    /// Where a client on this machine reaches the API.
    fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("{}://{}", self.scheme, SocketAddr::new(ip, self.address.port()))
    }

    fn reach(&self) -> &'static str {
        if self.address.ip().is_loopback() { "only this machine can reach it" } else { "OTHER MACHINES CAN REACH IT" }
    }
}

/// Writes the banner.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, choices: &Choices<'_>) -> io::Result<()> {
    let (url, reach) = (choices.url(), choices.reach());
    let database = choices.database.as_deref().unwrap_or("as the environment or the command line says");
    writeln!(out, "neutron-server {}: standalone, because no configuration file was given or found", crate::VERSION)?;
    writeln!(out, "  API        {url}  (no authentication: every caller is an administrator; {reach})")?;
    writeln!(out, "  database   {database}  (kept across restarts)")?;
    writeln!(out, "  plugins    {}", choices.loaded)?;
    writeln!(out, "  messaging  {}", choices.messaging)?;
    writeln!(out, "Try:")?;
    writeln!(out, "  curl {url}/v2.0/extensions")?;
    writeln!(out, "  curl -H 'Content-Type: application/json' -d '{{\"network\": {{\"name\": \"net1\"}}}}' {url}/v2.0/networks")?;
    writeln!(out, "  export OS_AUTH_TYPE=none OS_ENDPOINT={url}")?;
    writeln!(out, "  openstack network create net2 && openstack subnet create --network net2 --subnet-range 192.0.2.0/24 sub2")?;
    writeln!(out, "Stop with Ctrl-C. `neutron-server --help` shows the flags.")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &str, database: Option<&str>) -> String {
        let mut out = Vec::new();
        let (address, database) = (address.parse().unwrap(), database.map(str::to_owned));
        write(&mut out, &Choices { scheme: "http", address, database, loaded: "ml2", messaging: "RabbitMQ on h:5672" }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_says_what_was_chosen_and_what_to_try() {
        let text = text("127.0.0.1:9696", Some("/s/neutron.sqlite"));
        for part in [
            "/s/neutron.sqlite",
            "OS_ENDPOINT=http://127.0.0.1:9696\n",
            "{\"network\": {\"name\": \"net1\"}}",
            "plugins    ml2",
            "messaging  RabbitMQ on h:5672",
            "only this",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.lines().count() < 15);
    }

    #[test]
    fn it_stays_true_when_something_else_was_chosen() {
        let text = text("[::]:1", None);
        for part in ["http://[::1]:1/v2.0", "OTHER MACHINES", "as the environment"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
