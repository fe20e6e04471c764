// SPDX-License-Identifier: Apache-2.0
//! `use_ssl`: certificates read from files, TLS 1.2 and 1.3 by rustls.
//!
//! Invariant: what cannot be honoured (a cipher list, a version that no library should speak) is refused at start.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use tokio_rustls::TlsAcceptor;

use super::TlsConfig;

static BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
static ONLY_1_2: &[&SupportedProtocolVersion] = &[&version::TLS12];

/// Reads the certificates and makes the acceptor.
///
/// # Errors
/// A file is missing, holds no usable certificate or key, or an option asks for something unsupported. The message names the option.
pub(super) fn acceptor(config: &TlsConfig) -> io::Result<TlsAcceptor> {
    if let Some(ciphers) = config.ciphers.as_deref().filter(|list| !list.is_empty()) {
        return Err(refused(format!(
            "[ssl] ciphers = {ciphers}: cipher lists are not supported; remove the option to use the safe default"
        )));
    }
    let versions = versions(config.version.as_deref())?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .map_err(|error| refused(format!("[ssl] version: {error}")))?;
    let builder = match &config.ca_file {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), Arc::new(ring::default_provider()))
                .build()
                .map_err(|error| refused(format!("[ssl] ca_file = {}: {error}", path.display())))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let (chain, key) = (certificates("cert_file", &config.cert_file)?, private_key(&config.key_file)?);
    let mut server = builder
        .with_single_cert(chain, key)
        .map_err(|error| refused(format!("[ssl] cert_file and key_file do not fit together or are not usable: {error}")))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn versions(wanted: Option<&str>) -> io::Result<&'static [&'static SupportedProtocolVersion]> {
    match wanted.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "sslv23" => Ok(BOTH),
        "tlsv1_2" => Ok(ONLY_1_2),
        other => {
            Err(refused(format!("[ssl] version = {other} is not supported; use TLSv1_2, or SSLv23 for every safe version (1.2 and 1.3)")))
        }
    }
}

fn authorities(path: &Path) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("ca_file", path)? {
        roots.add(certificate).map_err(|error| refused(format!("[ssl] ca_file = {}: {error}", path.display())))?;
    }
    Ok(roots)
}

fn certificates(option: &str, path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_slice_iter(&contents(option, path)?).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(refused(format!("[ssl] {option} = {}: the file holds no PEM certificate", path.display()))),
        Err(error) => Err(refused(format!("[ssl] {option} = {}: {error}", path.display()))),
    }
}

fn private_key(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(&contents("key_file", path)?).map_err(|error| {
        refused(format!("[ssl] key_file = {}: no unencrypted PEM private key can be read from it ({error})", path.display()))
    })
}

fn contents(option: &str, path: &Path) -> io::Result<Vec<u8>> {
    if path.as_os_str().is_empty() {
        return Err(refused(format!("use_ssl is on, but [ssl] {option} is not set")));
    }
    std::fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("[ssl] {option} = {}: {error}", path.display())))
}

fn refused(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
