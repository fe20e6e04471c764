// SPDX-License-Identifier: Apache-2.0
//! An attribute that another service brings to ports and that is only shown: `ip_allocation` (routed networks). Off unless its service
//! plugin is on.

use neutrino_core::Builder;
use neutrino_model::{Attribute, Extension, attribute::Kind};

static IP_ALLOCATION: Extension = Extension::new("ip_allocation", "IP Allocation", "IP allocation extension.", "2016-06-10T23:00:00-00:00")
    .extends(&[("ports", &[Attribute::new("ip_allocation").filter().sort().column("ip_allocation", Kind::Text)])]);

pub fn register_ip_allocation(builder: &mut Builder) {
    builder.extension(&IP_ALLOCATION);
}
