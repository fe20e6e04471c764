// SPDX-License-Identifier: Apache-2.0
//! The vocabulary that every crate shares: errors, MAC addresses, CIDRs, address and port ranges.
//!
//! Owns no I/O and no Neutron table. Invariant: nothing here panics on any input.

pub mod cidr;
pub mod error;
pub mod ip;
pub mod mac;
pub mod port_range;
pub mod range;

pub use error::{Class, Error, Kind, Result};
