// SPDX-License-Identifier: Apache-2.0
//! The facts of Neutron's interface, as data, for tests: `$NEUTRINO_CONTRACT`, or `shared/contract` beside the checkout.

use std::path::PathBuf;

use serde_json::Value;

/// One file of the contract.
///
/// # Panics
/// When it is not there: a test that needs it must not pass without it.
#[must_use]
pub fn read(name: &str) -> Value {
    let folder = std::env::var_os("NEUTRINO_CONTRACT")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract"), PathBuf::from);
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|e| panic!("the contract is needed: set NEUTRINO_CONTRACT to its folder ({}: {e})", path.display()));
    serde_json::from_str(&text).expect("a file of the contract is JSON")
}

/// A file of the peer kit: `$NEUTRINO_PEER`, or `shared/peer` beside the checkout.
#[must_use]
pub fn peer(name: &str) -> PathBuf {
    let folder = std::env::var_os("NEUTRINO_PEER")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/peer"), PathBuf::from);
    folder.join(name)
}
