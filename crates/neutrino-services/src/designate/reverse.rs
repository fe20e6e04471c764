// SPDX-License-Identifier: Apache-2.0
//! The names by which addresses are looked up backwards (RFC 1035 3.5, RFC 3596 2.5).

use std::net::IpAddr;

/// How reverse zones are cut and made.
#[derive(Debug)]
pub struct Zones {
    /// Bits of an address that name its zone: whole octets.
    pub ipv4_bits: u32,
    /// Whole half octets.
    pub ipv6_bits: u32,
    /// The contact of new zones, if it is not the domain's own.
    pub email: Option<String>,
}

/// The name of an address: `5.0.0.10.in-addr.arpa.`.
fn labels(address: IpAddr) -> (Vec<String>, &'static str) {
    match address {
        IpAddr::V4(v4) => (v4.octets().iter().rev().map(u8::to_string).collect(), "in-addr.arpa."),
        IpAddr::V6(v6) => {
            let octets = v6.octets();
            let nibbles = octets.iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            (nibbles.map(|nibble| format!("{nibble:x}")).collect(), "ip6.arpa.")
        }
    }
}

impl Zones {
    /// The name of an address, and that of the zone it is in.
    pub fn of(&self, address: IpAddr) -> (String, String) {
        let (labels, root) = labels(address);
        let host = match address {
            IpAddr::V4(_) => (32 - self.ipv4_bits.min(32)) / 8,
            IpAddr::V6(_) => (128 - self.ipv6_bits.min(128)) / 4,
        };
        let join = |labels: &[String]| format!("{}.{root}", labels.join("."));
        (join(&labels), join(labels.get(host as usize..).unwrap_or_default()))
    }

    /// The contact of a new zone for names of this domain.
    pub fn email(&self, domain: &str) -> String {
        self.email.clone().unwrap_or_else(|| format!("admin@{}", domain.trim_end_matches('.')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_zones() {
        let zones = Zones { ipv4_bits: 24, ipv6_bits: 120, email: None };
        let (name, zone) = zones.of("10.0.1.5".parse().unwrap());
        assert_eq!((name.as_str(), zone.as_str()), ("5.1.0.10.in-addr.arpa.", "1.0.10.in-addr.arpa."));
        let (name, zone) = zones.of("2001:db8::1f".parse().unwrap());
        let rest = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
        assert_eq!((name, zone), (format!("f.1.{rest}"), rest.to_owned()));
        let wide = Zones { ipv4_bits: 8, ..zones };
        assert_eq!(wide.of("10.0.1.5".parse().unwrap()).1, "10.in-addr.arpa.");
        assert_eq!(wide.email("example.org."), "admin@example.org");
    }
}
