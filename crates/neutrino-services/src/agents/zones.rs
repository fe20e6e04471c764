// SPDX-License-Identifier: Apache-2.0
//! Availability zones: the zones that DHCP and L3 agents said they are in. Nothing is stored beside the agents.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery};
use neutrino_db::{Tx, args};
use neutrino_model::{Attribute, Extension, Kind, Methods, Record, Resource, Visibility};
use neutrino_types::{Kind as ErrorKind, Result};

use super::{DHCP, L3};

const NOT_FOUND: ErrorKind = ErrorKind::new("AvailabilityZoneNotFound", 404);

static RESOURCE: Resource = Resource::new(
    "availability_zones",
    "availability_zone",
    "availability_zones",
    "agents",
    NOT_FOUND,
    &[Attribute::new("name").filter(), Attribute::new("resource").filter(), Attribute::new("state").filter()],
)
.virtual_rows()
.methods(Methods { list: true, show: false, create: false, update: false, delete: false })
.visibility(Visibility::Everyone);

static AVAILABILITY_ZONE: Extension =
    Extension::new("availability_zone", "Availability Zone", "The availability zone extension.", "2015-01-01T10:00:00-00:00")
        .requires(&["agent"])
        .resources(&[&RESOURCE])
        .extends(&[("agents", &[Attribute::new("availability_zone").filter().column("availability_zone", Kind::Text)])]);

static FILTER: Extension = Extension::new(
    "availability_zone_filter",
    "Availability Zone Filter Extension",
    "Add filter parameters to AvailabilityZone resource",
    "2018-06-22T10:00:00-00:00",
)
.requires(&["availability_zone"]);

pub fn register(builder: &mut Builder) {
    builder.extension(&AVAILABILITY_ZONE).extension(&FILTER).behaviour("availability_zones", Zones);
}

struct Zones;

#[async_trait]
impl Behaviour for Zones {
    async fn rows(&self, engine: &Engine, _cx: &Context, tx: &mut Tx, _parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let table = &engine.entry("availability_zones")?.table;
        let sql = "SELECT availability_zone, agent_type, max(CASE WHEN admin_state_up THEN 1 ELSE 0 END) FROM agents \
                   WHERE agent_type IN (?, ?) AND availability_zone <> '' GROUP BY availability_zone, agent_type \
                   ORDER BY availability_zone, agent_type";
        let rows = tx.query(sql, args![DHCP, L3]).await?;
        rows.iter()
            .map(|row| {
                let mut zone = Record::new(table.clone());
                zone.set("name", row.text(0)?);
                zone.set("resource", if row.text(1)? == DHCP { "network" } else { "router" });
                zone.set("state", if row.int(2)? > 0 { "available" } else { "unavailable" });
                Ok(zone)
            })
            .collect()
    }
}
