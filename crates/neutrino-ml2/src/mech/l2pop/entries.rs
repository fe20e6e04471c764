// SPDX-License-Identifier: Apache-2.0
//! Forwarding entries as messages carry them: by network, by the address that a tunnel ends at, pairs of a MAC and an IP address.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::facts::Segment;

/// A MAC address and an IP address behind a tunnel.
pub type Entry = (String, String);

/// Stands for everything that is not known better.
pub fn flooding() -> Entry {
    ("00:00:00:00:00:00".to_owned(), "0.0.0.0".to_owned())
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Fdb(BTreeMap<(String, Segment), BTreeMap<String, Vec<Entry>>>);

impl Fdb {
    /// Adds entries that are not there yet.
    pub fn add(&mut self, network_id: &str, segment: &Segment, ip: &str, entries: impl IntoIterator<Item = Entry>) {
        let tunnels = self.0.entry((network_id.to_owned(), segment.clone())).or_default();
        let list = tunnels.entry(ip.to_owned()).or_default();
        for entry in entries {
            if !list.contains(&entry) {
                list.push(entry);
            }
        }
    }

    /// Puts all entries of a tunnel.
    pub fn set(&mut self, network_id: &str, segment: &Segment, ip: &str, entries: &[Entry]) {
        let tunnels = self.0.entry((network_id.to_owned(), segment.clone())).or_default();
        tunnels.entry(ip.to_owned()).or_insert_with(|| entries.to_vec());
    }

    pub fn is_empty(&self) -> bool {
        self.0.values().all(|tunnels| tunnels.values().all(Vec::is_empty))
    }

    /// The bodies of messages: one, unless ports of a network are on several of its segments.
    pub fn into_parts(self) -> Vec<Value> {
        let mut parts: Vec<Map<String, Value>> = Vec::new();
        for ((network_id, segment), tunnels) in self.0 {
            let said = json!({"segment_id": segment.segmentation_id, "network_type": segment.network_type, "ports": tunnels});
            match parts.iter_mut().find(|part| !part.contains_key(&network_id)) {
                Some(part) => _ = part.insert(network_id, said),
                None => parts.push(Map::from_iter([(network_id, said)])),
            }
        }
        parts.into_iter().map(Value::Object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(number: i64) -> Segment {
        Segment { network_type: "vxlan".to_owned(), segmentation_id: Some(number) }
    }

    fn entry(ip: &str) -> Entry {
        ("fa:16:3e:00:00:01".to_owned(), ip.to_owned())
    }

    #[test]
    fn entries_are_grouped_by_network_and_tunnel() {
        let mut fdb = Fdb::default();
        assert!(fdb.is_empty());
        fdb.add("n", &segment(5), "192.0.2.1", None);
        assert!(fdb.is_empty());
        fdb.add("n", &segment(5), "192.0.2.1", [flooding()]);
        fdb.add("n", &segment(5), "192.0.2.1", [entry("10.0.0.1"), flooding()]);
        fdb.add("m", &segment(6), "192.0.2.1", [entry("10.0.0.2")]);
        let parts = fdb.into_parts();
        let expected = json!({
            "n": {"segment_id": 5, "network_type": "vxlan",
                  "ports": {"192.0.2.1": [["00:00:00:00:00:00", "0.0.0.0"], ["fa:16:3e:00:00:01", "10.0.0.1"]]}},
            "m": {"segment_id": 6, "network_type": "vxlan", "ports": {"192.0.2.1": [["fa:16:3e:00:00:01", "10.0.0.2"]]}},
        });
        assert_eq!(parts, [expected]);
    }

    #[test]
    fn segments_of_one_network_are_told_apart() {
        let mut fdb = Fdb::default();
        fdb.add("n", &segment(5), "192.0.2.1", [entry("10.0.0.1")]);
        fdb.add("n", &segment(6), "192.0.2.2", [entry("10.0.0.2")]);
        let parts = fdb.into_parts();
        assert_eq!(parts.len(), 2);
        assert_eq!((&parts[0]["n"]["segment_id"], &parts[1]["n"]["segment_id"]), (&json!(5), &json!(6)));
    }
}
