// SPDX-License-Identifier: Apache-2.0
//! The filters and small applications that `api-paste.ini` may name. One module each.

pub mod request_id;
