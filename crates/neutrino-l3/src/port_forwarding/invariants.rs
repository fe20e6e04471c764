// SPDX-License-Identifier: Apache-2.0
//! What must hold of port forwardings in the database, beyond what its keys say.

use neutrino_core::Builder;

const INVARIANTS: &[(&str, &str)] = &[
    (
        "port forwarding to an address which its port does not have",
        "SELECT w.id FROM portforwardings w WHERE NOT EXISTS (SELECT 1 FROM ipallocations a \
         WHERE a.port_id = w.internal_neutron_port_id AND a.ip_address = w.internal_ip_address)",
    ),
    (
        "floating IP with port forwardings that leads to a port as a whole, or has no router",
        "SELECT DISTINCT f.id FROM floatingips f JOIN portforwardings w ON w.floatingip_id = f.id \
         WHERE f.fixed_port_id IS NOT NULL OR f.router_id IS NULL",
    ),
    (
        "floating IP with a router, but neither a port nor port forwardings",
        "SELECT f.id FROM floatingips f WHERE f.router_id IS NOT NULL AND f.fixed_port_id IS NULL \
         AND NOT EXISTS (SELECT 1 FROM portforwardings w WHERE w.floatingip_id = f.id)",
    ),
    (
        "port forwardings of a floating IP that share an outer port",
        "SELECT a.id FROM portforwardings a JOIN portforwardings b ON b.floatingip_id = a.floatingip_id AND b.protocol = a.protocol \
         AND b.id <> a.id WHERE a.external_port_start <= b.external_port_end AND b.external_port_start <= a.external_port_end",
    ),
];

pub(super) fn register(builder: &mut Builder) {
    builder.invariants(INVARIANTS);
}
