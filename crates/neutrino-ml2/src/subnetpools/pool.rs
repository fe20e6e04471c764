// SPDX-License-Identifier: Apache-2.0
//! One subnet pool inside a transaction: read, allocated from, its prefixes written.
//!
//! Owns the table `subnetpoolprefixes` and the exclusion of two allocations by the column `hash` of `subnetpools`: each compares it
//! with what it read and swaps it; the one that comes second runs again.

use neutrino_core::{Context, Op};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::IpVersion;
use neutrino_types::{Error, Result};

use crate::ipam::network::stored;
use crate::ipam::subnet_alloc::{self, PrefixBounds};
use crate::subnets::errors;

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub id: String,
    pub project_id: String,
    pub version: IpVersion,
    pub bounds: PrefixBounds,
    pub default_quota: Option<i64>,
    pub address_scope_id: Option<String>,
    hash: String,
    prefixes: Vec<Cidr>,
}

/// The condition that the caller sees the pool `t`; nothing for an administrator.
fn visible(cx: &Context) -> Sql {
    if cx.sees_all() {
        return Sql::default();
    }
    let mut sql = Sql::raw(" AND (t.project_id = ");
    sql.bind(cx.project_id());
    sql.push(
        " OR EXISTS (SELECT 1 FROM subnetpoolrbacs r WHERE r.object_id = t.id AND r.action = 'access_as_shared' \
         AND r.target_project IN ('*', ",
    );
    sql.bind(cx.project_id()).push(")))");
    sql
}

/// The default pool of an IP version that the caller sees.
///
/// # Errors
/// The database's.
pub(crate) async fn default_pool(tx: &mut Tx, cx: &Context, version: IpVersion) -> Result<Option<String>> {
    let text = "SELECT t.id FROM subnetpools t WHERE t.is_default = ? AND t.ip_version = ?";
    let mut sql = Sql::new(text, args![true, version.number()]);
    sql.append(visible(cx)).push(" ORDER BY t.id");
    tx.select(sql).await?.first().map(|row| row.text(0)).transpose()
}

impl Pool {
    /// # Errors
    /// `SubnetPoolNotFound` when there is none that the caller may see.
    pub async fn find(tx: &mut Tx, cx: &Context, id: &str) -> Result<Self> {
        let mut sql = Sql::new(
            "SELECT t.project_id, t.ip_version, t.min_prefixlen, t.default_prefixlen, t.max_prefixlen, t.default_quota, \
             t.address_scope_id, t.hash FROM subnetpools t WHERE t.id = ?",
            args![id],
        );
        sql.append(visible(cx));
        let rows = tx.select(sql).await?;
        let row = rows.first().ok_or_else(|| errors::SUBNET_POOL_NOT_FOUND.error(format!("Subnet pool {id} could not be found.")))?;
        let unreadable = || Error::internal(format!("the row of subnet pool {id} does not hold what Neutron writes"));
        let length = |value: i64| u8::try_from(value).map_err(|_| unreadable());
        Ok(Self {
            id: id.to_owned(),
            project_id: row.opt_text(0)?.unwrap_or_default(),
            version: IpVersion::from_number(row.int(1)?).ok_or_else(unreadable)?,
            bounds: PrefixBounds { min: length(row.int(2)?)?, default: length(row.int(3)?)?, max: length(row.int(4)?)? },
            default_quota: row.opt_int(5)?,
            address_scope_id: row.opt_text(6)?,
            hash: row.opt_text(7)?.unwrap_or_default(),
            prefixes: prefixes(tx, id).await?,
        })
    }

    /// Takes a CIDR that the caller chose.
    ///
    /// # Errors
    /// The refusals of [`subnet_alloc`]; transient when another allocation was faster.
    pub async fn take(&self, op: &mut Op<'_>, cidr: &Cidr) -> Result<()> {
        self.bounds.check(i64::from(cidr.prefixlen()))?;
        self.begin(op, cidr.prefixlen()).await?;
        subnet_alloc::allocate_specific(&self.free(op.tx).await?, cidr)
    }

    /// Takes a CIDR of that length.
    ///
    /// # Errors
    /// As [`Pool::take`].
    pub async fn take_any(&self, op: &mut Op<'_>, prefixlen: u8) -> Result<Cidr> {
        self.bounds.check(i64::from(prefixlen))?;
        self.begin(op, prefixlen).await?;
        subnet_alloc::allocate_any(&self.free(op.tx).await?, prefixlen)
    }

    async fn begin(&self, op: &mut Op<'_>, prefixlen: u8) -> Result<()> {
        self.exclude_others(op).await?;
        if self.default_quota.is_some() {
            let text = "SELECT cidr FROM subnets WHERE subnetpool_id = ? AND project_id = ?";
            let used = cidrs(op.tx, text, args![&self.id, &self.project_id]).await?;
            subnet_alloc::check_quota(self.version, self.default_quota, used, prefixlen)?;
        }
        Ok(())
    }

    /// Makes this transaction the only one that changes what the pool has given out or has to give.
    pub async fn exclude_others(&self, op: &mut Op<'_>) -> Result<()> {
        let text = "UPDATE subnetpools SET hash = ? WHERE id = ? AND hash = ?";
        match op.tx.execute(text, args![op.cx.new_id(), &self.id, &self.hash]).await? {
            0 => Err(Error::stale(format!("another allocation from subnet pool {} was faster", self.id))),
            _ => Ok(()),
        }
    }

    async fn free(&self, tx: &mut Tx) -> Result<neutrino_types::range::IpSet> {
        Ok(subnet_alloc::available(self.prefixes.iter().copied(), allocated(tx, &self.id).await?))
    }
}

/// The CIDRs that a pool has given out.
pub(super) async fn allocated(tx: &mut Tx, pool_id: &str) -> Result<Vec<Cidr>> {
    cidrs(tx, "SELECT cidr FROM subnets WHERE subnetpool_id = ?", args![pool_id]).await
}

/// The prefixes of a pool, in order.
pub(super) async fn prefixes(tx: &mut Tx, pool_id: &str) -> Result<Vec<Cidr>> {
    let mut found = cidrs(tx, "SELECT cidr FROM subnetpoolprefixes WHERE subnetpool_id = ?", args![pool_id]).await?;
    found.sort_unstable();
    Ok(found)
}

async fn cidrs(tx: &mut Tx, text: &str, args: Vec<neutrino_db::Arg>) -> Result<Vec<Cidr>> {
    tx.query(text, args).await?.iter().map(|row| stored(&row.text(0)?)).collect()
}

/// Puts other prefixes in the place of a pool's.
pub(super) async fn write_prefixes(tx: &mut Tx, pool_id: &str, old: &[Cidr], new: &[Cidr]) -> Result<()> {
    for gone in old.iter().filter(|prefix| !new.contains(prefix)) {
        let text = "DELETE FROM subnetpoolprefixes WHERE subnetpool_id = ? AND cidr = ?";
        tx.execute(text, args![pool_id, gone.to_string()]).await?;
    }
    for added in new.iter().filter(|prefix| !old.contains(prefix)) {
        let text = "INSERT INTO subnetpoolprefixes (cidr, subnetpool_id) VALUES (?, ?)";
        tx.execute(text, args![added.to_string(), pool_id]).await?;
    }
    Ok(())
}
