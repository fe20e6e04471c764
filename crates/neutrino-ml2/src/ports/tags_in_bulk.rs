// SPDX-License-Identifier: Apache-2.0
//! Extension driver `tag_ports_during_bulk_creation`: ports of a bulk create may carry tags. Tags are another feature's: it takes
//! them from any create request, so this only announces it.

use neutrino_core::Builder;
use neutrino_model::Extension;

static EXTENSION: Extension = Extension::new(
    "tag-ports-during-bulk-creation",
    "Tag Ports During Bulk Creation",
    "Allow to tag ports during bulk creation",
    "2019-12-29T19:00:00-00:00",
);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}
