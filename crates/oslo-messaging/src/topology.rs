// SPDX-License-Identifier: Apache-2.0
//! Exchanges and queues: their names and properties, which must equal those that the other programs declare.
//!
//! A broker closes the channel of whoever declares a queue with other properties than it has.

use crate::options::QueueOptions;

/// An argument of a queue or consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Text(String),
    Number(i64),
    Flag(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExchangeKind {
    Topic,
    Fanout,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub name: String,
    pub kind: ExchangeKind,
    pub durable: bool,
    pub auto_delete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Queue {
    pub name: String,
    pub durable: bool,
    pub auto_delete: bool,
    pub arguments: Vec<(&'static str, Argument)>,
    /// The exchange and the routing key; answers need none.
    pub binding: Option<(Exchange, String)>,
    pub consumer_arguments: Vec<(&'static str, Argument)>,
}

impl Queue {
    pub fn is_stream(&self) -> bool {
        self.arguments.contains(&("x-queue-type", Argument::Text("stream".to_owned())))
    }
}

/// The exchange of topics.
pub(crate) fn topic_exchange(options: &QueueOptions, name: &str) -> Exchange {
    Exchange { name: name.to_owned(), kind: ExchangeKind::Topic, durable: options.durable, auto_delete: options.auto_delete }
}

/// The exchange of a topic's fanouts.
pub(crate) fn fanout_exchange(options: &QueueOptions, topic: &str) -> Exchange {
    let durable = options.transient_quorum || options.stream_fanout;
    Exchange { name: format!("{topic}_fanout"), kind: ExchangeKind::Fanout, durable, auto_delete: true }
}

fn arguments(options: &QueueOptions, quorum: bool, ttl_s: i64) -> Vec<(&'static str, Argument)> {
    let mut arguments = Vec::new();
    if options.ha {
        arguments.push(("x-ha-policy", Argument::Text("all".to_owned())));
    }
    if quorum {
        arguments.push(("x-queue-type", Argument::Text("quorum".to_owned())));
        let limits = [
            ("x-delivery-limit", options.delivery_limit),
            ("x-max-in-memory-length", options.max_memory_length),
            ("x-max-in-memory-bytes", options.max_memory_bytes),
        ];
        arguments.extend(limits.into_iter().filter(|(_, value)| *value > 0).map(|(name, value)| (name, Argument::Number(value))));
    }
    if ttl_s > 0 {
        arguments.push(("x-expires", Argument::Number(ttl_s * 1000)));
    }
    arguments
}

fn consumer_arguments(options: &QueueOptions) -> Vec<(&'static str, Argument)> {
    if options.cancel_on_failover { vec![("x-cancel-on-ha-failover", Argument::Flag(true))] } else { Vec::new() }
}

/// `TOPIC` or `TOPIC.HOST`.
pub(crate) fn topic_queue(options: &QueueOptions, exchange: &str, name: &str) -> Queue {
    Queue {
        name: name.to_owned(),
        durable: options.durable,
        auto_delete: options.auto_delete,
        arguments: arguments(options, options.quorum, 0),
        binding: Some((topic_exchange(options, exchange), name.to_owned())),
        consumer_arguments: consumer_arguments(options),
    }
}

/// A server's own queue of a topic's fanouts, or the stream that all of them read.
pub(crate) fn fanout_queue(options: &QueueOptions, topic: &str, unique: &str) -> Queue {
    let exchange = fanout_exchange(options, topic);
    let durable = exchange.durable;
    let binding = Some((exchange, topic.to_owned()));
    if options.stream_fanout {
        let mut arguments = vec![("x-queue-type", Argument::Text("stream".to_owned()))];
        if options.transient_ttl_s > 0 {
            arguments.push(("x-max-age", Argument::Text(format!("{}s", options.transient_ttl_s))));
        }
        let consumer_arguments = vec![("x-stream-offset", Argument::Text("last".to_owned()))];
        return Queue { name: format!("{topic}_fanout"), durable, auto_delete: false, arguments, binding, consumer_arguments };
    }
    Queue {
        name: format!("{topic}_fanout_{unique}"),
        durable,
        auto_delete: false,
        arguments: arguments(options, options.transient_quorum, options.transient_ttl_s),
        binding,
        consumer_arguments: consumer_arguments(options),
    }
}

/// The queue of answers to this process.
pub(crate) fn reply_queue(options: &QueueOptions, unique: &str) -> Queue {
    Queue {
        name: format!("reply_{unique}"),
        durable: options.transient_quorum,
        auto_delete: false,
        arguments: arguments(options, options.transient_quorum, options.transient_ttl_s),
        binding: None,
        consumer_arguments: consumer_arguments(options),
    }
}

/// The queue that a notification finds though nobody reads it yet.
pub(crate) fn notification_queue(options: &QueueOptions, exchange: &str, name: &str) -> Queue {
    Queue { consumer_arguments: Vec::new(), ..topic_queue(options, exchange, name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> QueueOptions {
        QueueOptions { transient_ttl_s: 1800, ..QueueOptions::default() }
    }

    #[test]
    fn plain_queues_are_those_that_agents_declare() {
        let options = plain();
        let queue = topic_queue(&options, "neutron", "q-plugin.h1");
        assert_eq!((queue.durable, queue.auto_delete, queue.arguments.len()), (false, false, 0));
        let exchange = Exchange { name: "neutron".into(), kind: ExchangeKind::Topic, durable: false, auto_delete: false };
        assert_eq!(queue.binding, Some((exchange, "q-plugin.h1".into())));
        let queue = fanout_queue(&options, "q-plugin", "1a");
        assert_eq!((queue.name.as_str(), &queue.arguments), ("q-plugin_fanout_1a", &vec![("x-expires", Argument::Number(1_800_000))]));
        let exchange = queue.binding.unwrap().0;
        assert_eq!((exchange.name.as_str(), exchange.durable, exchange.auto_delete), ("q-plugin_fanout", false, true));
        let queue = reply_queue(&options, "2b");
        assert_eq!((queue.name.as_str(), queue.binding, queue.durable), ("reply_2b", None, false));
        assert_eq!(queue.arguments, [("x-expires", Argument::Number(1_800_000))]);
    }

    #[test]
    fn quorum_queues_and_streams() {
        let options = QueueOptions { durable: true, quorum: true, delivery_limit: 5, ..plain() };
        let queue = topic_queue(&options, "neutron", "t");
        assert!(queue.durable);
        assert_eq!(queue.arguments, [("x-queue-type", Argument::Text("quorum".into())), ("x-delivery-limit", Argument::Number(5))]);
        assert!(!fanout_queue(&options, "t", "1").durable);
        let options = QueueOptions { transient_quorum: true, ..plain() };
        let queue = reply_queue(&options, "1");
        assert!(queue.durable && queue.arguments.len() == 2, "{queue:?}");
        let options = QueueOptions { stream_fanout: true, ..options };
        let queue = fanout_queue(&options, "t", "1");
        assert_eq!((queue.name.as_str(), queue.is_stream(), queue.durable), ("t_fanout", true, true));
        assert!(queue.arguments.contains(&("x-max-age", Argument::Text("1800s".into()))));
    }
}
