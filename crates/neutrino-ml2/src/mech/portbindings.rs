// SPDX-License-Identifier: Apache-2.0
//! The attributes `binding:*` of ports: how a request sets them, how they are stored and shown.
//!
//! Owns the ACTIVE row of each port in `ml2_port_bindings` as far as requests go; that it becomes bound is [`super::bind`]'s.
//! Invariant: a change of host, VNIC type or profile unbinds the port and takes it DOWN, in the transaction of the change.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook, Loader, Op, loading::of_page};
use neutrino_db::{Arg, Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Choice, Extension, Page, Record, Validator, attribute::Default};
use neutrino_types::{Error, Kind, Result, error::kinds};
use serde_json::{Map, Value, json};

pub const PORT_IN_USE: Kind = Kind::new("PortInUse", 409);
pub const ALREADY_EXISTS: Kind = Kind::new("PortBindingAlreadyExists", 409);

pub const DVR_INTERFACE: &str = "network:router_interface_distributed";
const HOST: &str = "binding:host_id";
const PROFILE: &str = "binding:profile";
const VNIC_TYPE: &str = "binding:vnic_type";
const MAX_PROFILE_LENGTH: usize = 4095;
const MAX_HOST_LENGTH: usize = 255;

pub const VNIC_TYPES: Validator = Validator::Values(Some(&[
    Choice::Str("normal"),
    Choice::Str("direct"),
    Choice::Str("macvtap"),
    Choice::Str("baremetal"),
    Choice::Str("direct-physical"),
    Choice::Str("virtio-forwarder"),
    Choice::Str("smart-nic"),
    Choice::Str("vdpa"),
    Choice::Str("accelerator-direct"),
    Choice::Str("accelerator-direct-physical"),
    Choice::Str("remote-managed"),
]));

static EXTENSION: Extension = Extension::new(
    "binding",
    "Port Binding",
    "Expose port bindings of a virtual port to external application",
    "2014-02-03T10:00:00-00:00",
)
.extends(&[(
    "ports",
    &[
        Attribute::new("binding:vif_type").default(Default::Unset).enforce_policy(),
        Attribute::new("binding:vif_details").default(Default::Unset).validate(Validator::DictOrNone(&[])).enforce_policy(),
        Attribute::new(VNIC_TYPE).post().put().default(Default::Str("normal")).validate(VNIC_TYPES).enforce_policy(),
        Attribute::new(HOST).post().put().default(Default::Unset).filter().enforce_policy(),
        Attribute::new(PROFILE).post().put().default(Default::Unset).validate(Validator::DictOrNone(&[])).enforce_policy(),
    ],
)]);

/// A host of a request: text that fits its column, empty for null.
///
/// # Errors
/// `HTTPBadRequest`.
pub fn host(value: &Value) -> Result<&str> {
    match value {
        Value::Null => Ok(""),
        Value::String(text) if text.chars().count() <= MAX_HOST_LENGTH => Ok(text),
        _ => Err(kinds::BAD_REQUEST
            .error(format!("Invalid input for {HOST}. Reason: a host is a text of at most {MAX_HOST_LENGTH} characters."))),
    }
}

/// A profile as it is stored: empty text for an empty one.
///
/// # Errors
/// `InvalidInput` for one that its column cannot hold.
pub fn stored_profile(value: Option<&Value>) -> Result<String> {
    let Some(profile) = value.and_then(Value::as_object).filter(|profile| !profile.is_empty()) else { return Ok(String::new()) };
    let text = Value::Object(profile.clone()).to_string();
    if text.chars().count() > MAX_PROFILE_LENGTH {
        return Err(
            kinds::INVALID_INPUT.error(format!("The {PROFILE} value is too large: it may have {MAX_PROFILE_LENGTH} characters as JSON."))
        );
    }
    Ok(text)
}

/// A stored JSON object; empty for empty text and for what is none.
#[must_use]
pub fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// What a request asks of the binding, compared with what is.
struct Asked {
    host: String,
    vnic_type: String,
    profile: String,
}

impl Asked {
    fn of(original: Option<&Record>, body: &Body) -> Result<Self> {
        let was = |name: &str| original.map(|record| record.str(name).to_owned()).unwrap_or_default();
        Ok(Self {
            host: body.get(HOST).map_or_else(|| Ok(was(HOST)), |value| host(value).map(str::to_owned))?,
            vnic_type: body.str(VNIC_TYPE).map_or_else(|| was(VNIC_TYPE), str::to_owned),
            profile: match body.get(PROFILE) {
                Some(value) => stored_profile(Some(value))?,
                None => stored_profile(original.map(untrusted).as_ref())?,
            },
        })
    }
}

/// The profile without what the attribute `trusted` shows in it.
fn untrusted(record: &Record) -> Value {
    let mut profile = record.get(PROFILE).clone();
    if let (Value::Object(map), false) = (&mut profile, record.get("trusted").is_null()) {
        map.remove("trusted");
    }
    profile
}

struct Bindings;

#[async_trait]
impl Hook for Bindings {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        body.get(HOST).map_or(Ok(""), host).map(drop)
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        body.get(HOST).map_or(Ok(""), host).map(drop)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let mut asked = Asked::of(None, body)?;
        if body.str("device_owner") == Some(DVR_INTERFACE) {
            // Each host has a binding of its own.
            asked.host.clear();
        }
        if asked.vnic_type.is_empty() {
            "normal".clone_into(&mut asked.vnic_type);
        }
        insert(op, id, &asked).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let names_any = [HOST, VNIC_TYPE, PROFILE].iter().any(|name| body.get(name).is_some());
        if !names_any || original.str("device_owner") == DVR_INTERFACE {
            return Ok(());
        }
        let (asked, was) = (Asked::of(Some(original), body)?, stored_profile(Some(&untrusted(original)))?);
        let same_profile = asked.profile == was || object(&asked.profile) == object(&was);
        if asked.host == original.str(HOST) && asked.vnic_type == original.str(VNIC_TYPE) && same_profile {
            return Ok(());
        }
        if asked.vnic_type != original.str(VNIC_TYPE) && original.str("binding:vif_type") != "unbound" {
            return Err(PORT_IN_USE.error(format!(
                "Unable to change the VNIC type of port {} on network {}: it is bound, its device is {}; unbind it first.",
                original.id(),
                original.str("network_id"),
                original.str("device_id")
            )));
        }
        unbind(op, original, &asked).await
    }
}

async fn insert(op: &mut Op<'_>, id: &str, asked: &Asked) -> Result<()> {
    let columns = vec![
        ("port_id", id.into()),
        ("host", Arg::from(&asked.host)),
        ("vif_type", "unbound".into()),
        ("vnic_type", Arg::from(&asked.vnic_type)),
        ("profile", Arg::from(&asked.profile)),
        ("vif_details", "".into()),
        ("status", "ACTIVE".into()),
    ];
    op.insert_row("ml2_port_bindings", columns).await
}

/// Writes what is asked into the ACTIVE row and unbinds the port. The row of a port that lost it is made again.
async fn unbind(op: &mut Op<'_>, original: &Record, asked: &Asked) -> Result<()> {
    let id = original.id();
    super::l2pop::note_leaving(op, id, original.str(HOST)).await?;
    let text = "UPDATE ml2_port_bindings SET host = ?, vnic_type = ?, profile = ?, vif_type = 'unbound', vif_details = '' \
                WHERE port_id = ? AND status = 'ACTIVE'";
    let written = op.tx.execute(text, args![&asked.host, &asked.vnic_type, &asked.profile, id]).await;
    let result = match written {
        Ok(0) => insert(op, id, asked).await,
        other => other.map(drop),
    };
    result.map_err(|error| match error.is_duplicate("") {
        true => ALREADY_EXISTS
            .error(format!("Port {id} has an inactive binding on host {} already: activate that one, or delete it first.", asked.host)),
        false => error,
    })?;
    // Of whatever host: the row may have moved since the port was loaded. An INACTIVE binding keeps its own.
    let text = "DELETE FROM ml2_port_binding_levels WHERE port_id = ? AND NOT EXISTS (SELECT 1 FROM ml2_port_bindings b \
                WHERE b.port_id = ml2_port_binding_levels.port_id AND b.host = ml2_port_binding_levels.host AND b.status = 'INACTIVE')";
    op.tx.execute(text, args![id]).await?;
    op.tx.execute("UPDATE ports SET status = 'DOWN' WHERE id = ? AND status <> 'DOWN'", args![id]).await?;
    op.touch(original.standard_attr_id);
    Ok(())
}

#[async_trait]
impl Loader for Bindings {
    fn fills(&self) -> &'static [&'static str] {
        &["binding:vif_type", "binding:vif_details", VNIC_TYPE, HOST, PROFILE]
    }

    fn needs(&self) -> &'static [&'static str] {
        &["device_owner", "trusted"]
    }

    fn asks_by_id(&self) -> bool {
        true
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT b.port_id, b.host, b.vif_type, b.vnic_type, b.profile, b.vif_details, l.level, l.driver FROM ml2_port_bindings b \
             LEFT JOIN ml2_port_binding_levels l ON l.port_id = b.port_id AND l.host = b.host WHERE b.status = 'ACTIVE' AND ",
        );
        sql.append(of_page(dialect, "b.port_id", page));
        sql.push(" ORDER BY b.port_id, l.level");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        let mut bound = vec![false; page.rows.len()];
        for mut row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            let record = &mut page.rows[at];
            let level = row.opt_int(6)?.unwrap_or_default();
            if level == 0 {
                bound[at] = true;
                let mut text = |column| Ok::<_, Error>(row.take_text(column)?.unwrap_or_default());
                show(record, text(1)?, text(2)?, text(3)?, object(&text(4)?), object(&text(5)?));
            }
            if let Some(driver) = row.take_text(7)?.filter(|_| record.str("device_owner") != DVR_INTERFACE) {
                let mut details = match record.take("binding:vif_details") {
                    Value::Object(details) => details,
                    _ => Map::new(),
                };
                let drivers = details.entry("bound_drivers").or_insert_with(|| json!({}));
                drivers[level.to_string()] = driver.into();
                record.set("binding:vif_details", details);
            }
        }
        for (record, _) in page.rows.iter_mut().zip(bound).filter(|(_, bound)| !bound) {
            show(record, String::new(), "unbound".to_owned(), "normal".to_owned(), Map::new(), Map::new());
        }
        Ok(())
    }

    fn filter(&self, _cx: &Context, dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        if attribute != HOST {
            return Ok(None);
        }
        let hosts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        let mut sql = Sql::raw("EXISTS (SELECT 1 FROM ml2_port_bindings h WHERE h.port_id = t.id AND ");
        sql.append(Sql::in_texts(dialect, "h.host", hosts)).push(")");
        Ok(Some(sql))
    }
}

fn show(
    record: &mut Record,
    host: String,
    vif_type: String,
    vnic_type: String,
    mut profile: Map<String, Value>,
    details: Map<String, Value>,
) {
    if !record.get("trusted").is_null() {
        profile.insert("trusted".to_owned(), record.get("trusted").clone());
    }
    let (host, vif_type, details) = match record.str("device_owner") {
        DVR_INTERFACE => (String::new(), "distributed".to_owned(), Map::new()),
        _ => (host, vif_type, details),
    };
    record.set(HOST, host);
    record.set("binding:vif_type", vif_type);
    record.set("binding:vif_details", details);
    record.set(VNIC_TYPE, vnic_type);
    record.set(PROFILE, profile);
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", Bindings).loader("ports", Bindings);
}
