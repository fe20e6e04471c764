// SPDX-License-Identifier: Apache-2.0
//! Notifications of the API, from their queue to the wire.

use neutrino_core::notifications::{Notice, Outlet};
use oslo_messaging::Transport;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::context;

/// Carries them until told to stop and none is left.
pub(crate) async fn send(outlet: &Outlet, transport: &Transport, retries: Option<u32>, stop: CancellationToken) {
    loop {
        while let Some(Notice { cx, topics, message, envelope }) = outlet.take() {
            let Value::Object(mut message) = message else { continue };
            message.extend(context::write(&cx).into_iter().map(|(key, value)| (format!("_context_{key}"), value)));
            for topic in topics {
                transport.notify(topic, message.clone(), envelope, retries).await;
            }
        }
        if stop.is_cancelled() {
            return;
        }
        tokio::select! {
            () = outlet.filled() => {}
            () = stop.cancelled() => {}
        }
    }
}
