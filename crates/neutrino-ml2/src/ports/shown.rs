// SPDX-License-Identifier: Apache-2.0
//! Attributes that other services bring to ports and that are only shown: `ip_allocation` (routed networks) and
//! `resource_request` (QoS). Off unless their service plugin is on.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Extension, Validator,
    attribute::{Default, Kind},
};

static IP_ALLOCATION: Extension = Extension::new("ip_allocation", "IP Allocation", "IP allocation extension.", "2016-06-10T23:00:00-00:00")
    .extends(&[("ports", &[Attribute::new("ip_allocation").filter().sort().column("ip_allocation", Kind::Text)])]);

/// Null until a QoS policy asks for resources; QoS loads it.
static RESOURCE_REQUEST: Extension =
    Extension::new("port-resource-request", "Port Resource Request", "Expose resource request to Port", "2018-05-08T10:00:00-00:00")
        .extends(&[("ports", &[Attribute::new("resource_request").default(Default::Unset).validate(Validator::DictOrNone(&[]))])]);

pub fn register_ip_allocation(builder: &mut Builder) {
    builder.extension(&IP_ALLOCATION);
}

pub fn register_resource_request(builder: &mut Builder) {
    builder.extension(&RESOURCE_REQUEST);
}
