// SPDX-License-Identifier: Apache-2.0
//! Our words for exchanges and queues in lapin's.

use lapin::{
    BasicProperties, Channel, ExchangeKind as Kind, Result,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

use crate::topology::{Argument, Exchange, ExchangeKind, Queue};

pub(super) fn table(arguments: &[(&'static str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            // The width that Python's client chooses: a broker compares the types of numbers, too.
            Argument::Number(number) => i32::try_from(*number).map_or(AMQPValue::LongLongInt(*number), AMQPValue::LongInt),
            Argument::Flag(flag) => AMQPValue::Boolean(*flag),
        };
        table.insert((*name).into(), value);
    }
    table
}

/// Declares an exchange. `wait`: for the broker's answer; otherwise a fault of it closes the channel later.
pub(super) async fn declare_exchange(channel: &Channel, exchange: &Exchange, wait: bool) -> Result<()> {
    let kind = match exchange.kind {
        ExchangeKind::Topic => Kind::Topic,
        ExchangeKind::Fanout => Kind::Fanout,
    };
    let (durable, auto_delete) = (exchange.durable, exchange.auto_delete);
    let options = ExchangeDeclareOptions { durable, auto_delete, nowait: !wait, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(exchange.name.as_str().into(), kind, options, FieldTable::default()).await
}

/// Declares a queue, its exchange, and binds it.
pub(super) async fn declare_queue(channel: &Channel, queue: &Queue) -> Result<()> {
    if let Some((exchange, _)) = &queue.binding {
        declare_exchange(channel, exchange, true).await?;
    }
    let (durable, auto_delete) = (queue.durable, queue.auto_delete);
    let options = QueueDeclareOptions { durable, auto_delete, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.name.as_str().into(), options, table(&queue.arguments)).await?;
    if let Some((exchange, key)) = &queue.binding {
        let (queue, exchange) = (queue.name.as_str().into(), exchange.name.as_str().into());
        channel.queue_bind(queue, exchange, key.as_str().into(), QueueBindOptions::default(), FieldTable::default()).await?;
    }
    Ok(())
}

/// The properties of every message; `expiration_ms` of calls; `number` of casts, which are known by it when they come back.
pub(super) fn properties(expiration_ms: Option<u128>, number: Option<u64>) -> BasicProperties {
    let mut properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_headers(FieldTable::default())
        .with_delivery_mode(2)
        .with_priority(0);
    if let Some(number) = number {
        properties = properties.with_message_id(number.to_string().into());
    }
    match expiration_ms {
        Some(milliseconds) => properties.with_expiration(milliseconds.to_string().into()),
        None => properties,
    }
}
