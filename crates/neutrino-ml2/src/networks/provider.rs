// SPDX-License-Identifier: Apache-2.0
//! Extensions `provider` and `multi-provider`: what a network is made of beneath, one segment or several.
//!
//! Owns the rows of `networksegments` that a network is made with, and their end. A network of one segment shows it in three attributes,
//! one of several shows the list `segments` instead. Rules: the two forms exclude each other in a request; of a network that is there only
//! the VLAN can be changed, while it has no port that is bound.

use async_trait::async_trait;
use neutrino_core::{Context, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, Tx, args};
use neutrino_model::{Attribute, Body, Converter, Extension, Page, Record, Validator, attribute::Default};
use neutrino_types::{Kind as ErrorKind, Result, error::kinds};
use serde_json::{Map, Value, json};

use crate::{
    mech,
    type_drivers::{Segment, TypeManager},
};

const SEGMENTS_WITH_PROVIDERS: ErrorKind = ErrorKind::new("SegmentsSetInConjunctionWithProviders", 400);
const DUPLICATE_SEGMENTS: ErrorKind = ErrorKind::new("SegmentsContainDuplicateEntry", 400);

const NETWORK_TYPE: &str = "provider:network_type";
const PHYSICAL_NETWORK: &str = "provider:physical_network";
const SEGMENTATION_ID: &str = "provider:segmentation_id";
const SEGMENTS: &str = "segments";

/// The most segments that one request may ask for.
const MOST_SEGMENTS: usize = 1000;

fn several(network: &Record) -> bool {
    network.get(SEGMENTS).is_array()
}

static PROVIDER: Extension =
    Extension::new("provider", "Provider Network", "Expose mapping of virtual networks to physical networks", "2012-09-07T10:00:00-00:00")
        .extends(&[(
            "networks",
            &[
                Attribute::new(NETWORK_TYPE)
                    .post()
                    .put()
                    .default(Default::Unset)
                    .validate(Validator::String(Some(32)))
                    .filter()
                    .enforce_policy()
                    .omit_when(several),
                Attribute::new(PHYSICAL_NETWORK)
                    .post()
                    .put()
                    .default(Default::Unset)
                    .validate(Validator::String(Some(64)))
                    .filter()
                    .enforce_policy()
                    .omit_when(several),
                Attribute::new(SEGMENTATION_ID)
                    .post()
                    .put()
                    .default(Default::Unset)
                    .convert(Converter::ToInt)
                    .filter()
                    .enforce_policy()
                    .omit_when(several),
            ],
        )]);

static MULTI_PROVIDER: Extension = Extension::new(
    "multi-provider",
    "Multi Provider Network",
    "Expose mapping of virtual networks to multiple physical networks",
    "2013-06-27T10:00:00-00:00",
)
.extends(&[(
    "networks",
    &[Attribute::new(SEGMENTS)
        .post()
        .put()
        .default(Default::Unset)
        .convert_list(Converter::KvpListToDict)
        .validate(Validator::NetworkSegments)
        .enforce_policy()
        .omit_when(|network| !several(network))],
)]);

pub fn register(builder: &mut neutrino_core::Builder) {
    builder.extension(&PROVIDER).extension(&MULTI_PROVIDER).loader("networks", Segments);
}

/// The segments that a create request asks for, judged; none when it leaves them to the server.
///
/// # Errors
/// 400 for what cannot be.
pub fn asked_for(types: &TypeManager, body: &Body) -> Result<Vec<Segment>> {
    let single = [NETWORK_TYPE, PHYSICAL_NETWORK, SEGMENTATION_ID].iter().any(|name| body.get(name).is_some_and(|v| !v.is_null()));
    let listed = body.list(SEGMENTS).unwrap_or_default();
    if !single {
        let empty = Map::new();
        let segments: Vec<Segment> =
            listed.iter().map(|item| judged(types, |name| item.as_object().unwrap_or(&empty).get(name))).collect::<Result<_>>()?;
        refuse_duplicates(types, &segments)?;
        return Ok(segments);
    }
    if body.get(SEGMENTS).is_some_and(|v| !v.is_null()) {
        return Err(SEGMENTS_WITH_PROVIDERS.error("Give either 'segments' or the provider attributes of one segment, not both."));
    }
    Ok(vec![judged(types, |name| body.get(name))?])
}

fn judged<'a>(types: &TypeManager, get: impl Fn(&str) -> Option<&'a Value>) -> Result<Segment> {
    let text = |name: &str| get(name).and_then(Value::as_str).map(str::to_owned);
    let Some(network_type) = text(NETWORK_TYPE) else {
        return Err(kinds::INVALID_INPUT.error("provider:network_type is required where another provider attribute is given."));
    };
    let physical_network = text(PHYSICAL_NETWORK);
    if physical_network.as_ref().is_some_and(|name| name.chars().count() > 64) {
        return Err(kinds::INVALID_INPUT.error("provider:physical_network has more than 64 characters."));
    }
    let segment = Segment { network_type, physical_network, segmentation_id: get(SEGMENTATION_ID).and_then(Value::as_i64) };
    types.validate(&segment)?;
    Ok(segment)
}

fn refuse_duplicates(types: &TypeManager, segments: &[Segment]) -> Result<()> {
    if segments.len() > MOST_SEGMENTS {
        return Err(kinds::INVALID_INPUT.error(format!("A network has at most {MOST_SEGMENTS} segments.")));
    }
    let mut seen = std::collections::HashSet::new();
    for segment in segments {
        if !types.is_partial(segment)? && !seen.insert(segment) {
            return Err(DUPLICATE_SEGMENTS.error("Two entries of 'segments' are the same."));
        }
    }
    Ok(())
}

/// Takes the segments of a new network.
///
/// # Errors
/// As [`asked_for`]; 409 for one that is in use, 503 when none is left; the database's.
pub async fn reserve(op: &mut Op<'_>, types: &TypeManager, body: &Body) -> Result<Vec<Segment>> {
    let asked = asked_for(types, body)?;
    if asked.is_empty() {
        let external = body.bool("router:external") == Some(true);
        return Ok(vec![types.allocate(op.cx, op.tx, external, body.project_id()).await?]);
    }
    let mut segments = Vec::with_capacity(asked.len());
    for segment in &asked {
        segments.push(types.reserve(op.cx, op.tx, segment, Some(body.project_id())).await?);
    }
    Ok(segments)
}

/// Writes the rows of a new network's segments.
///
/// # Errors
/// The database's.
pub async fn insert(op: &mut Op<'_>, network_id: &str, segments: &[Segment]) -> Result<()> {
    for (index, segment) in segments.iter().enumerate() {
        let now = op.cx.now();
        let standard = op
            .tx
            .insert_returning_id(
                "INSERT INTO standardattributes (resource_type, created_at, updated_at, revision_number) VALUES (?, ?, ?, ?)",
                args!["networksegments", now, now, 0],
            )
            .await?;
        let columns = vec![
            ("id", op.cx.new_id().into()),
            ("network_id", network_id.into()),
            ("network_type", (&segment.network_type).into()),
            ("physical_network", segment.physical_network.as_deref().into()),
            ("segmentation_id", segment.segmentation_id.into()),
            ("is_dynamic", false.into()),
            ("segment_index", i64::try_from(index).unwrap_or(i64::MAX).into()),
            ("standard_attr_id", standard.into()),
        ];
        op.insert_row("networksegments", columns).await?;
    }
    Ok(())
}

struct Stored {
    id: String,
    standard_attr_id: i64,
    is_dynamic: bool,
    segment: Segment,
}

async fn stored(tx: &mut Tx, network_id: &str) -> Result<Vec<Stored>> {
    let sql = "SELECT id, standard_attr_id, is_dynamic, network_type, physical_network, segmentation_id FROM networksegments \
               WHERE network_id = ? ORDER BY segment_index";
    let rows = tx.query(sql, args![network_id]).await?;
    rows.iter()
        .map(|row| {
            let segment = Segment { network_type: row.text(3)?, physical_network: row.opt_text(4)?, segmentation_id: row.opt_int(5)? };
            Ok(Stored { id: row.text(0)?, standard_attr_id: row.int(1)?, is_dynamic: row.bool(2)?, segment })
        })
        .collect()
}

/// The segments that a network was made with.
///
/// # Errors
/// The database's.
pub async fn of_network(tx: &mut Tx, network_id: &str) -> Result<Vec<Segment>> {
    Ok(stored(tx, network_id).await?.into_iter().filter(|s| !s.is_dynamic).map(|s| s.segment).collect())
}

/// Gives back all segments of a network that is about to go.
///
/// # Errors
/// The database's.
pub async fn delete(op: &mut Op<'_>, types: &TypeManager, network_id: &str) -> Result<()> {
    let segments = stored(op.tx, network_id).await?;
    for segment in &segments {
        types.release(op.tx, &segment.segment).await?;
    }
    op.tx.execute("DELETE FROM networksegments WHERE network_id = ?", args![network_id]).await?;
    let standard: Vec<i64> = segments.iter().map(|s| s.standard_attr_id).collect();
    let mut sql = Sql::raw("DELETE FROM standardattributes WHERE ");
    sql.append(Sql::in_ints(op.tx.dialect(), "id", &standard));
    op.tx.run(sql).await?;
    Ok(())
}

/// What an update request asks of the segments. A list of segments is passed over, as Neutron does.
///
/// # Errors
/// 400 for all but another VLAN of a network of one segment; 409 when that is in use; the database's.
pub async fn update(op: &mut Op<'_>, types: &TypeManager, original: &Record, body: &Body) -> Result<()> {
    for name in [NETWORK_TYPE, PHYSICAL_NETWORK] {
        if body.str(name).is_some_and(|asked| original.opt_str(name) != Some(asked)) {
            return Err(kinds::INVALID_INPUT.error(format!("{name} of a network cannot be changed.")));
        }
    }
    let Some(id) = body.int(SEGMENTATION_ID).filter(|id| *id != 0) else { return Ok(()) };
    let mut segments = stored(op.tx, original.id()).await?;
    segments.retain(|segment| !segment.is_dynamic);
    let [old] = segments.as_slice() else {
        return Err(kinds::INVALID_INPUT.error("provider:segmentation_id can be changed only of a network that has exactly one segment."));
    };
    ensure_not_bound(op, original.id()).await?;
    if old.segment.network_type != "vlan" {
        return Err(kinds::INVALID_INPUT.error("provider:segmentation_id can be changed only of a VLAN network."));
    }
    let new = Segment { segmentation_id: Some(id), ..old.segment.clone() };
    types.validate(&new)?;
    types.reserve(op.cx, op.tx, &new, Some(original.project_id())).await?;
    op.tx.execute("UPDATE networksegments SET segmentation_id = ? WHERE id = ?", args![id, &old.id]).await?;
    op.touch(old.standard_attr_id);
    types.release(op.tx, &old.segment).await
}

/// A port that is bound knows the VLAN, unless its agent follows a change of it.
async fn ensure_not_bound(op: &mut Op<'_>, network_id: &str) -> Result<()> {
    let drivers = mech::manager(op.engine);
    let free: Vec<&str> = ["unbound", "binding_failed"]
        .into_iter()
        .chain(drivers.drivers.iter().flat_map(|d| d.follows_segmentation_id()).copied())
        .collect();
    let mut sql = Sql::new(
        "SELECT count(*) FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id WHERE p.network_id = ? AND NOT (".to_owned(),
        args![network_id],
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "b.vif_type", free.iter().copied())).push(")");
    let bound = op.tx.count(&sql.text, sql.args).await?;
    if bound == 0 {
        return Ok(());
    }
    Err(kinds::INVALID_INPUT.error(format!(
        "provider:segmentation_id cannot be changed while {bound} port(s) of the network have another binding:vif_type than {}.",
        free.join(", ")
    )))
}

struct Segments;

#[async_trait]
impl Loader for Segments {
    fn fills(&self) -> &'static [&'static str] {
        &[NETWORK_TYPE, PHYSICAL_NETWORK, SEGMENTATION_ID, SEGMENTS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT network_id, network_type, physical_network, segmentation_id, segment_index FROM networksegments WHERE is_dynamic = ",
        );
        sql.bind(false).push(" AND ");
        sql.append(of_page(dialect, "network_id", page)).push(" ORDER BY network_id, segment_index");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        let mut segments: Vec<Vec<Value>> = vec![Vec::new(); page.rows.len()];
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            segments[at].push(json!({
                NETWORK_TYPE: row.text(1)?,
                PHYSICAL_NETWORK: row.opt_text(2)?,
                SEGMENTATION_ID: row.opt_int(3)?,
            }));
        }
        for (network, mut segments) in page.rows.iter_mut().zip(segments) {
            match segments.as_mut_slice() {
                [] => {}
                [segment] => {
                    for name in [NETWORK_TYPE, PHYSICAL_NETWORK, SEGMENTATION_ID] {
                        network.set(name, segment[name].take());
                    }
                }
                _ => network.set(SEGMENTS, segments),
            }
        }
        Ok(())
    }

    fn filter(&self, _cx: &Context, dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        let condition = match attribute {
            NETWORK_TYPE => Sql::in_texts(dialect, "s.network_type", values.iter().filter_map(Value::as_str)),
            PHYSICAL_NETWORK => Sql::in_texts(dialect, "s.physical_network", values.iter().filter_map(Value::as_str)),
            SEGMENTATION_ID => {
                let ids: Vec<i64> = values.iter().filter_map(Value::as_i64).collect();
                Sql::in_ints(dialect, "s.segmentation_id", &ids)
            }
            _ => return Ok(None),
        };
        let mut sql = Sql::raw("EXISTS (SELECT 1 FROM networksegments s WHERE s.network_id = t.id AND ");
        sql.append(condition).push(")");
        Ok(Some(sql))
    }
}
