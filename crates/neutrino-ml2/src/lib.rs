// SPDX-License-Identifier: Apache-2.0
//! The core plugin: networks, subnets, ports, and the management of their addresses.

pub mod ipam;
