// SPDX-License-Identifier: Apache-2.0
//! The other end of `scripts/lib/rpc_interop.py`: serves the topic `rust` and, asked by `call_back`, calls the topic `python`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use oslo_config::{Config, Opt};
use oslo_messaging::{CallError, Failure, Handler, Options, Request, Target, Transport, TransportUrl};
use serde_json::{Value, json};

static URL: &[Opt] = &[Opt::str("DEFAULT", "transport_url").secret().help("The broker.")];

struct Peer(Arc<Transport>);

#[async_trait]
impl Handler for Peer {
    async fn handle(&self, request: Request) -> Result<Value, Failure> {
        let target = Target { topic: "python".to_owned(), ..Target::default() };
        match request.method.as_str() {
            "echo" => Ok(json!({"args": request.args, "context": request.context, "namespace": request.namespace})),
            "fail" => Err(Failure::new("ValueError", "builtins", "on purpose")),
            "not_found" => Err(Failure::new("PortNotFound", "neutron_lib.exceptions", "there is no port")),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(4)).await;
                Ok("slow".into())
            }
            "call_back" => {
                let mut inner = request;
                inner.method = inner.args.remove("what").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
                match self.0.call(target, inner, Some(Duration::from_secs(5))).await {
                    Ok(value) => Ok(json!({"ok": value})),
                    Err(CallError::Failed(failure)) => {
                        Ok(json!({"class": failure.class, "module": failure.module, "message": failure.message}))
                    }
                    Err(error) => Ok(json!({"error": error.to_string()})),
                }
            }
            "notify" => {
                let message = json!({"event_type": "x", "payload": request.args, "priority": "INFO", "publisher_id": "p", "message_id": "1", "timestamp": "now"});
                if let Value::Object(message) = message {
                    self.0.notify("interop.info".to_owned(), message, true, None).await;
                }
                self.0.send(Target { fanout: true, ..target }, request, None).await;
                Ok(Value::Null)
            }
            other => Err(Failure::no_such_method(other)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let text = std::env::args().nth(1).ok_or("usage: peer rabbit://...")?;
    let conf = Config::for_test(&[oslo_messaging::OPTIONS, URL], &[]).map_err(|errors| errors.to_string())?;
    let url = TransportUrl::parse(&text)?;
    let options = Options::read(&conf, &url, "peer").map_err(|error| error.to_string())?;
    let transport = Transport::start(&url, options);
    let serving = transport.serve("rust", "host1", 16, Arc::new(Peer(transport.clone())));
    tokio::signal::ctrl_c().await.map_err(|error| error.to_string())?;
    serving.stop().await;
    transport.close(Duration::from_secs(5)).await;
    Ok(())
}
