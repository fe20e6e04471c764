// SPDX-License-Identifier: Apache-2.0
//! What must hold of networks and their segments in the database, beyond what its keys say.

use neutrino_core::Builder;

const INVARIANTS: &[(&str, &str)] = &[
    ("network without a segment", "SELECT id FROM networks WHERE id NOT IN (SELECT network_id FROM networksegments)"),
    (
        "network with a VXLAN id that is not marked as allocated",
        "SELECT network_id FROM networksegments WHERE network_type = 'vxlan' \
         AND segmentation_id NOT IN (SELECT vxlan_vni FROM ml2_vxlan_allocations WHERE allocated)",
    ),
    (
        "VXLAN id that is allocated and unused",
        "SELECT vxlan_vni FROM ml2_vxlan_allocations WHERE allocated \
         AND vxlan_vni NOT IN (SELECT segmentation_id FROM networksegments WHERE network_type = 'vxlan')",
    ),
    (
        "network with a VLAN id that is not marked as allocated",
        "SELECT n.network_id FROM networksegments n WHERE n.network_type = 'vlan' AND NOT EXISTS (SELECT 1 FROM ml2_vlan_allocations v \
         WHERE v.physical_network = n.physical_network AND v.vlan_id = n.segmentation_id AND v.allocated)",
    ),
    (
        "VLAN id that is allocated and unused",
        "SELECT v.vlan_id FROM ml2_vlan_allocations v WHERE v.allocated AND NOT EXISTS (SELECT 1 FROM networksegments n \
         WHERE n.network_type = 'vlan' AND v.physical_network = n.physical_network AND v.vlan_id = n.segmentation_id)",
    ),
    (
        "flat network that is not allocated",
        "SELECT network_id FROM networksegments WHERE network_type = 'flat' \
         AND physical_network NOT IN (SELECT physical_network FROM ml2_flat_allocations)",
    ),
    (
        "flat allocation that no network uses",
        "SELECT physical_network FROM ml2_flat_allocations \
         WHERE physical_network NOT IN (SELECT physical_network FROM networksegments WHERE network_type = 'flat')",
    ),
];

pub fn register(builder: &mut Builder) {
    builder.invariants(INVARIANTS);
}
