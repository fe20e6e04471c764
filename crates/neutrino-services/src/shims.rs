// SPDX-License-Identifier: Apache-2.0
//! Extensions that only announce how the API behaves. The behaviour is in the dispatcher and the tables; nothing is stored.

use neutrino_core::Builder;
use neutrino_model::Extension;
use oslo_config::{Config, Opt};

pub static OPTIONS: &[Opt] = &[Opt::bool("neutrino", "ocata_extensions")
    .default("true")
    .help("Announce the extensions of Ocata that Neutron has renamed since, so that old clients find what they look for.")];

static PAGINATION: Extension =
    Extension::new("pagination", "Pagination support", "Extension that indicates that pagination is enabled.", "2016-06-12T00:00:00-00:00");
static SORTING: Extension =
    Extension::new("sorting", "Sorting support", "Extension that indicates that sorting is enabled.", "2016-06-12T00:00:00-00:00");
static PROJECT_ID: Extension = Extension::new(
    "project-id",
    "project_id field enabled",
    "Extension that indicates that project_id field is enabled.",
    "2016-09-09T09:09:09-09:09",
);
static FILTER_VALIDATION: Extension = Extension::new(
    "filter-validation",
    "Filter parameters validation",
    "Provides validation on filter parameters.",
    "2018-07-04T10:00:00-00:00",
);
static EMPTY_STRING_FILTERING: Extension = Extension::new(
    "empty-string-filtering",
    "Empty String Filtering Extension",
    "Allow filtering by attributes with empty string value",
    "2018-05-01T10:00:00-00:00",
);
static IP_SUBSTRING_FILTERING: Extension = Extension::new(
    "ip-substring-filtering",
    "IP address substring filtering",
    "Provides IP address substring filtering when listing ports",
    "2017-11-28T09:00:00-00:00",
);

/// Under these names Ocata announced tags; the API is the same.
static TAG: Extension =
    Extension::new("tag", "Tag support", "Enables to set tag on resources.", "2016-01-01T00:00:00-00:00").requires(&["standard-attr-tag"]);
static TAG_EXT: Extension = Extension::new(
    "tag-ext",
    "Tag support for resources: subnet, subnetpool, port, router",
    "Extends tag support to more L2 and L3 resources.",
    "2017-01-01T00:00:00-00:00",
)
.requires(&["tag"]);

pub fn register(builder: &mut Builder, config: &Config) {
    if config.bool("neutrino", "ocata_extensions") {
        builder.extension(&TAG).extension(&TAG_EXT);
    }
    builder.extension(&PAGINATION);
    builder.extension(&SORTING);
    builder.extension(&PROJECT_ID);
    builder.extension(&FILTER_VALIDATION);
    builder.extension(&EMPTY_STRING_FILTERING);
    builder.extension(&IP_SUBSTRING_FILTERING);
}
