// SPDX-License-Identifier: Apache-2.0
//! A bus that remembers what agents were told, and answers calls with null.

use std::sync::Mutex;

use async_trait::async_trait;
use neutrino_core::{
    Context,
    rpc::{Bus, Message},
};
use neutrino_types::Result;
use serde_json::Value;

#[derive(Debug, Default)]
pub struct Recorder {
    sent: Mutex<Vec<Message>>,
}

impl Recorder {
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
    fn cast(&self, _cx: &Context, message: Message) {
        self.sent.lock().unwrap().push(message);
    }

    async fn call(&self, _cx: &Context, message: Message) -> Result<Value> {
        self.sent.lock().unwrap().push(message);
        Ok(Value::Null)
    }
}
