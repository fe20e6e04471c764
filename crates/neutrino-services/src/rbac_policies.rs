// SPDX-License-Identifier: Apache-2.0
//! RBAC policies: which project may use an object of another one (`neutron/db/rbac_db_mixin.py`, `neutron/objects/rbac_db.py`).
//!
//! One API resource over a table for each type of object; the types are in [`TYPES`]. Owns the rules of these rows when a request writes
//! them; that `shared` and `router:external` write rows of their own is the business of the objects. Rules: only the owner of an object, or
//! an administrator, shares it; a policy that is taken away or moved must leave no project with things it can no longer see.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Op, rbac::EVERYONE};
use neutrino_db::{Dialect, Row, Sql, Tx, args};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Resource, Table, Validator, Visibility, attribute::Default,
    convert::rbac::convert_valid_object_type,
};
use neutrino_types::{Error, Kind as ErrorKind, Result, error::kinds};
use serde_json::Value;

use crate::qos;

const NOT_FOUND: ErrorKind = ErrorKind::new("RbacPolicyNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("RbacPolicyInUse", 409);
const DUPLICATE: ErrorKind = ErrorKind::new("DuplicateRbacPolicy", 409);
const INVALID_ACTION: ErrorKind = ErrorKind::new("InvalidActionForType", 400);

const SHARED: &str = "access_as_shared";
const EXTERNAL: &str = "access_as_external";

/// A type of object that can be shared.
#[derive(Debug)]
struct Type {
    name: &'static str,
    /// Of its objects.
    collection: &'static str,
    /// Its policies.
    table: &'static str,
    actions: &'static [Action],
    /// Is a change of its policies a change of the object?
    revises: bool,
    /// What turns sharing on; the type's own collection must be on, too.
    extension: &'static Extension,
}

/// What a policy lets a project do.
#[derive(Debug)]
struct Action {
    name: &'static str,
    /// SELECT of the projects (`project_id`) that do it with the object `?`.
    users: &'static str,
}

const fn shared(users: &'static str) -> Action {
    Action { name: SHARED, users }
}

static TYPES: &[Type] = &[
    Type {
        name: "network",
        collection: "networks",
        table: "networkrbacs",
        actions: &[
            shared("SELECT project_id FROM ports WHERE network_id = ?"),
            Action {
                name: EXTERNAL,
                users: "SELECT r.project_id FROM routers r JOIN ports p ON p.id = r.gw_port_id WHERE p.network_id = ?",
            },
        ],
        revises: true,
        extension: &EXTENSION,
    },
    Type {
        name: "qos_policy",
        collection: "policies",
        table: "qospolicyrbacs",
        actions: &[shared(qos::USERS)],
        revises: false,
        extension: &EXTENSION,
    },
    Type {
        name: "security_group",
        collection: "security_groups",
        table: "securitygrouprbacs",
        actions: &[shared(
            "SELECT p.project_id FROM securitygroupportbindings b JOIN ports p ON p.id = b.port_id WHERE b.security_group_id = ?",
        )],
        revises: false,
        extension: &OF_SECURITY_GROUPS,
    },
    Type {
        name: "address_scope",
        collection: "address_scopes",
        table: "addressscoperbacs",
        actions: &[shared("SELECT project_id FROM subnetpools WHERE address_scope_id = ?")],
        revises: false,
        extension: &OF_ADDRESS_SCOPES,
    },
    Type {
        name: "subnetpool",
        collection: "subnetpools",
        table: "subnetpoolrbacs",
        actions: &[shared("SELECT project_id FROM subnets WHERE subnetpool_id = ?")],
        revises: false,
        extension: &OF_SUBNET_POOLS,
    },
    Type {
        name: "address_group",
        collection: "address_groups",
        table: "addressgrouprbacs",
        actions: &[shared("SELECT project_id FROM securitygrouprules WHERE remote_address_group_id = ?")],
        revises: false,
        extension: &OF_ADDRESS_GROUPS,
    },
];

static RESOURCE: Resource = Resource::new(
    "rbac_policies",
    "rbac_policy",
    "rbac-policies",
    "",
    NOT_FOUND,
    &[
        Attribute::new("id").validate(Validator::Uuid).filter().primary_key(),
        Attribute::new("object_type")
            .post()
            .default(Default::Null)
            .convert(Converter::Custom { name: "rbac.convert_valid_object_type", convert: convert_valid_object_type })
            .filter()
            .enforce_policy(),
        Attribute::new("object_id").post().validate(Validator::Uuid).filter().enforce_policy(),
        Attribute::new("target_tenant").post().put().validate(Validator::ValidTargetProject).filter().enforce_policy(),
        Attribute::new("tenant_id").post().validate(Validator::String(Some(255))).filter().required_by_policy(),
        Attribute::new("action").post().validate(Validator::String(Some(255))).filter().enforce_policy(),
    ],
)
.virtual_rows()
.no_bulk()
.visibility(Visibility::Owner);

static EXTENSION: Extension = Extension::new(
    "rbac-policies",
    "RBAC Policies",
    "Allows creation and modification of policies that control project access to resources.",
    "2015-06-17T12:15:12-00:00",
)
.resources(&[&RESOURCE]);

static OF_ADDRESS_SCOPES: Extension =
    Extension::new("rbac-address-scope", "Add address_scope type to RBAC", "Add address_scope type to RBAC", "2020-02-12T00:00:00-00:00")
        .requires(&["address-scope", "rbac-policies"]);
static OF_ADDRESS_GROUPS: Extension = Extension::new(
    "rbac-address-group",
    "Add address_group type to RBAC",
    "Add address_group type to network RBAC",
    "2021-01-20T00:00:00-00:00",
)
.requires(&["address-group", "rbac-policies"]);
static OF_SECURITY_GROUPS: Extension = Extension::new(
    "rbac-security-groups",
    "Add security_group type to network RBAC",
    "Add security_group type to network RBAC",
    "2019-02-14T00:00:00-00:00",
)
.requires(&["security-group", "rbac-policies"]);
static OF_SUBNET_POOLS: Extension =
    Extension::new("rbac-subnetpool", "Add subnetpool type to RBAC", "Add subnetpool type to RBAC", "2020-02-05T00:00:00-00:00")
        .requires(&["rbac-policies"]);

fn type_named(name: &str) -> Result<&'static Type> {
    TYPES.iter().find(|t| t.name == name).ok_or_else(|| Error::internal(format!("no type of shared object is called \"{name}\"")))
}

/// One policy.
#[derive(Clone, Debug)]
struct Policy {
    of: &'static Type,
    id: String,
    project_id: String,
    object_id: String,
    target: String,
    action: String,
}

impl Policy {
    fn of_record(record: &Record) -> Result<Self> {
        Ok(Self {
            of: type_named(record.str("object_type"))?,
            id: record.id().to_owned(),
            project_id: record.project_id().to_owned(),
            object_id: record.str("object_id").to_owned(),
            target: record.str("target_tenant").to_owned(),
            action: record.str("action").to_owned(),
        })
    }

    fn of_row(of: &'static Type, row: &Row) -> Result<Self> {
        Ok(Self {
            of,
            id: row.text(1)?,
            project_id: row.opt_text(2)?.unwrap_or_default(),
            object_id: row.text(3)?,
            target: row.text(4)?,
            action: row.text(5)?,
        })
    }

    fn record(&self, table: &Arc<Table>) -> Record {
        let mut record = Record::new(table.clone());
        record.set("id", self.id.as_str());
        record.set("project_id", self.project_id.as_str());
        record.set("object_type", self.of.name);
        record.set("object_id", self.object_id.as_str());
        record.set("target_tenant", self.target.as_str());
        record.set("action", self.action.as_str());
        record
    }

    /// Its action, if the type has it.
    fn action(&self) -> Result<&'static Action> {
        self.of.actions.iter().find(|a| a.name == self.action).ok_or_else(|| {
            let known: Vec<&str> = self.of.actions.iter().map(|a| a.name).collect();
            let action: String = self.action.chars().take(64).collect();
            INVALID_ACTION.error(format!(
                "Invalid action '{action}' for object type '{}'. Valid actions: {}.",
                self.of.name,
                known.join(", ")
            ))
        })
    }

    /// Claims the object for this transaction; its owner, when the caller may share it.
    async fn claim(&self, op: &mut Op<'_>) -> Result<String> {
        let missing = || {
            kinds::INVALID_INPUT.error(format!(
                "Invalid input for operation: there is no {} {} that you can share.",
                self.of.name.replace('_', " "),
                self.object_id
            ))
        };
        let standard_attr_id = op.lock(self.of.collection, &self.object_id).await?.ok_or_else(missing)?;
        let table = op.engine.entry(self.of.collection)?.table.resource.table.unwrap_or_default();
        let sql = format!("SELECT project_id FROM {table} WHERE id = ?");
        let owner = op.tx.query_one(&sql, args![self.object_id.as_str()]).await?.ok_or_else(missing)?.opt_text(0)?.unwrap_or_default();
        if !op.cx.is_admin() && owner != op.cx.project_id() {
            return Err(missing());
        }
        if self.of.revises {
            op.touch(standard_attr_id);
        }
        Ok(owner)
    }

    async fn insert(&self, op: &mut Op<'_>) -> Result<()> {
        op.reserve("rbac_policies", &self.project_id, 1).await?;
        self.claim(op).await?;
        if self.of.name == "subnetpool" {
            self.check_scope(op).await?;
        }
        let columns = vec![
            ("id", self.id.as_str().into()),
            ("project_id", self.project_id.as_str().into()),
            ("object_id", self.object_id.as_str().into()),
            ("target_project", self.target.as_str().into()),
            ("action", self.action.as_str().into()),
        ];
        op.insert_row(self.of.table, columns).await.map_err(|e| self.duplicate(e))?;
        if self.action == EXTERNAL {
            let known = op.tx.count("SELECT count(*) FROM externalnetworks WHERE network_id = ?", args![self.object_id.as_str()]).await?;
            if known == 0 {
                let columns = vec![("network_id", self.object_id.as_str().into()), ("is_default", false.into())];
                op.insert_row("externalnetworks", columns).await?;
            }
        }
        Ok(())
    }

    fn duplicate(&self, error: Error) -> Error {
        if !error.is_duplicate("") {
            return error;
        }
        DUPLICATE.error(format!("{} {} has an RBAC policy with this action and target already.", self.of.name, self.object_id))
    }

    /// A pool of an address scope is shared only with those who also have the scope.
    async fn check_scope(&self, op: &mut Op<'_>) -> Result<()> {
        let sql = "SELECT count(*) FROM subnetpools p WHERE p.id = ? AND p.address_scope_id IS NOT NULL AND NOT EXISTS (SELECT 1 \
                   FROM addressscoperbacs r WHERE r.object_id = p.address_scope_id AND r.target_project IN (?, ?))";
        if op.tx.count(sql, args![self.object_id.as_str(), EVERYONE, self.target.as_str()]).await? == 0 {
            return Ok(());
        }
        Err(kinds::INVALID_INPUT.error(format!(
            "Invalid input for operation: subnet pool {} is of an address scope that is not shared with the target; share the scope first.",
            self.object_id
        )))
    }

    /// Refuses if a project would lose what it uses once the target is another one, or none. `owner` keeps its own object anyway.
    async fn ensure_not_missed(&self, op: &mut Op<'_>, owner: &str, new_target: Option<&str>) -> Result<()> {
        if new_target == Some(EVERYONE) || (self.target == owner && self.action == SHARED) {
            return Ok(());
        }
        let Ok(action) = self.action() else { return Ok(()) };
        // OpenStack's own tests hold QoS policies to this: their owner's use counts, too, and so does what the new target would cover.
        let (owner, new_target) = if self.of.name == "qos_policy" && self.target == EVERYONE { ("", None) } else { (owner, new_target) };
        let mut sql = Sql::new(
            format!("SELECT count(*) FROM ({}) u WHERE u.project_id <> '' AND ", action.users),
            vec![self.object_id.as_str().into()],
        );
        sql.push("u.project_id NOT IN (").bind(owner).push(", ").bind(new_target.unwrap_or_default()).push(")");
        if self.target != EVERYONE {
            sql.push(" AND u.project_id = ").bind(self.target.as_str());
        }
        sql.push(&format!(" AND NOT EXISTS (SELECT 1 FROM {} r WHERE r.object_id = ", self.of.table));
        sql.bind(self.object_id.as_str()).push(" AND r.action = ").bind(self.action.as_str());
        sql.push(" AND r.id <> ").bind(self.id.as_str()).push(" AND (r.target_project = '*' OR r.target_project = u.project_id))");
        if op.tx.count(&sql.text, sql.args).await? == 0 {
            return Ok(());
        }
        Err(self.in_use("projects that it is shared with use it"))
    }

    fn in_use(&self, why: &str) -> Error {
        IN_USE.error(format!("RBAC policy {} on {} {} cannot be taken away: {why}.", self.id, self.of.name, self.object_id))
    }

    /// A default external network is everybody's.
    async fn ensure_not_default(&self, op: &mut Op<'_>) -> Result<()> {
        if self.action != EXTERNAL || self.target != EVERYONE {
            return Ok(());
        }
        let sql = "SELECT count(*) FROM externalnetworks WHERE network_id = ? AND is_default = ?";
        if op.tx.count(sql, args![self.object_id.as_str(), true]).await? == 0 {
            return Ok(());
        }
        Err(self.in_use("it is the default external network, which every project may use"))
    }

    async fn move_to(&self, op: &mut Op<'_>, target: &str) -> Result<()> {
        let owner = self.claim(op).await?;
        self.ensure_not_default(op).await?;
        self.ensure_not_missed(op, &owner, Some(target)).await?;
        let columns = vec![("target_project", target.into())];
        match op.update_row(self.of.table, "id", &self.id, columns).await.map_err(|e| self.duplicate(e))? {
            0 => Err(Error::stale(format!("rbac policy {} is gone", self.id))),
            _ => Ok(()),
        }
    }

    async fn delete(&self, op: &mut Op<'_>) -> Result<()> {
        if let Some(standard_attr_id) = op.lock(self.of.collection, &self.object_id).await?
            && self.of.revises
        {
            op.touch(standard_attr_id);
        }
        let table = op.engine.entry(self.of.collection)?.table.resource.table.unwrap_or_default();
        let sql = format!("SELECT project_id FROM {table} WHERE id = ?");
        let owner = op.tx.query_one(&sql, args![self.object_id.as_str()]).await?;
        let owner = owner.map(|row| row.opt_text(0)).transpose()?.flatten().unwrap_or_default();
        self.ensure_not_default(op).await?;
        self.ensure_not_missed(op, &owner, None).await?;
        let sql = format!("DELETE FROM {} WHERE id = ?", self.of.table);
        if op.tx.execute(&sql, args![self.id.as_str()]).await? == 0 {
            return Err(Error::stale(format!("rbac policy {} is gone", self.id)));
        }
        if self.action == EXTERNAL {
            self.end_external(op).await?;
        }
        Ok(())
    }

    /// A network that is external for nobody is external no longer.
    async fn end_external(&self, op: &mut Op<'_>) -> Result<()> {
        let others = "SELECT count(*) FROM networkrbacs WHERE object_id = ? AND action = ?";
        if op.tx.count(others, args![self.object_id.as_str(), EXTERNAL]).await? > 0 {
            return Ok(());
        }
        let gateways = "SELECT count(*) FROM ports WHERE network_id = ? AND device_owner = 'network:router_gateway'";
        if op.tx.count(gateways, args![self.object_id.as_str()]).await? > 0 {
            return Err(self.in_use("it is the last one that makes the network external, and routers have their gateways there"));
        }
        op.tx.execute("DELETE FROM externalnetworks WHERE network_id = ?", args![self.object_id.as_str()]).await?;
        Ok(())
    }
}

/// The policies of the types that are on.
struct RbacPolicies {
    types: Vec<&'static Type>,
}

impl RbacPolicies {
    /// One SELECT over all types that the query may mean.
    fn select(&self, cx: &Context, table: &Table, query: &ListQuery, dialect: Dialect) -> Option<Sql> {
        let wanted = query.filter(table, "object_type");
        let types = self.types.iter().filter(|t| wanted.is_none_or(|names| names.iter().any(|name| name == t.name)));
        let mut sql = Sql::default();
        for (n, of) in types.enumerate() {
            let mut conditions = Vec::new();
            if !cx.sees_all() {
                conditions.push(Sql::new("project_id = ?", vec![cx.project_id().into()]));
            }
            for (attribute, column) in [("id", "id"), ("object_id", "object_id"), ("target_tenant", "target_project")] {
                if let Some(values) = query.filter(table, attribute) {
                    conditions.push(Sql::in_texts(dialect, column, values.iter().filter_map(Value::as_str)));
                }
            }
            sql.push(if n == 0 { "" } else { " UNION ALL " });
            sql.push(&format!("SELECT '{}', id, project_id, object_id, target_project, action FROM {} WHERE ", of.name, of.table));
            sql.append(Sql::join(conditions, " AND "));
        }
        (!sql.text.is_empty()).then_some(sql)
    }
}

#[async_trait]
impl Behaviour for RbacPolicies {
    async fn rows(&self, engine: &Engine, cx: &Context, tx: &mut Tx, _parent: Option<&str>, query: &ListQuery) -> Result<Vec<Record>> {
        let table = &engine.entry("rbac_policies")?.table;
        let Some(sql) = self.select(cx, table, query, tx.dialect()) else { return Ok(Vec::new()) };
        let by_name: HashMap<&str, &'static Type> = self.types.iter().map(|t| (t.name, *t)).collect();
        let mut records = Vec::new();
        for row in tx.select(sql).await? {
            let name = row.text(0)?;
            let of = by_name.get(name.as_str()).ok_or_else(|| Error::internal(format!("unasked type {name}")))?;
            records.push(Policy::of_row(of, &row)?.record(table));
        }
        Ok(records)
    }

    async fn create_row(&self, engine: &Engine, cx: &Context, body: &Body) -> Result<Record> {
        let policy = Policy {
            of: type_named(body.str("object_type").unwrap_or_default())?,
            id: cx.new_id(),
            project_id: body.project_id().to_owned(),
            object_id: body.str("object_id").unwrap_or_default().to_owned(),
            target: body.str("target_tenant").unwrap_or_default().to_owned(),
            action: body.str("action").unwrap_or_default().to_owned(),
        };
        policy.action()?;
        let record = policy.record(&engine.entry("rbac_policies")?.table);
        let policy = Arc::new(policy);
        engine
            .transact(cx, "rbac_policies", "create_rbac_policy", move |op| {
                let policy = policy.clone();
                Box::pin(async move { policy.insert(op).await })
            })
            .await?;
        Ok(record)
    }

    async fn update_row(&self, engine: &Engine, cx: &Context, original: &Record, body: &Body) -> Result<Record> {
        let mut updated = original.clone();
        let Some(target) = body.str("target_tenant") else { return Ok(updated) };
        updated.set("target_tenant", target);
        let policy = Policy::of_record(original)?;
        if policy.target != target {
            let (policy, target) = (Arc::new(policy), Arc::<str>::from(target));
            engine
                .transact(cx, "rbac_policies", "update_rbac_policy", move |op| {
                    let (policy, target) = (policy.clone(), target.clone());
                    Box::pin(async move { policy.move_to(op, &target).await })
                })
                .await?;
        }
        Ok(updated)
    }

    async fn delete_row(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        let policy = Arc::new(Policy::of_record(original)?);
        engine
            .transact(cx, "rbac_policies", "delete_rbac_policy", move |op| {
                let policy = policy.clone();
                Box::pin(async move { policy.delete(op).await })
            })
            .await
    }
}

/// Goes last: it shares the objects of the collections that are on by then.
pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
    let on = |t: &&Type| builder.has_collection(t.collection) && t.extension.requires.iter().all(|alias| builder.has_extension(alias));
    let types: Vec<&'static Type> = TYPES.iter().filter(on).collect();
    for of in &types {
        builder.extension(of.extension);
    }
    builder.limits.rbac_object_types = types.iter().map(|t| t.name.to_owned()).collect();
    builder.behaviour("rbac_policies", RbacPolicies { types });
}
