// SPDX-License-Identifier: Apache-2.0
//! Segments: what a network is made of beneath, as objects of their own, and routed networks, whose subnets each lie on one segment
//! (`neutron/services/segments`).
//!
//! Owns the collection `segments` (rows of `networksegments`), `segmenthostmappings`, the subnets' `segment_id` and the networks' `l2_adjacency` as
//! attributes, and the routes between the subnets of a routed network. Refuses to own: which segmentation ids are free (the core plugin's service),
//! the rules of `segment_id` (the subnets'), the choice of addresses. Invariants: a segment that a subnet or a bound port uses stays; a host is
//! mapped to a segment if an agent there reaches it.

mod hosts;
mod inventories;
mod routes;
mod rules;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Op, service_plugin};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Kind as ErrorKind, Result};
use oslo_config::Config;

const NOT_FOUND: ErrorKind = ErrorKind::new("SegmentNotFound", 404);

static RESOURCE: Resource = Resource::new(
    "segments",
    "segment",
    "segments",
    "networksegments",
    NOT_FOUND,
    &[
        common::ID,
        // Whoever asks; a segment belongs to its network.
        Attribute::new("tenant_id").post().validate(Validator::String(Some(255))).hidden().request_only(),
        Attribute::new("network_id").post().validate(Validator::Uuid).filter().sort().column("network_id", Kind::Text),
        Attribute::new("physical_network")
            .post()
            .default(Default::Unset)
            .validate(Validator::String(Some(64)))
            .filter()
            .sort()
            .column("physical_network", Kind::Text),
        Attribute::new("network_type").post().validate(Validator::String(Some(32))).filter().sort().column("network_type", Kind::Text),
        Attribute::new("segmentation_id")
            .post()
            .default(Default::Unset)
            .convert(Converter::ToInt)
            .sort()
            .column("segmentation_id", Kind::Int),
        Attribute::new("name")
            .post()
            .put()
            .default(Default::Unset)
            .validate(Validator::NameStringOrNone(Some(255)))
            .filter()
            .sort()
            .column("name", Kind::Text),
    ],
)
.standard("networksegments")
.no_bulk()
.visibility(Visibility::Everyone);

const SEGMENT_ID: Attribute = Attribute::new("segment_id")
    .post()
    .default(Default::Null)
    .validate(Validator::UuidOrNone)
    .filter()
    .sort()
    .column("segment_id", Kind::Text);

static SEGMENT: Extension = Extension::new("segment", "Segment", "Segments extension.", "2016-02-24T17:00:00-00:00")
    .requires(&["standard-attr-description"])
    .resources(&[&RESOURCE])
    .extends(&[("subnets", &[SEGMENT_ID])]);

static WRITABLE: Extension = Extension::new(
    "subnet-segmentid-writable",
    "Subnet SegmentID (writable)",
    "Provides a writable segment_id attribute for a subnet resource.",
    "2018-03-12T00:00:00-00:00",
)
.requires(&["segment"])
.extends(&[("subnets", &[SEGMENT_ID.put()])]);

static STANDARD: Extension = Extension::new(
    "standard-attr-segment",
    "Standard Attribute Segment Extension",
    "Add standard attributes to Segment resource",
    "2018-04-09T10:00:00-00:00",
)
.requires(&["segment"]);

static L2_ADJACENCY: Extension =
    Extension::new("l2_adjacency", "L2 Adjacency", "Display L2 Adjacency for Neutron Networks.", "2016-04-12T16:00:00-00:00").extends(&[(
        "networks",
        &[Attribute::new("l2_adjacency")
            .expr("NOT EXISTS (SELECT 1 FROM subnets l WHERE l.network_id = t.id AND l.segment_id IS NOT NULL)", Kind::Bool)],
    )]);

static PEER_ROUTES: Extension = Extension::new(
    "segments-peer-subnet-host-routes",
    "Segments peer-subnet host routes",
    "Add host routes to subnets on a routed network (segments)",
    "2018-06-12T10:00:00-00:00",
)
.requires(&["segment"]);

struct Segments;

#[async_trait]
impl Behaviour for Segments {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        rules::create(op, id, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        rules::delete(op, original).await
    }

    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        rules::before_create(body)
    }
}

/// Turns segments on where the operator wants them.
///
/// # Errors
/// A sentence for the operator: credentials that do not suffice.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    if !service_plugin(config, "segments") {
        return Ok(());
    }
    builder.extension(&SEGMENT).extension(&WRITABLE).extension(&STANDARD).extension(&L2_ADJACENCY).extension(&PEER_ROUTES);
    builder.behaviour("segments", Segments);
    builder.hook("agents", hosts::Reports).hook("networks", hosts::NewNetworks);
    builder.hook("subnets", routes::Routes);
    inventories::register(builder, config)
}
