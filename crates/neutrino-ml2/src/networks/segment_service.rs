// SPDX-License-Identifier: Apache-2.0
//! What the core plugin offers to other features about segments: [`neutrino_core::segments`].

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{
    Builder, Engine, Op,
    segments::{Segment, SegmentService, Segments},
};
use neutrino_types::Result;
use serde_json::Value;

use super::mtu;
use crate::{
    mech::{self, agents::Agent, driver},
    type_drivers::{self, TypeManager},
};

struct Service(Arc<TypeManager>);

pub fn register(builder: &mut Builder, types: Arc<TypeManager>) {
    builder.service(Arc::new(SegmentService(Arc::new(Service(types)))));
}

fn ours(segment: &Segment) -> type_drivers::Segment {
    type_drivers::Segment {
        network_type: segment.network_type.clone(),
        physical_network: segment.physical_network.clone(),
        segmentation_id: segment.segmentation_id,
    }
}

#[async_trait]
impl Segments for Service {
    async fn reserve(&self, op: &mut Op<'_>, segment: &Segment) -> Result<Segment> {
        let asked = ours(segment);
        self.0.validate(&asked)?;
        let taken = self.0.reserve(op.cx, op.tx, &asked, None).await?;
        Ok(Segment { network_type: taken.network_type, physical_network: taken.physical_network, segmentation_id: taken.segmentation_id })
    }

    async fn release(&self, op: &mut Op<'_>, segment: &Segment) -> Result<()> {
        self.0.release(op.tx, &ours(segment)).await
    }

    async fn check_network(&self, op: &mut Op<'_>, network_id: &str) -> Result<()> {
        mtu::check(op, &self.0, network_id).await
    }

    fn judges_hosts(&self, engine: &Engine) -> bool {
        let (segment, nobody) =
            (probe(&Segment { network_type: String::new(), physical_network: None, segmentation_id: None }), agent("", &Value::Null));
        let drivers = &mech::manager(engine).drivers;
        !drivers.is_empty() && drivers.iter().all(|driver| driver.reaches(&segment, &nobody).is_some())
    }

    fn reaches(&self, engine: &Engine, segment: &Segment, agent_type: &str, configurations: &Value) -> bool {
        let (segment, agent) = (probe(segment), agent(agent_type, configurations));
        mech::manager(engine).drivers.iter().any(|driver| driver.reaches(&segment, &agent) == Some(true))
    }
}

fn probe(segment: &Segment) -> driver::Segment {
    driver::Segment {
        id: String::new(),
        network_type: segment.network_type.clone(),
        physical_network: segment.physical_network.clone(),
        segmentation_id: segment.segmentation_id,
    }
}

fn agent(agent_type: &str, configurations: &Value) -> Agent {
    Agent { agent_type: agent_type.to_owned(), host: String::new(), alive: true, configurations: configurations.clone() }
}
