// SPDX-License-Identifier: Apache-2.0
//! Which requests publish a name and withdraw it (`neutron/services/externaldns/drivers/designate/driver.py`).
//!
//! A name has a record set of type A and one of AAAA, as its addresses ask for, in a zone of the caller's; each address has a PTR record in
//! a reverse zone of the operator's, which is made when it is not there. Reverse zones are never removed.

use std::{future::Future, net::IpAddr, time::Duration};

use async_trait::async_trait;
use neutrino_core::{
    Context,
    dns::{DOMAIN_NOT_FOUND, DUPLICATE, ExternalDns, OVER_QUOTA, RecordSet},
};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::Value;

use super::{
    client::{As, Client, Failure},
    reverse::Zones,
};

/// All requests for one name together may take this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module's documentation.
pub struct Designate {
    pub client: Client,
    /// Absent when PTR records are not wanted.
    pub reverse: Option<Zones>,
}

/// The name with its domain; one that ends in a dot is whole already.
fn whole(set: &RecordSet) -> String {
    if set.name.ends_with('.') { set.name.clone() } else { format!("{}.{}", set.name, set.domain) }
}

fn refusal(set: &RecordSet, failure: Failure) -> Error {
    let (name, domain) = (&set.name, &set.domain);
    let log = match failure {
        Failure::NotFound => return DOMAIN_NOT_FOUND.error(format!("Domain {domain} not found in the external DNS service.")),
        Failure::Conflict => return DUPLICATE.error(format!("Name {name} is duplicated in the external DNS service.")),
        Failure::OverQuota => return OVER_QUOTA.error("External DNS quota exceeded."),
        Failure::Forbidden => "it does not let the caller, or this server, do so".to_owned(),
        Failure::BadRequest(reason) => format!("it says that the request is not right: {reason}"),
        Failure::Other(reason) => reason,
    };
    kinds::UNAVAILABLE
        .error("The external DNS service did not do what it was asked for.")
        .with_log(format!("Designate, {name} in {domain}: {log}"))
}

async fn in_time<T: Send>(set: &RecordSet, work: impl Future<Output = std::result::Result<T, Failure>> + Send) -> Result<T> {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| Err(Failure::Other("it took too long".to_owned()))).map_err(|failure| refusal(set, failure))
}

fn parsed(set: &RecordSet) -> Vec<IpAddr> {
    set.addresses.iter().filter_map(|text| text.parse().ok()).collect()
}

#[async_trait]
impl ExternalDns for Designate {
    async fn publish(&self, cx: &Context, set: &RecordSet) -> Result<()> {
        in_time(set, async {
            self.publish_name(cx, set).await?;
            self.publish_addresses(cx, set).await
        })
        .await
    }

    async fn withdraw(&self, cx: &Context, set: &RecordSet) -> Result<()> {
        in_time(set, async {
            self.withdraw_name(cx, set).await?;
            self.withdraw_addresses(cx, set).await
        })
        .await
    }
}

impl Designate {
    async fn publish_name(&self, cx: &Context, set: &RecordSet) -> std::result::Result<(), Failure> {
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = parsed(set).into_iter().partition(IpAddr::is_ipv4);
        if v4.is_empty() && v6.is_empty() {
            return Ok(());
        }
        let zone = self.client.zone(cx, As::Caller, &set.domain).await?;
        for (kind, addresses) in [("A", v4), ("AAAA", v6)] {
            if !addresses.is_empty() {
                let records: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                self.client.create(cx, As::Caller, &zone, &whole(set), kind, &records).await?;
            }
        }
        Ok(())
    }

    async fn publish_addresses(&self, cx: &Context, set: &RecordSet) -> std::result::Result<(), Failure> {
        let Some(zones) = &self.reverse else { return Ok(()) };
        for address in parsed(set) {
            let (name, zone) = zones.of(address);
            let id = match self.client.zone(cx, As::Server, &zone).await {
                Err(Failure::NotFound) => {
                    match self.client.create_zone(cx, As::Server, &zone, &zones.email(&set.domain)).await {
                        // Somebody else has just made it.
                        Ok(()) | Err(Failure::Conflict) => {}
                        Err(failure) => return Err(failure),
                    }
                    self.client.zone(cx, As::Server, &zone).await?
                }
                other => other?,
            };
            self.client.create(cx, As::Server, &id, &name, "PTR", &[whole(set)]).await?;
        }
        Ok(())
    }

    async fn withdraw_name(&self, cx: &Context, set: &RecordSet) -> std::result::Result<(), Failure> {
        let (who, zone, ids) = match self.ids(cx, As::Caller, set).await {
            // An administrator who withdraws the name of another project's port sees its zone so.
            Err(Failure::NotFound | Failure::Forbidden) => match self.ids(cx, As::CallerInAllProjects, set).await {
                Err(Failure::Forbidden) => return Err(Failure::NotFound),
                found => found?,
            },
            found => found?,
        };
        for id in ids {
            let done = match self.client.delete(cx, who, &zone, &id).await {
                // One that Designate keeps is for administrators.
                Err(Failure::BadRequest(_)) => self.client.delete(cx, As::Server, &zone, &id).await,
                done => done,
            };
            match done {
                Ok(()) | Err(Failure::NotFound) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// The record sets of the name that hold one of its addresses.
    async fn ids(&self, cx: &Context, who: As, set: &RecordSet) -> std::result::Result<(As, String, Vec<String>), Failure> {
        let zone = self.client.zone(cx, who, &set.domain).await?;
        let addresses = parsed(set);
        let holds = |found: &Value| {
            let records = found["records"].as_array().map(Vec::as_slice).unwrap_or_default();
            records
                .iter()
                .filter_map(Value::as_str)
                .filter_map(|text| text.parse().ok())
                .any(|address: IpAddr| addresses.contains(&address))
        };
        let found = self.client.record_sets(cx, who, &zone, &whole(set)).await?;
        let ids = found.iter().filter(|found| holds(found)).filter_map(|found| found["id"].as_str().map(str::to_owned)).collect();
        Ok((who, zone, ids))
    }

    async fn withdraw_addresses(&self, cx: &Context, set: &RecordSet) -> std::result::Result<(), Failure> {
        let Some(zones) = &self.reverse else { return Ok(()) };
        for address in parsed(set) {
            let (name, zone) = zones.of(address);
            match self.withdraw_address(cx, &zone, &name).await {
                Ok(()) => {}
                Err(Failure::NotFound) => {
                    tracing::warn!("Designate has no record {name} in the zone {zone}, or no such zone: look for what may be left")
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn withdraw_address(&self, cx: &Context, zone: &str, name: &str) -> std::result::Result<(), Failure> {
        let id = self.client.zone(cx, As::Server, zone).await?;
        let found = self.client.record_sets(cx, As::Server, &id, name).await?;
        let record = found.first().and_then(|found| found["id"].as_str()).ok_or(Failure::NotFound)?;
        self.client.delete(cx, As::Server, &id, record).await
    }
}
