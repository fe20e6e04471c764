// SPDX-License-Identifier: Apache-2.0
//! The schema as data against the contract, its statements, and its life on real SQLite files.

mod contract;
mod ddl;
mod upgrade;
