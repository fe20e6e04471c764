// SPDX-License-Identifier: Apache-2.0
//! A new subnet: from what is asked for to its CIDR, gateway and pools, and to its rows.
//!
//! The order of checks is Neutron's (`_create_subnet_precommit`, `allocate_subnet`, `_save_subnet`), since it decides which of
//! several faults a caller hears of.

use neutrino_core::Op;
use neutrino_model::Body;
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::range::IpRange;
use neutrino_types::{Error, Result};
use serde_json::Value;

use super::network::{Neighbour, Network, check_affinity, check_new_segment, check_overlap, neighbours};
use super::rules::{self, Gateway, Spec, SubnetLimits};
use super::{details, errors};
use crate::ipam::network::IPV6_PD_POOL_ID;
use crate::ipam::{pools, records};
use crate::subnetpools::{self, Pool};

const PROVISIONAL_PREFIX: &str = "::/64";

fn bad_request(sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad subnets request: {sentence}"))
}

/// What a create request asks for.
struct Asked {
    spec: Spec,
    prefixlen: Option<i64>,
    pools: Option<Vec<IpRange>>,
    subnetpool_id: Option<String>,
    use_default_pool: bool,
}

impl Asked {
    fn read(body: &Body) -> Result<Self> {
        let cidr = body.str("cidr").map(str::parse::<Cidr>).transpose()?;
        let prefixlen = body.int("prefixlen");
        if cidr.is_some() && prefixlen.is_some() {
            return Err(bad_request("cidr and prefixlen exclude each other."));
        }
        let version = body.int("ip_version").and_then(IpVersion::from_number);
        let spec = Spec {
            ip_version: version.ok_or_else(|| bad_request("ip_version is 4 or 6."))?,
            cidr,
            gateway: gateway(body)?,
            enable_dhcp: body.bool("enable_dhcp"),
            dns_nameservers: details::texts(body, "dns_nameservers"),
            host_routes: details::host_routes(body),
            ra_mode: body.str("ipv6_ra_mode").map(str::to_owned),
            address_mode: body.str("ipv6_address_mode").map(str::to_owned),
            prefix_delegated: false,
        };
        Ok(Self {
            spec,
            prefixlen,
            // A new subnet whose list is empty gets the usual pools; an update may take all of them away.
            pools: requested_pools(body)?.filter(|pools| !pools.is_empty()),
            subnetpool_id: body.str("subnetpool_id").map(str::to_owned),
            use_default_pool: body.bool("use_default_subnetpool") == Some(true),
        })
    }

    /// The pool that the subnet comes from: the one that is named, or the default one if that is asked for.
    async fn pool_id(&self, op: &mut Op<'_>, limits: &SubnetLimits) -> Result<Option<String>> {
        match (&self.subnetpool_id, self.use_default_pool) {
            (Some(_), true) => Err(bad_request("subnetpool_id and use_default_subnetpool exclude each other.")),
            (None, false) if self.spec.cidr.is_none() => Err(bad_request("without a cidr a subnet pool must be named.")),
            (named, false) => Ok(named.clone()),
            (None, true) => {
                let version = self.spec.cidr.map_or(self.spec.ip_version, |cidr| cidr.version());
                if version == IpVersion::V6 && limits.ipv6_pd {
                    return Ok(Some(IPV6_PD_POOL_ID.to_owned()));
                }
                let found = subnetpools::default_pool(op.tx, op.cx, version).await?;
                found.map(Some).ok_or_else(|| bad_request(format!("there is no default subnet pool for IP version {version}.")))
            }
        }
    }
}

/// The gateway of a body.
pub(super) fn gateway(body: &Body) -> Result<Gateway> {
    match body.get("gateway_ip") {
        None => Ok(Gateway::Unspecified),
        Some(Value::String(text)) if !text.is_empty() => Ok(Gateway::Address(text.parse()?)),
        Some(_) => Ok(Gateway::Absent),
    }
}

/// The allocation pools of a body, which may be none at all.
pub(super) fn requested_pools(body: &Body) -> Result<Option<Vec<IpRange>>> {
    let Some(pairs) = details::pairs(body, "allocation_pools", ["start", "end"]) else { return Ok(None) };
    pools::parse_pools(pairs.iter().map(|(start, end)| (start.as_str(), end.as_str()))).map(Some)
}

/// What a new subnet gets.
struct Chosen {
    cidr: Cidr,
    gateway: Option<Ip>,
    pools: Vec<IpRange>,
}

/// Writes a new subnet with all that belongs to it.
///
/// # Errors
/// The refusals of the rules; the database's.
pub(super) async fn create(op: &mut Op<'_>, limits: &SubnetLimits, id: &str, body: &mut Body) -> Result<()> {
    let mut asked = Asked::read(body)?;
    let mut pool_id = asked.pool_id(op, limits).await?;
    if pool_id.is_some() && asked.spec.cidr.is_none() && asked.pools.is_some() {
        return Err(bad_request("allocation_pools need a cidr."));
    }
    match (pool_id.as_deref() == Some(IPV6_PD_POOL_ID), asked.spec.cidr) {
        // A chosen prefix is not delegated: an ordinary subnet.
        (true, Some(_)) => {
            pool_id = None;
            asked.spec.prefix_delegated = true;
            rules::validate(&asked.spec, None, limits)?;
        }
        (true, None) => {
            rules::validate_for_prefix_delegation(&asked.spec)?;
            asked.spec.cidr = Some(PROVISIONAL_PREFIX.parse()?);
        }
        (false, _) => rules::validate(&asked.spec, None, limits)?,
    }
    let network = Network::find(op.tx, op.cx, body.str("network_id").unwrap_or_default()).await?;
    network.lock(op.tx, id).await?;
    rules::validate_mtu(&network.id, network.mtu, asked.spec.ip_version)?;
    let pool = match pool_id.as_deref().filter(|id| *id != IPV6_PD_POOL_ID) {
        Some(pool_id) => Some(Pool::find(op.tx, op.cx, pool_id).await?),
        None => None,
    };
    let chosen = choose(op, &asked, pool.as_ref()).await?;
    let others = neighbours(op.tx, &network.id).await?;
    check_overlap(&network.id, &chosen.cidr, &others)?;
    check_affinity(asked.spec.ip_version, pool_id.as_deref(), pool.as_ref(), &others)?;
    save(op, id, body, &chosen, pool_id.as_deref(), &others).await?;
    op.touch(network.standard_attr_id);
    Ok(())
}

async fn choose(op: &mut Op<'_>, asked: &Asked, pool: Option<&Pool>) -> Result<Chosen> {
    if let Some(pool) = pool
        && pool.version != asked.spec.ip_version
    {
        let (wanted, is) = (asked.spec.ip_version, pool.version);
        return Err(bad_request(format!("an IPv{wanted} subnet cannot come from the IPv{is} subnet pool {}.", pool.id)));
    }
    let gateway = asked.spec.gateway;
    match (asked.spec.cidr, pool) {
        (Some(cidr), pool) => {
            let gateway = match gateway {
                Gateway::Unspecified => pools::default_gateway(&cidr),
                Gateway::Absent => None,
                Gateway::Address(ip) => Some(ip),
            };
            let pools = pools::prepare_pools(asked.pools.as_deref(), &cidr, gateway)?;
            check_gateway(&cidr, gateway)?;
            if let Some(pool) = pool {
                pool.take(op, &cidr).await?;
            }
            Ok(Chosen { cidr, gateway, pools })
        }
        (None, Some(pool)) => from_pool(op, asked, pool).await,
        (None, None) => Err(bad_request("without a cidr a subnet pool must be named.")),
    }
}

/// The pool chooses: any CIDR of the length, or the one that the gateway lies in.
async fn from_pool(op: &mut Op<'_>, asked: &Asked, pool: &Pool) -> Result<Chosen> {
    let prefixlen = asked.prefixlen.unwrap_or_else(|| i64::from(pool.bounds.default));
    pool.bounds.check(prefixlen)?;
    let prefixlen = u8::try_from(prefixlen).unwrap_or(u8::MAX);
    let (cidr, gateway) = match asked.spec.gateway {
        Gateway::Address(ip) => {
            let cidr = Cidr::new(ip, prefixlen).ok_or_else(|| bad_request("the prefixlen is longer than an address."))?;
            check_gateway(&cidr, Some(ip))?;
            pool.take(op, &cidr).await?;
            (cidr, Some(ip))
        }
        Gateway::Unspecified => {
            let cidr = pool.take_any(op, prefixlen).await?;
            (cidr, pools::gateway_in_allocated(&cidr))
        }
        Gateway::Absent => (pool.take_any(op, prefixlen).await?, None),
    };
    Ok(Chosen { cidr, gateway, pools: pools::generate_pools(&cidr, gateway) })
}

fn check_gateway(cidr: &Cidr, gateway: Option<Ip>) -> Result<()> {
    match gateway.filter(|ip| pools::gateway_is_reserved(cidr, *ip)) {
        None => Ok(()),
        Some(ip) => Err(errors::IPAM_VALUE_INVALID
            .error(format!("The gateway {ip} is the network or the broadcast address of the subnet {cidr}; name another one, or null."))),
    }
}

async fn save(op: &mut Op<'_>, id: &str, body: &mut Body, chosen: &Chosen, pool_id: Option<&str>, others: &[Neighbour]) -> Result<()> {
    body.set("cidr", chosen.cidr.to_string());
    body.set("gateway_ip", chosen.gateway.map_or(Value::Null, |ip| ip.to_string().into()));
    body.set("subnetpool_id", pool_id.map_or(Value::Null, Value::from));
    let segment = body.str("segment_id").map(str::to_owned);
    if let Some(segment_id) = &segment
        && op.tx.query_one("SELECT 1 FROM networksegments WHERE id = ?", neutrino_db::args![segment_id]).await?.is_none()
    {
        return Err(errors::SEGMENT_NOT_FOUND.error(format!("Segment {segment_id} could not be found.")));
    }
    op.insert(id, body, &[]).await?;
    details::write(op.tx, id, body, true).await?;
    let routed = details::texts(body, "service_types").is_some_and(|types| types.iter().any(|one| one == "network:routed"));
    check_new_segment(op, body.str("network_id").unwrap_or_default(), segment.as_deref(), routed, others).await?;
    records::create(op.tx, op.cx, id, &chosen.pools).await
}
