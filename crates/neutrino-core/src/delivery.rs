// SPDX-License-Identifier: Apache-2.0
//! Does the broker have what a request tells agents? A server that is killed takes along what it has not handed over, and of a deletion
//! nothing is left from which another could tell it again. So a request is answered when the broker has it, or cannot have it soon.
//!
//! Owns: the count of what is on its way for a request. Refuses to own: how long is waited ([`crate::rpc::Bus::delivered`]). Invariant: a
//! [`Ticket`] exists from before the commit's answer until the broker has confirmed the last message that follows from it.

use std::{any::Any, sync::Arc};

use tokio::sync::watch;

use crate::Context;

/// Goes with a change, and with the messages that follow from it. Who waits for them goes on when the last one is dropped.
pub type Ticket = Arc<dyn Any + Send + Sync>;

/// What is on its way for one request.
#[derive(Clone, Debug, Default)]
pub struct Delivery(Arc<watch::Sender<usize>>);

impl Delivery {
    fn ticket(&self) -> Ticket {
        self.0.send_modify(|count| *count += 1);
        Arc::new(Held(self.clone()))
    }

    #[must_use]
    pub fn is_done(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Waits until nothing is on its way.
    pub async fn done(&self) {
        // The sender is ours, so that it does not end.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

struct Held(Delivery);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// What a context knows of it.
#[derive(Clone, Default)]
pub(crate) enum Tickets {
    /// Nobody waits.
    #[default]
    None,
    /// A request waits.
    New(Delivery),
    /// What is told for changes of others goes with their tickets.
    Given(Ticket),
}

impl Context {
    /// The context of a request whose answer waits for this.
    #[must_use]
    pub fn awaited(mut self, delivery: &Delivery) -> Self {
        self.tickets = Tickets::New(delivery.clone());
        self
    }

    /// A context whose messages go with tickets that were taken before.
    #[must_use]
    pub fn carrying(mut self, tickets: &[Ticket]) -> Self {
        self.tickets = if tickets.is_empty() { Tickets::None } else { Tickets::Given(Arc::new(tickets.to_vec())) };
        self
    }

    /// For a message, or for a change from which messages will follow; `None` when nobody waits for it.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        match &self.tickets {
            Tickets::None => None,
            Tickets::New(delivery) => Some(delivery.ticket()),
            Tickets::Given(ticket) => Some(ticket.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn who_waits_goes_on_with_the_last_ticket() {
        let delivery = Delivery::default();
        assert!(delivery.is_done() && Context::internal("x").ticket().is_none());
        let cx = Context::internal("x").awaited(&delivery);
        let (change, other) = (cx.ticket().unwrap(), cx.elevated().ticket());
        let done = delivery.done().shared();
        assert_eq!(done.clone().now_or_never(), None);
        drop(other);
        let batch = Context::internal("y").carrying(std::slice::from_ref(&change));
        let message = batch.ticket();
        drop((change, batch));
        assert!(!delivery.is_done());
        drop(message);
        assert_eq!(done.now_or_never(), Some(()));
    }
}
