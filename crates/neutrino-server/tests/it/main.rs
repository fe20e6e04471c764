// SPDX-License-Identifier: Apache-2.0
//! The programs as an operator meets them, and the options against the contract.

#![expect(clippy::unwrap_used, reason = "tests")]

mod options;
mod policy;
mod process;
mod programs;
