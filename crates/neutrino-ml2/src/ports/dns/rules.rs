// SPDX-License-Identifier: Apache-2.0
//! The names that ports ask for: stored, and passed on to an external DNS service where that is of use.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::Result;

use super::{
    external::{self, Network, Target},
    names::Names,
};

pub struct Ports {
    pub names: Names,
    /// Is there an external DNS service?
    pub external: bool,
}

/// A row of `portdnses`.
#[derive(Clone, Default, PartialEq, Eq)]
struct Row {
    name: String,
    domain: String,
    current: Target,
    previous: Target,
}

impl Row {
    async fn read(op: &mut Op<'_>, port_id: &str) -> Result<Option<Self>> {
        let sql = "SELECT dns_name, dns_domain, current_dns_name, current_dns_domain, previous_dns_name, previous_dns_domain \
                   FROM portdnses WHERE port_id = ?";
        let Some(row) = op.tx.query_one(sql, args![port_id]).await? else { return Ok(None) };
        let text = |at| row.opt_text(at).map(Option::unwrap_or_default);
        Ok(Some(Self {
            name: text(0)?,
            domain: text(1)?,
            current: Target { name: text(2)?, domain: text(3)? },
            previous: Target { name: text(4)?, domain: text(5)? },
        }))
    }

    async fn write(self, op: &mut Op<'_>, port_id: &str, is_new: bool) -> Result<()> {
        let mut columns = vec![
            ("dns_name", self.name.into()),
            ("dns_domain", self.domain.into()),
            ("current_dns_name", self.current.name.into()),
            ("current_dns_domain", self.current.domain.into()),
            ("previous_dns_name", self.previous.name.into()),
            ("previous_dns_domain", self.previous.domain.into()),
        ];
        if is_new {
            columns.push(("port_id", port_id.into()));
            return op.insert_row("portdnses", columns).await;
        }
        op.update_row("portdnses", "port_id", port_id, columns).await.map(drop)
    }

    /// The same, to be published by its name and domain.
    fn published(self, op: &Op<'_>, network: &Network) -> Self {
        let domain = if self.domain.is_empty() { &network.domain } else { &self.domain };
        Self { current: Target::of(op, &self.name, domain), ..self }
    }
}

impl Ports {
    async fn network(&self, op: &mut Op<'_>, id: &str) -> Result<Option<Network>> {
        if !self.external {
            return Ok(None);
        }
        Ok(Some(Network::of(op, id).await?).filter(|network| network.is_published))
    }

    /// A change where nobody outside is told.
    async fn rename(op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let (old_name, old_domain) = (original.str("dns_name"), original.str("dns_domain"));
        let (name, domain) = (body.str("dns_name").unwrap_or(old_name), body.str("dns_domain").unwrap_or(old_domain));
        if (name, domain) == (old_name, old_domain) {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        let columns = vec![("dns_name", name.into()), ("dns_domain", domain.into())];
        if op.update_row("portdnses", "port_id", original.id(), columns).await? == 0 {
            let row = Row { name: name.to_owned(), domain: domain.to_owned(), ..Row::default() };
            row.write(op, original.id(), true).await?;
        }
        Ok(())
    }

    /// A change where the service follows the name, the domain and the addresses.
    async fn republish(op: &mut Op<'_>, original: &Record, body: &Body, network: &Network) -> Result<()> {
        let stored = Row::read(op, original.id()).await?;
        let is_new = stored.is_none();
        let old = stored.unwrap_or_default();
        let asked = |name: &str, old: &str| body.str(name).unwrap_or(old).to_owned();
        let mut row = Row { name: asked("dns_name", &old.name), domain: asked("dns_domain", &old.domain), ..old.clone() };
        let is_renamed = (&row.name, &row.domain) != (&old.name, &old.domain);
        let was = network.published(&external::addresses_of(original.list("fixed_ips")));
        let is = network.published(&external::addresses(op, original.id()).await?);
        if is_renamed || (old.current.is_set() && (was != is || body.names("fixed_ips"))) {
            row.previous = old.current.clone();
            if is_renamed {
                row = row.published(op, network);
            }
        } else if !old.current.is_set() {
            row.previous = Target::default();
        }
        if row != old {
            if is_renamed {
                op.touch(original.standard_attr_id);
            }
            row.clone().write(op, original.id(), is_new).await?;
        }
        if is_renamed || was != is {
            if old.current.is_set() {
                external::withdraw(op, old.current, was);
            }
            if row.current.is_set() {
                external::publish(op, row.current, is);
            }
        }
        Ok(())
    }

    /// Names of floating IPs that lead to a port end with it.
    async fn forget_floating_ips(op: &mut Op<'_>, port_id: &str) -> Result<()> {
        let sql = "SELECT f.id, f.floating_ip_address, d.published_dns_name, d.published_dns_domain \
                   FROM floatingips f JOIN floatingipdnses d ON d.floatingip_id = f.id WHERE f.fixed_port_id = ?";
        let rows = op.tx.query(sql, args![port_id]).await?;
        for row in &rows {
            external::withdraw(op, Target { name: row.text(2)?, domain: row.text(3)? }, vec![row.text(1)?]);
        }
        if !rows.is_empty() {
            let sql = "DELETE FROM floatingipdnses WHERE floatingip_id IN (SELECT id FROM floatingips WHERE fixed_port_id = ?)";
            op.tx.execute(sql, args![port_id]).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Hook for Ports {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let text = |name: &str| body.str(name).unwrap_or_default().to_owned();
        let mut row = Row { name: text("dns_name"), domain: text("dns_domain"), ..Row::default() };
        if !self.names.are_kept() || (row.name.is_empty() && row.domain.is_empty()) {
            return Ok(());
        }
        if let Some(network) = self.network(op, &text("network_id")).await? {
            row = row.published(op, &network);
            if row.current.is_set() {
                let addresses = external::addresses(op, id).await?;
                external::publish(op, row.current.clone(), network.published(&addresses));
            }
        }
        row.write(op, id, true).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let asks = body.names("dns_name") || body.names("dns_domain");
        if !self.names.are_kept() || !(asks || (self.external && !original.str("dns_name").is_empty())) {
            return Ok(());
        }
        match self.network(op, original.str("network_id")).await? {
            Some(network) => Self::republish(op, original, body, &network).await,
            None if asks => Self::rename(op, original, body).await,
            None => Ok(()),
        }
    }

    async fn delete(&self, op: &mut Op<'_>, port: &Record) -> Result<()> {
        if !self.external {
            return Ok(());
        }
        Self::forget_floating_ips(op, port.id()).await?;
        if port.str("dns_name").is_empty() {
            return Ok(());
        }
        let current = Row::read(op, port.id()).await?.unwrap_or_default().current;
        if current.is_set() {
            let network = Network::of(op, port.str("network_id")).await?;
            external::withdraw(op, current, network.published(&external::addresses_of(port.list("fixed_ips"))));
        }
        Ok(())
    }
}
