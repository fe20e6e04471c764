// SPDX-License-Identifier: Apache-2.0
//! Tags: short texts on any object with standard attributes; lists are filtered by them.
//!
//! `GET|PUT|POST|DELETE /{collection}/{id}/tags` and `GET|PUT|DELETE .../tags/{tag}`. Rules: at most 255 characters each, at most 50 on one
//! object, none twice. A change raises the object's revision. The object is found through the caller's view of its collection.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Described, Engine, Facet, Hook, Loader, Op, loading::of_standard};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Extension, Page, Record, Validator, attribute::Default};
use neutrino_types::{Error, Kind, Result, error::kinds};
use serde_json::{Value, json};

const TAG_NOT_FOUND: Kind = Kind::new("TagNotFound", 404);

/// The most tags of one object.
const MAX_TAGS: usize = 50;
/// The most characters of one tag.
const MAX_LENGTH: usize = 255;

const COLLECTIONS: &[&str] = &[
    "networks",
    "subnets",
    "ports",
    "subnetpools",
    "security_groups",
    "routers",
    "floatingips",
    "trunks",
    "policies",
    "network_segment_ranges",
];

const TAGS: Attribute = Attribute::new("tags").filter();
const FILTERS: [Attribute; 3] = [
    Attribute::new("tags-any").hidden().filter(),
    Attribute::new("not-tags").hidden().filter(),
    Attribute::new("not-tags-any").hidden().filter(),
];
const ATTRIBUTES: &[Attribute] = &[TAGS, FILTERS[0], FILTERS[1], FILTERS[2]];
/// A create request for a port may carry tags.
const OF_PORTS: &[Attribute] = &[
    TAGS.post().default(Default::EmptyList).validate(Validator::ListOfUniqueStrings(Some(MAX_LENGTH))),
    FILTERS[0],
    FILTERS[1],
    FILTERS[2],
];

static EXTENSION: Extension = Extension::new(
    "standard-attr-tag",
    "Tag support for resources with standard attribute: port, subnet, subnetpool, network, security_group, router, floatingip, policy, trunk, network_segment_range, firewall_rule, firewall_group, firewall_policy",
    "Enables to set tag on resources with standard attribute.",
    "2017-01-01T00:00:00-00:00",
)
.extends(&[
    ("networks", ATTRIBUTES),
    ("subnets", ATTRIBUTES),
    ("ports", OF_PORTS),
    ("subnetpools", ATTRIBUTES),
    ("security_groups", ATTRIBUTES),
    ("routers", ATTRIBUTES),
    ("floatingips", ATTRIBUTES),
    ("trunks", ATTRIBUTES),
    ("policies", ATTRIBUTES),
    ("network_segment_ranges", ATTRIBUTES),
]);

static CREATION: Extension =
    Extension::new("tag-creation", "Tag creation extension", "Allow to create multiple tags for a resource", "2024-23-07T10:00:00-00:00")
        .requires(&["standard-attr-tag"]);

struct Tags;

#[async_trait]
impl Loader for Tags {
    fn fills(&self) -> &'static [&'static str] {
        &["tags", "tags-any", "not-tags", "not-tags-any"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT standard_attr_id, tag FROM tags WHERE ");
        sql.append(of_standard(dialect, "standard_attr_id", page)).push(" ORDER BY tag");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill("tags", &json!([]));
        let place: HashMap<i64, usize> = page.standard_attr_ids().into_iter().enumerate().map(|(at, id)| (id, at)).collect();
        for row in rows {
            if let Some(at) = place.get(&row.int(0)?) {
                page.push(*at, "tags", row.text(1)?.into());
            }
        }
        Ok(())
    }

    /// `tags`: all of them; `tags-any`: one of them; the `not-` forms are their opposites. A value may name several, with commas.
    fn filter(&self, _cx: &Context, dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        let names: Vec<&str> = values.iter().filter_map(Value::as_str).flat_map(|value| value.split(',')).collect();
        let has = |names: &[&str]| {
            let mut sql = Sql::raw("EXISTS (SELECT 1 FROM tags g WHERE g.standard_attr_id = t.standard_attr_id AND ");
            sql.append(Sql::in_texts(dialect, "g.tag", names.iter().copied())).push(")");
            sql
        };
        let sql = match attribute.trim_start_matches("not-") {
            "tags" => Sql::join(names.iter().map(|name| has(&[name])).collect(), " AND "),
            _ => has(&names),
        };
        if !attribute.starts_with("not-") {
            return Ok(Some(sql));
        }
        let mut opposite = Sql::raw("NOT (");
        opposite.append(sql).push(")");
        Ok(Some(opposite))
    }
}

/// Writes the tags of a create request.
struct AtCreate;

#[async_trait]
impl Hook for AtCreate {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        bounded(body.list("tags").unwrap_or_default().len())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let tags: Vec<&str> = body.list("tags").unwrap_or_default().iter().filter_map(Value::as_str).collect();
        if tags.is_empty() {
            return Ok(());
        }
        let row = op.tx.query_one("SELECT standard_attr_id FROM ports WHERE id = ?", args![id]).await?;
        let owner = row.ok_or_else(|| Error::internal(format!("port {id} has no row")))?.int(0)?;
        for tag in tags {
            add(op, owner, tag).await?;
        }
        Ok(())
    }
}

fn bounded(count: usize) -> Result<()> {
    if count <= MAX_TAGS {
        return Ok(());
    }
    Err(kinds::BAD_REQUEST_PLUGIN.error(format!("An object has at most {MAX_TAGS} tags; {count} were asked for.")))
}

/// Adds a tag; one that is there already stays.
async fn add(op: &mut Op<'_>, owner: i64, tag: &str) -> Result<()> {
    let known = op.tx.count("SELECT count(*) FROM tags WHERE standard_attr_id = ? AND tag = ?", args![owner, tag]).await?;
    if known == 0 {
        op.insert_row("tags", vec![("standard_attr_id", owner.into()), ("tag", tag.into())]).await?;
        op.touch(owner);
    }
    Ok(())
}

/// What a request does to the tags of an object.
enum Change {
    /// These and no other.
    Replace(Vec<String>),
    /// These beside those that are there.
    Add(Vec<String>),
    Remove(String),
    RemoveAll,
}

async fn apply(op: &mut Op<'_>, owner: i64, change: &Change) -> Result<()> {
    match change {
        Change::Replace(tags) => {
            let rows = op.tx.query("SELECT tag FROM tags WHERE standard_attr_id = ?", args![owner]).await?;
            for row in rows {
                let tag = row.text(0)?;
                if !tags.contains(&tag) {
                    op.tx.execute("DELETE FROM tags WHERE standard_attr_id = ? AND tag = ?", args![owner, tag]).await?;
                    op.touch(owner);
                }
            }
            for tag in tags {
                add(op, owner, tag).await?;
            }
        }
        Change::Add(tags) => {
            for tag in tags {
                add(op, owner, tag).await?;
            }
            let count = op.tx.count("SELECT count(*) FROM tags WHERE standard_attr_id = ?", args![owner]).await?;
            bounded(usize::try_from(count).unwrap_or(usize::MAX))?;
        }
        Change::Remove(tag) => {
            if op.tx.execute("DELETE FROM tags WHERE standard_attr_id = ? AND tag = ?", args![owner, tag]).await? == 0 {
                return Err(TAG_NOT_FOUND.error(format!("Tag {tag} could not be found.")));
            }
            op.touch(owner);
        }
        Change::RemoveAll => {
            if op.tx.execute("DELETE FROM tags WHERE standard_attr_id = ?", args![owner]).await? > 0 {
                op.touch(owner);
            }
        }
    }
    Ok(())
}

/// The list in a body: `{"tags": ["a", "b"]}`.
fn listed(body: &Value) -> Result<Vec<String>> {
    let invalid = |reason: String| kinds::INVALID_INPUT.error(format!("Invalid input for operation: {reason}."));
    let mut tags = body.get("tags").cloned().ok_or_else(|| invalid("the body must be {\"tags\": [...]}".to_owned()))?;
    let rule = Validator::ListOfUniqueStrings(Some(MAX_LENGTH));
    rule.check(&mut tags, &neutrino_model::Limits::default()).map_err(|e| invalid(e.into_error("tags").message().to_owned()))?;
    let tags: Vec<String> = tags.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    bounded(tags.len())?;
    Ok(tags)
}

#[async_trait]
impl Facet for Tags {
    fn path(&self) -> &'static str {
        "tags"
    }

    fn collections(&self) -> &'static [&'static str] {
        COLLECTIONS
    }

    fn describe(&self) -> Option<Vec<Described>> {
        let one = json!({"type": "string", "minLength": 1, "maxLength": MAX_LENGTH});
        let list = json!({"type": "array", "uniqueItems": true, "maxItems": MAX_TAGS, "items": one});
        let body = json!({"type": "object", "required": ["tags"], "properties": {"tags": list}});
        let all = |method, request, status, answer| Described { method, rest: "", request, status, answer };
        let one = |method, status, answer| Described { method, rest: "/{tag}", request: None, status, answer };
        Some(vec![
            all("GET", None, 200, Some(body.clone())),
            all("PUT", Some(body.clone()), 200, Some(body.clone())),
            all("POST", Some(body.clone()), 200, Some(body)),
            all("DELETE", None, 204, None),
            one("GET", 204, None),
            one("PUT", 201, Some(json!({"type": "null"}))),
            one("DELETE", 204, None),
        ])
    }

    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        parent: &Record,
        item: Option<&str>,
        method: &str,
        body: &Value,
    ) -> Result<(u16, Option<Value>)> {
        if item.is_some_and(|tag| tag.chars().count() > MAX_LENGTH) {
            return Err(kinds::INVALID_INPUT.error(format!("Invalid input for operation: a tag has at most {MAX_LENGTH} characters.")));
        }
        let (change, answer) = match (item, method) {
            (None, "GET") => return Ok((200, Some(json!({ "tags": parent.get("tags") })))),
            (Some(tag), "GET") => {
                let found = parent.list("tags").iter().any(|known| known == tag);
                return if found { Ok((204, None)) } else { Err(TAG_NOT_FOUND.error(format!("Tag {tag} could not be found."))) };
            }
            (None, "PUT") => (Change::Replace(listed(body)?), (200, Some(body.clone()))),
            (None, "POST") => (Change::Add(listed(body)?), (200, Some(body.clone()))),
            (Some(tag), "PUT") => (Change::Add(vec![tag.to_owned()]), (201, Some(Value::Null))),
            (Some(tag), "DELETE") => (Change::Remove(tag.to_owned()), (204, None)),
            (None, "DELETE") => (Change::RemoveAll, (204, None)),
            _ => return Err(kinds::METHOD_NOT_ALLOWED.error("Tags are read with GET, set with PUT or POST and removed with DELETE.")),
        };
        let (change, owner) = (Arc::new(change), parent.standard_attr_id);
        let collection = parent.table().resource.collection;
        engine
            .transact(cx, collection, "tags", move |op| {
                let change = change.clone();
                Box::pin(async move { apply(op, owner, &change).await })
            })
            .await?;
        Ok(answer)
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).extension(&CREATION).facet(Tags);
    for collection in COLLECTIONS {
        builder.loader_where_served(collection, Tags);
    }
    builder.hook("ports", AtCreate);
}
