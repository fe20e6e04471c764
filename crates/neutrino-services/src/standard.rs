// SPDX-License-Identifier: Apache-2.0
//! What every object with standard attributes has: a description, two times, a revision number.
//!
//! The rows are `standardattributes`; the engine writes them. A collection that is not loaded is passed over.

use neutrino_core::Builder;
use neutrino_model::{Attribute, Default, Extension, Kind, Validator};

const DESCRIPTION: &[Attribute] = &[Attribute::new("description")
    .post()
    .put()
    .default(Default::Str(""))
    .validate(Validator::String(Some(255)))
    .filter()
    .standard("description", Kind::Text)];
/// Address groups allow a longer one, and sort by it.
const LONG_DESCRIPTION: &[Attribute] = &[Attribute::new("description")
    .post()
    .put()
    .default(Default::Str(""))
    .validate(Validator::String(Some(1024)))
    .filter()
    .sort()
    .standard("description", Kind::Text)];
const TIMES: &[Attribute] = &[
    Attribute::new("created_at").default(Default::Null).standard("created_at", Kind::Time),
    Attribute::new("updated_at").default(Default::Null).standard("updated_at", Kind::Time),
];
const REVISION: &[Attribute] = &[Attribute::new("revision_number").default(Default::Null).filter().standard("revision_number", Kind::Int)];

static DESCRIPTIONS: Extension = Extension::new(
    "standard-attr-description",
    "standard-attr-description",
    "Extension to add descriptions to standard attributes",
    "2016-02-10T10:00:00-00:00",
)
.extends(&[
    ("networks", DESCRIPTION),
    ("subnets", DESCRIPTION),
    ("ports", DESCRIPTION),
    ("subnetpools", DESCRIPTION),
    ("logs", DESCRIPTION),
    ("local_ips", DESCRIPTION),
    ("routers", DESCRIPTION),
    ("floatingips", DESCRIPTION),
    ("ndp_proxies", DESCRIPTION),
    ("security_groups", DESCRIPTION),
    ("security_group_rules", DESCRIPTION),
    ("default_security_group_rules", DESCRIPTION),
    ("trunks", DESCRIPTION),
    ("segments", DESCRIPTION),
    ("network_segment_ranges", DESCRIPTION),
    ("address_groups", LONG_DESCRIPTION),
    ("policies", DESCRIPTION),
]);

static TIMESTAMPS: Extension = Extension::new(
    "standard-attr-timestamp",
    "Resource timestamps",
    "Adds created_at and updated_at fields to all Neutron resources that have Neutron standard attributes.",
    "2016-09-12T10:00:00-00:00",
)
.extends(&[
    ("networks", TIMES),
    ("subnets", TIMES),
    ("ports", TIMES),
    ("subnetpools", TIMES),
    ("logs", TIMES),
    ("local_ips", TIMES),
    ("routers", TIMES),
    ("floatingips", TIMES),
    ("ndp_proxies", TIMES),
    ("security_groups", TIMES),
    ("security_group_rules", TIMES),
    ("trunks", TIMES),
    ("segments", TIMES),
    ("network_segment_ranges", TIMES),
    ("address_groups", TIMES),
    ("policies", TIMES),
]);

static REVISIONS: Extension = Extension::new(
    "standard-attr-revisions",
    "Resource revision numbers",
    "This extension will display the revision number of neutron resources.",
    "2016-04-11T10:00:00-00:00",
)
.extends(&[
    ("networks", REVISION),
    ("subnets", REVISION),
    ("ports", REVISION),
    ("subnetpools", REVISION),
    ("logs", REVISION),
    ("local_ips", REVISION),
    ("routers", REVISION),
    ("floatingips", REVISION),
    ("ndp_proxies", REVISION),
    ("security_groups", REVISION),
    ("security_group_rules", REVISION),
    ("trunks", REVISION),
    ("segments", REVISION),
    ("network_segment_ranges", REVISION),
    ("address_groups", REVISION),
    ("policies", REVISION),
]);

static IF_MATCH: Extension = Extension::new(
    "revision-if-match",
    "If-Match constraints based on revision_number",
    "Extension indicating that If-Match based on revision_number is supported.",
    "2016-12-11T00:00:00-00:00",
)
.requires(&["standard-attr-revisions"]);

pub fn register(builder: &mut Builder) {
    builder.extension(&DESCRIPTIONS).extension(&TIMESTAMPS).extension(&REVISIONS).extension(&IF_MATCH);
}
