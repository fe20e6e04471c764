// SPDX-License-Identifier: Apache-2.0
//! Address groups: named sets of networks that security group rules refer to (`neutron/db/address_group_db.py`).
//!
//! Owns `address_groups` and `address_associations`. Addresses are kept in canonical text with their host bits clear, each once. A
//! group that a rule refers to cannot be deleted.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Loader, Op, loading::of_page};
use neutrino_db::{Arg, Dialect, Row, Sql, args};
use neutrino_model::{
    Action, Attribute, Body, Converter, Extension, Page, Record, Resource, Validator, View, Visibility,
    attribute::{Default, Kind, common},
    owned_or_shared, rbac_exists,
};
use neutrino_types::{Error, Kind as ErrorKind, Result, cidr::Cidr, error::kinds};
use serde_json::{Value, json};

const NOT_FOUND: ErrorKind = ErrorKind::new("AddressGroupNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("AddressGroupInUse", 409);
const ADDRESSES_NOT_FOUND: ErrorKind = ErrorKind::new("AddressesNotFound", 404);
const ADDRESSES_ALREADY_EXIST: ErrorKind = ErrorKind::new("AddressesAlreadyExist", 400);
/// The name under which Neutron's callers know an address that cannot be read.
const ADDRESS_FORMAT: ErrorKind = ErrorKind::new("AddrFormatError", 400);

/// `standardattributes.description` takes no more, whatever the attribute's own limit says.
const MAX_DESCRIPTION: usize = 255;
/// Rows of one INSERT.
const CHUNK: usize = 100;

static RESOURCE: Resource = Resource::new(
    "address_groups",
    "address_group",
    "address-groups",
    "address_groups",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        common::TENANT_ID,
        Attribute::new("addresses").post().default(Default::Unset).convert(Converter::NoneToEmptyList).validate(Validator::SubnetList),
        Attribute::new("shared")
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .hidden()
            .expr(rbac_exists!("addressgrouprbacs", "access_as_shared"), Kind::Bool),
    ],
)
.standard("address_groups")
.visibility(Visibility::Sql(owned_or_shared!("addressgrouprbacs")))
.actions(&[
    Action { name: "add_addresses", method: "PUT", member: true },
    Action { name: "remove_addresses", method: "PUT", member: true },
]);

static EXTENSION: Extension = Extension::new("address-group", "Address group", "Support address group", "2020-07-15T10:00:00-00:00")
    .requires(&["security-group"])
    .resources(&[&RESOURCE]);

struct AddressGroups;

#[async_trait]
impl Behaviour for AddressGroups {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        description_fits(body)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        op.insert(id, body, &[]).await?;
        let addresses = canonical(body.list("addresses").unwrap_or_default())?;
        if addresses.is_empty() {
            return Ok(());
        }
        insert(op, id, &addresses).await?;
        // In Neutron each address raises the revision of the new group.
        let revision = i64::try_from(addresses.len()).unwrap_or(i64::MAX);
        let text =
            "UPDATE standardattributes SET revision_number = ? WHERE id = (SELECT standard_attr_id FROM address_groups WHERE id = ?)";
        op.tx.execute(text, args![revision, id]).await?;
        Ok(())
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        description_fits(body)
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        // A rule that would refer to the group from now on waits, and finds it gone.
        op.lock("address_groups", original.id()).await?;
        let text = "SELECT count(*) FROM securitygrouprules WHERE remote_address_group_id = ?";
        let rules = op.tx.count(text, args![original.id()]).await?;
        if rules > 0 {
            return Err(
                IN_USE.error(format!("Address group {} is in use by {rules} security group rules; delete them first.", original.id()))
            );
        }
        op.delete(original).await
    }

    async fn action(&self, engine: &Engine, cx: &Context, name: &str, id: &str, request: &Value) -> Result<(u16, Value)> {
        let adding = match name {
            "add_addresses" => true,
            "remove_addresses" => false,
            _ => return Err(kinds::NOT_IMPLEMENTED.error(format!("The action {name} is not supported."))),
        };
        let Some(addresses) = request.get("addresses").and_then(Value::as_array) else {
            return Err(kinds::BAD_REQUEST.error(format!("{name} needs a body with 'addresses', a list of IP networks.")));
        };
        let change = Change { id: id.to_owned(), addresses: canonical(addresses)?, adding };
        engine
            .transact(cx, "address_groups", "change addresses", move |op| {
                let change = change.clone();
                Box::pin(async move { change.run(op).await })
            })
            .await?;
        let record = engine.original(cx, "address_groups", None, id).await?;
        Ok((200, json!({"address_group": shown(&record)?})))
    }
}

/// Addresses to put into a group, or to take out of it.
#[derive(Clone)]
struct Change {
    id: String,
    addresses: BTreeSet<String>,
    adding: bool,
}

impl Change {
    async fn run(self, op: &mut Op<'_>) -> Result<()> {
        let Self { id, addresses, adding } = self;
        let standard = op.lock("address_groups", &id).await?.ok_or_else(|| not_found(&id))?;
        let rows = op.tx.query("SELECT address FROM address_associations WHERE address_group_id = ?", args![id.as_str()]).await?;
        let held = rows.iter().map(|row| row.text(0)).collect::<Result<BTreeSet<_>>>()?;
        if adding {
            let known: Vec<&str> = addresses.intersection(&held).map(String::as_str).collect();
            if !known.is_empty() {
                return Err(ADDRESSES_ALREADY_EXIST.error(format!("Address group {id} has these addresses already: {}.", some(&known))));
            }
            insert(op, &id, &addresses).await?;
        } else {
            let unknown: Vec<&str> = addresses.difference(&held).map(String::as_str).collect();
            if !unknown.is_empty() {
                return Err(ADDRESSES_NOT_FOUND.error(format!("Address group {id} does not have these addresses: {}.", some(&unknown))));
            }
            let mut sql = Sql::new("DELETE FROM address_associations WHERE address_group_id = ? AND ", args![id.as_str()]);
            sql.append(Sql::in_texts(op.tx.dialect(), "address", addresses.iter().map(String::as_str)));
            op.tx.run(sql).await?;
        }
        if !addresses.is_empty() {
            op.touch(standard);
        }
        Ok(())
    }
}

/// The first of many, for a sentence.
fn some(addresses: &[&str]) -> String {
    let first = addresses.iter().take(8).copied().collect::<Vec<_>>().join(", ");
    if addresses.len() > 8 { format!("{first}, and {} more", addresses.len() - 8) } else { first }
}

async fn insert(op: &mut Op<'_>, id: &str, addresses: &BTreeSet<String>) -> Result<()> {
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    for chunk in addresses.chunks(CHUNK) {
        let rows = vec!["(?, ?)"; chunk.len()].join(", ");
        let values = chunk.iter().flat_map(|address| [Arg::from(*address), Arg::from(id)]).collect();
        op.tx.execute(&format!("INSERT INTO address_associations (address, address_group_id) VALUES {rows}"), values).await?;
    }
    Ok(())
}

/// Networks in canonical text, sorted, each once.
fn canonical(addresses: &[Value]) -> Result<BTreeSet<String>> {
    let one = |value: &Value| match value.as_str().map(Cidr::parse_with_address) {
        Some(Ok((_, cidr))) => Ok(cidr.to_string()),
        _ => {
            let text: String = value.to_string().chars().take(64).collect();
            Err(ADDRESS_FORMAT.error(format!("{text} is no IP network; write it as 10.0.0.0/8 or 2001:db8::/32.")))
        }
    };
    addresses.iter().map(one).collect()
}

fn description_fits(body: &Body) -> Result<()> {
    if body.str("description").is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(
            kinds::BAD_REQUEST.error(format!("Invalid input for description. Reason: it is longer than {MAX_DESCRIPTION} characters."))
        );
    }
    Ok(())
}

fn not_found(id: &str) -> Error {
    NOT_FOUND.error(format!("Address group {id} could not be found."))
}

/// What the actions answer with.
fn shown(record: &Record) -> Result<Value> {
    let mut text = Vec::new();
    View::new(record.table(), |_| true).write(record, &mut text);
    let mut value: Value = serde_json::from_slice(&text).map_err(|e| Error::internal(format!("an address group is no JSON: {e}")))?;
    // Neutron hides it everywhere but here.
    value["shared"] = record.get("shared").clone();
    Ok(value)
}

/// Fills `addresses`, in the order of their text.
struct Addresses;

#[async_trait]
impl Loader for Addresses {
    fn fills(&self) -> &'static [&'static str] {
        &["addresses"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT address_group_id, address FROM address_associations WHERE ");
        sql.append(of_page(dialect, "address_group_id", page)).push(" ORDER BY address");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill("addresses", &json!([]));
        for row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                page.push(*at, "addresses", row.text(1)?.into());
            }
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour("address_groups", AddressGroups).loader("address_groups", Addresses);
}
