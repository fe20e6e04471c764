// SPDX-License-Identifier: Apache-2.0
//! Tokens of every kind, against a Keystone in every state.

mod fake;
mod states;
mod tokens;
