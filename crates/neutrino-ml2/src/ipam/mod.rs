// SPDX-License-Identifier: Apache-2.0
//! IP address management: which address a port gets, which CIDR a subnet gets.
//!
//! The rules are pure and live in [`pools`] (pools and gateways of one subnet), [`candidates`] (the choice of addresses) and
//! [`subnet_alloc`] (the choice of a CIDR from a subnet pool); files that touch Neutron's tables call them and add no rule of
//! their own. Invariant: no scan and no lock of a subnet's allocations to hand out one address; uniqueness is the primary key of
//! `ipamallocations`.

pub mod allocate;
pub mod candidates;
pub mod errors;
pub mod network;
pub mod pools;
pub mod records;
pub mod request;
pub mod subnet_alloc;
pub mod update;

#[cfg(test)]
mod tests;
