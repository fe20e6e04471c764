// SPDX-License-Identifier: Apache-2.0
//! The crate's integration tests, in one binary.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod build;
mod contract;
mod never_panics;
mod validator_cases;
