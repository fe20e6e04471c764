// SPDX-License-Identifier: Apache-2.0
//! A bus that remembers what agents were told, and answers calls with null.

use std::sync::Mutex;

use async_trait::async_trait;
use neutrino_core::{
    Context, Delivery,
    delivery::Ticket,
    rpc::{Bus, Message},
};
use neutrino_types::Result;
use serde_json::Value;

#[derive(Default)]
pub struct Recorder {
    sent: Mutex<Vec<Message>>,
    /// Of messages that are not confirmed yet, in a test that confirms them itself.
    unconfirmed: Mutex<Option<Vec<Ticket>>>,
}

impl Recorder {
    /// Confirms what was sent so far. From the first call on answers wait for the next one.
    pub fn confirm(&self) {
        *self.unconfirmed.lock().unwrap() = Some(Vec::new());
    }

    /// What was sent since the last time, the oldest first.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.sent.lock().unwrap())
    }

    /// [`Recorder::take`], only the messages of a method.
    pub fn take_method(&self, method: &str) -> Vec<Message> {
        self.take().into_iter().filter(|message| message.method == method).collect()
    }
}

#[async_trait]
impl Bus for Recorder {
    fn cast(&self, cx: &Context, message: Message) {
        if let Some(unconfirmed) = &mut *self.unconfirmed.lock().unwrap() {
            unconfirmed.extend(cx.ticket());
        }
        self.sent.lock().unwrap().push(message);
    }

    async fn delivered(&self, delivery: &Delivery) {
        let waits = self.unconfirmed.lock().unwrap().is_some();
        if waits {
            delivery.done().await;
        }
    }

    async fn call(&self, _cx: &Context, message: Message) -> Result<Value> {
        self.sent.lock().unwrap().push(message);
        Ok(Value::Null)
    }
}
