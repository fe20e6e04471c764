// SPDX-License-Identifier: Apache-2.0
//! Names of floating IPs in an external DNS service (`neutron/db/dns_db.py`): the one that a request gives, or that of the port inside with
//! the domain of its network.
//!
//! A floating IP whose name the service does not take for lack of room, or because it is not there, is not made.

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine, Hook, Op,
    dns::{DOMAIN_NOT_FOUND, DUPLICATE, RecordSet},
};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Result, error::kinds};

use super::external::{self, Target};

pub struct FloatingIps;

/// A floating IP and what is known of its name.
struct Row {
    address: String,
    /// As the port inside and its network say.
    inside: Target,
    /// The name that a request gave, if there is a row at all.
    own: Option<String>,
    published: Target,
}

impl Row {
    async fn read(op: &mut Op<'_>, id: &str) -> Result<Option<Self>> {
        let sql = "SELECT f.floating_ip_address, p.dns_name, n.dns_domain, d.dns_name, d.published_dns_name, d.published_dns_domain \
                   FROM floatingips f LEFT JOIN ports i ON i.id = f.fixed_port_id LEFT JOIN portdnses p ON p.port_id = i.id \
                   LEFT JOIN networkdnsdomains n ON n.network_id = i.network_id \
                   LEFT JOIN floatingipdnses d ON d.floatingip_id = f.id WHERE f.id = ?";
        let Some(row) = op.tx.query_one(sql, args![id]).await? else { return Ok(None) };
        let text = |at| row.opt_text(at).map(Option::unwrap_or_default);
        Ok(Some(Self {
            address: text(0)?,
            inside: Target::of(op, &text(1)?, &text(2)?),
            own: row.opt_text(3)?,
            published: Target { name: text(4)?, domain: text(5)? },
        }))
    }
}

#[async_trait]
impl Hook for FloatingIps {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        let given = |name: &str| body.str(name).is_some_and(|text| !text.is_empty());
        match (given("dns_name"), given("dns_domain")) {
            (false, true) => Err(kinds::BAD_REQUEST_PLUGIN.error("Bad floatingip request: dns_domain needs a dns_name.")),
            (true, false) => Err(kinds::BAD_REQUEST_PLUGIN.error("Bad floatingip request: dns_name needs a dns_domain.")),
            _ => Ok(()),
        }
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let (name, domain) = (body.str("dns_name").unwrap_or_default(), body.str("dns_domain").unwrap_or_default());
        let target =
            if name.is_empty() { Row::read(op, id).await?.map(|row| row.inside).unwrap_or_default() } else { Target::of(op, name, domain) };
        if target.is_set() { insert(op, id, (name, domain), target).await } else { Ok(()) }
    }

    async fn confirm_create(&self, engine: &Engine, cx: &Context, record: &Record) -> Result<()> {
        let sql = "SELECT published_dns_name, published_dns_domain FROM floatingipdnses WHERE floatingip_id = ?";
        let found = engine.db.reader().await?.query_one(sql, args![record.id()]).await?;
        let Some(row) = found else { return Ok(()) };
        let addresses = vec![record.str("floating_ip_address").to_owned()];
        let set = RecordSet { name: row.text(0)?, domain: row.text(1)?, addresses };
        match external::publish_now(engine, cx, &set).await {
            Err(error) if error.is(DOMAIN_NOT_FOUND) || error.is(DUPLICATE) => external::passed_over("published", &set, error),
            done => done,
        }
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, _body: &Body) -> Result<()> {
        let id = original.id();
        let Some(row) = Row::read(op, id).await? else { return Ok(()) };
        if row.own.as_ref().is_some_and(|own| !own.is_empty()) || row.published == row.inside {
            return Ok(());
        }
        match (&row.own, row.inside.is_set()) {
            (None, _) => insert(op, id, ("", ""), row.inside.clone()).await?,
            (Some(_), true) => {
                let columns = vec![
                    ("published_dns_name", row.inside.name.as_str().into()),
                    ("published_dns_domain", row.inside.domain.as_str().into()),
                ];
                op.update_row("floatingipdnses", "floatingip_id", id, columns).await?;
            }
            (Some(_), false) => {
                op.tx.execute("DELETE FROM floatingipdnses WHERE floatingip_id = ?", args![id]).await?;
            }
        }
        if row.published.is_set() {
            external::withdraw(op, row.published, vec![row.address.clone()]);
        }
        if row.inside.is_set() {
            external::publish(op, row.inside, vec![row.address]);
        }
        Ok(())
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let Some(row) = Row::read(op, original.id()).await? else { return Ok(()) };
        if row.published.is_set() {
            external::withdraw(op, row.published, vec![row.address]);
        }
        Ok(())
    }
}

async fn insert(op: &mut Op<'_>, id: &str, (name, domain): (&str, &str), published: Target) -> Result<()> {
    let columns = vec![
        ("floatingip_id", id.into()),
        ("dns_name", name.into()),
        ("dns_domain", domain.into()),
        ("published_dns_name", published.name.into()),
        ("published_dns_domain", published.domain.into()),
    ];
    op.insert_row("floatingipdnses", columns).await
}
