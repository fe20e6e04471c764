// SPDX-License-Identifier: Apache-2.0
//! The transport: a listening socket, HTTP/1.1 connections, limits, draining.
//!
//! Owns everything between the socket and [`crate::app::App`]. Knows no path, no filter and no configuration file: [`ListenConfig`]
//! holds plain values. Invariants: every limit has an answer of its own (400, 408, 413, 414, 431, 503) and never an unbounded buffer; a
//! request that was handed to the application runs to its end in a task of its own, even when its client hangs up.

pub mod accept;
mod admission;
mod body;
mod connection;
pub mod fault;
mod listen;
mod refusal;
mod server;
mod stream;
mod tls;

pub use listen::{Limits, ListenConfig, TlsConfig};
pub use server::{Drained, Listener};
