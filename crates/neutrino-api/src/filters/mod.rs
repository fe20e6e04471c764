// SPDX-License-Identifier: Apache-2.0
//! The filters and small applications that `api-paste.ini` may name. One module each.
//!
//! A filter is an [`crate::app::App`] around another. None knows the file's language: [`crate::paste`] makes them. Names are those of
//! oslo.middleware and Neutron.

pub mod authtoken;
pub mod catch_errors;
pub mod cors;
pub mod debug;
pub mod healthcheck;
pub mod http_proxy;
pub mod identity;
pub mod request_id;
pub mod sizelimit;
