// SPDX-License-Identifier: Apache-2.0
//! Ranges of segmentation ids as objects: the operator's own from the configuration, those shared by all, those of one project
//! (`neutron/services/network_segment_range`).
//!
//! Owns `network_segment_ranges`. While it is on, these rows, not the configuration, say which ids networks may get: a project's networks get ids of
//! its own ranges first, then of the shared ones without those of other projects ([`stored`]). Invariants: ranges of one type and physical network
//! do not overlap, but with the default ones; a range whose ids networks use keeps them; the tables of allocations follow in the same transaction.

mod defaults;
mod rules;
pub mod stored;
mod used;

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Op, service_plugin};
use neutrino_model::{
    Attribute, Body, Choice, Converter, Extension, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Kind as ErrorKind, Result};
use oslo_config::Config;

use crate::type_drivers::TypeManager;

pub use defaults::Defaults;

const NOT_FOUND: ErrorKind = ErrorKind::new("NetworkSegmentRangeNotFound", 404);

const LIMITS: Validator = Validator::Range(Some(1), Some(4_294_967_295));

static RESOURCE: Resource = Resource::new(
    "network_segment_ranges",
    "network_segment_range",
    "network-segment-ranges",
    "network_segment_ranges",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("default").default(Default::Bool(false)).convert(Converter::ToBoolean).column("default", Kind::Bool),
        Attribute::new("shared").post().default(Default::Bool(true)).convert(Converter::ToBoolean).column("shared", Kind::Bool),
        common::PROJECT_ID,
        Attribute::new("network_type")
            .post()
            .default(Default::Unset)
            .validate(Validator::Values(Some(&[Choice::Str("vlan"), Choice::Str("vxlan"), Choice::Str("gre"), Choice::Str("geneve")])))
            .filter()
            .column("network_type", Kind::Text),
        Attribute::new("physical_network")
            .post()
            .default(Default::Unset)
            .validate(Validator::String(Some(64)))
            .filter()
            .column("physical_network", Kind::Text),
        Attribute::new("minimum").post().put().convert(Converter::ToInt).validate(LIMITS).column("minimum", Kind::Int),
        Attribute::new("maximum").post().put().convert(Converter::ToInt).validate(LIMITS).column("maximum", Kind::Int),
        Attribute::new("used"),
        Attribute::new("available").convert(Converter::NoneToEmptyList),
    ],
)
.standard("network_segment_ranges")
.visibility(Visibility::Everyone);

static EXTENSION: Extension = Extension::new(
    "network-segment-range",
    "Neutron Network Segment Range",
    "Provides support for the network segment range management",
    "2018-11-29T00:00:00-00:00",
)
.requires(&["provider"])
.resources(&[&RESOURCE]);

struct Ranges {
    types: Arc<TypeManager>,
}

#[async_trait]
impl Behaviour for Ranges {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        rules::before_create(&self.types, body)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        rules::create(op, &self.types, id, body).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        rules::update(op, &self.types, original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        rules::delete(op, &self.types, original).await
    }
}

/// Do rows of the database say which segmentation ids there are?
#[must_use]
pub fn is_on(config: &Config) -> bool {
    service_plugin(config, "network_segment_range")
}

pub fn register(builder: &mut Builder, config: &Config, types: Arc<TypeManager>) {
    if !is_on(config) {
        return;
    }
    builder.extension(&EXTENSION).loader("network_segment_ranges", used::Ids).behaviour("network_segment_ranges", Ranges { types });
}
