// SPDX-License-Identifier: Apache-2.0
//! Extension `pvlan`, by the service plugin of that name: private VLANs, whose ports reach all others, those of their community, or none.
//!
//! Owns `networkpvlan` and `portpvlan`. Rules: every port of such a network has a type, `promiscuous` if its request does not say, and no
//! other port has one; only a port of a community names one; network and port have port security (the network's own ports need none).

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Join, Record, Validator,
    attribute::{Default, Kind as Stored},
    validate::{Choice, Pattern},
};
use neutrino_types::{Kind, Result};

const PVLAN: &str = "pvlan";
const TYPE: &str = "pvlan_type";
const COMMUNITY: &str = "pvlan_community";
const SECURITY: &str = "port_security_enabled";

const OF_COMMUNITY: &str = "community";
const PROMISCUOUS: &str = "promiscuous";

const NOT_ENABLED: Kind = Kind::new("PVLANNotEnabledOnNetwork", 400);
const NO_COMMUNITY: Kind = Kind::new("PVLANCannotSetCommunityName", 400);
const COMMUNITY_REQUIRED: Kind = Kind::new("PVLANCommunityNameRequired", 400);
const PORT_INSECURE: Kind = Kind::new("PVLANPortSecurityDisabled", 400);
const NETWORK_INSECURE: Kind = Kind::new("PVLANNetworkPortSecurityDisabled", 400);

static OF_NETWORKS: Join = Join::when_set("networkpvlan", "network_id");
/// Written here: what a request does not say depends on the network.
static OF_PORTS: Join = Join::read_only("portpvlan", "port_id");
static NAMES: Pattern = Pattern::new("[a-zA-Z_.][a-zA-Z_.0-9]{0,231}$");

static EXTENSION: Extension = Extension::new("pvlan", "Private VLAN", "The Private VLAN semantics extension.", "2026-02-03T10:00:00-00:00")
    .extends(&[
        (
            "networks",
            &[Attribute::new(PVLAN)
                .post()
                .put()
                .default(Default::Bool(false))
                .convert(Converter::ToBoolean)
                .validate(Validator::Boolean)
                .filter()
                .joined(&OF_NETWORKS, PVLAN, Stored::Bool)],
        ),
        (
            "ports",
            &[
                Attribute::new(TYPE)
                    .post()
                    .put()
                    .default(Default::Null)
                    .validate(Validator::Values(Some(&[
                        Choice::Str("isolated"),
                        Choice::Str(PROMISCUOUS),
                        Choice::Str(OF_COMMUNITY),
                        Choice::Null,
                    ])))
                    .filter()
                    .joined(&OF_PORTS, TYPE, Stored::Text),
                Attribute::new(COMMUNITY).post().put().default(Default::Null).validate(Validator::RegexOrNone(&NAMES)).filter().joined(
                    &OF_PORTS,
                    COMMUNITY,
                    Stored::Text,
                ),
            ],
        ),
    ]);

struct Networks;

#[async_trait]
impl Hook for Networks {
    async fn create(&self, _op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        if body.bool(PVLAN) == Some(true) && body.bool(SECURITY) == Some(false) {
            return Err(network_insecure(id));
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let (id, was) = (original.id(), original.bool(PVLAN));
        let is = body.bool(PVLAN).unwrap_or(was);
        let security = body.bool(SECURITY).or_else(|| original.get(SECURITY).as_bool()).unwrap_or(true);
        if is && !security {
            return Err(network_insecure(id));
        }
        if is == was {
            return Ok(());
        }
        op.tx.execute("DELETE FROM portpvlan WHERE port_id IN (SELECT id FROM ports WHERE network_id = ?)", args![id]).await?;
        if is {
            let insecure = "SELECT p.id FROM ports p JOIN portsecuritybindings s ON s.port_id = p.id \
                            WHERE p.network_id = ? AND NOT s.port_security_enabled AND p.device_owner NOT LIKE 'network:%' ORDER BY p.id";
            if let Some(row) = op.tx.query_one(insecure, args![id]).await? {
                return Err(port_insecure(&row.text(0)?));
            }
            let fill = "INSERT INTO portpvlan (port_id, pvlan_type) SELECT id, 'promiscuous' FROM ports WHERE network_id = ?";
            op.tx.execute(fill, args![id]).await?;
        }
        Ok(())
    }
}

struct Ports;

#[async_trait]
impl Hook for Ports {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let network_id = body.str("network_id").unwrap_or_default();
        let (asked, community) = (body.str(TYPE), body.str(COMMUNITY));
        if !is_private(op, network_id).await? {
            return if asked.is_some() || community.is_some() { Err(not_enabled(network_id)) } else { Ok(()) };
        }
        ensure_secure(id, body.str("device_owner").unwrap_or_default(), body.bool(SECURITY))?;
        let kind = asked.unwrap_or(PROMISCUOUS);
        check(id, kind, community)?;
        op.insert_row("portpvlan", vec![("port_id", id.into()), (TYPE, kind.into()), (COMMUNITY, community.into())]).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let (id, network_id) = (original.id(), original.str("network_id"));
        let asks = body.names(TYPE) || body.names(COMMUNITY);
        if !asks && !body.names(SECURITY) {
            return Ok(());
        }
        if !is_private(op, network_id).await? {
            let (asked, community) = (body.str(TYPE), body.str(COMMUNITY));
            return if asked.is_some() || community.is_some() { Err(not_enabled(network_id)) } else { Ok(()) };
        }
        let owner = body.str("device_owner").unwrap_or_else(|| original.str("device_owner"));
        ensure_secure(id, owner, body.bool(SECURITY).or_else(|| original.get(SECURITY).as_bool()))?;
        if !asks {
            return Ok(());
        }
        let kind = match body.names(TYPE) {
            true => body.str(TYPE).unwrap_or(PROMISCUOUS),
            false => original.opt_str(TYPE).unwrap_or(PROMISCUOUS),
        };
        // A port that stays in its community need not name it again.
        let held = original.opt_str(COMMUNITY).filter(|_| kind == OF_COMMUNITY);
        let community = body.str(COMMUNITY).or(held);
        check(id, kind, community)?;
        let sql = "UPDATE portpvlan SET pvlan_type = ?, pvlan_community = ? WHERE port_id = ?";
        if op.tx.execute(sql, args![kind, community, id]).await? == 0 {
            op.insert_row("portpvlan", vec![("port_id", id.into()), (TYPE, kind.into()), (COMMUNITY, community.into())]).await?;
        }
        op.touch(original.standard_attr_id);
        Ok(())
    }
}

/// What was read of networks in this transaction.
#[derive(Default)]
struct Private(std::collections::HashMap<String, bool>);

async fn is_private(op: &mut Op<'_>, network_id: &str) -> Result<bool> {
    if let Some(known) = op.note::<Private>().0.get(network_id) {
        return Ok(*known);
    }
    let found = op.tx.count("SELECT count(*) FROM networkpvlan WHERE network_id = ? AND pvlan", args![network_id]).await? > 0;
    op.note::<Private>().0.insert(network_id.to_owned(), found);
    Ok(found)
}

fn check(port_id: &str, kind: &str, community: Option<&str>) -> Result<()> {
    match (kind == OF_COMMUNITY, community) {
        (true, None) => Err(COMMUNITY_REQUIRED.error(format!("Port {port_id} is of the PVLAN type community: name it in {COMMUNITY}."))),
        (false, Some(_)) => Err(NO_COMMUNITY.error(format!("Port {port_id} is of the PVLAN type {kind}, which has no community."))),
        _ => Ok(()),
    }
}

fn ensure_secure(port_id: &str, owner: &str, security: Option<bool>) -> Result<()> {
    if security == Some(false) && !owner.starts_with("network:") { Err(port_insecure(port_id)) } else { Ok(()) }
}

fn port_insecure(port_id: &str) -> neutrino_types::Error {
    PORT_INSECURE.error(format!("Port {port_id} has no port security, without which PVLAN cannot be."))
}

fn network_insecure(network_id: &str) -> neutrino_types::Error {
    NETWORK_INSECURE.error(format!("Network {network_id} has no port security, without which PVLAN cannot be."))
}

fn not_enabled(network_id: &str) -> neutrino_types::Error {
    NOT_ENABLED.error(format!("PVLAN is not enabled on network {network_id}."))
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("networks", Networks).hook("ports", Ports);
    builder.invariants(&[
        (
            "port of a private VLAN without a type",
            "SELECT p.id FROM ports p JOIN networkpvlan n ON n.network_id = p.network_id \
             WHERE n.pvlan AND p.id NOT IN (SELECT port_id FROM portpvlan)",
        ),
        (
            "port with a PVLAN type on a network that is none",
            "SELECT p.id FROM ports p JOIN portpvlan t ON t.port_id = p.id \
             WHERE p.network_id NOT IN (SELECT network_id FROM networkpvlan WHERE pvlan)",
        ),
    ]);
}
