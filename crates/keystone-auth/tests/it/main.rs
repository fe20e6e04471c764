// SPDX-License-Identifier: Apache-2.0
//! Tokens of every kind, against a Keystone in every state.
#![expect(clippy::unwrap_used, reason = "tests")]

mod fake;
mod memcached;
mod states;
mod tokens;
