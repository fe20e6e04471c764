// SPDX-License-Identifier: Apache-2.0
//! TLS towards Keystone: `cafile`, `insecure`, `certfile`, `keyfile`.
//!
//! Invariant: without `insecure` the server's certificate is checked against `cafile`, or the system's authorities.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::options::{OptionError, Options};

/// Where systems keep the authorities they trust.
const SYSTEM_BUNDLES: [&str; 4] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"];

/// Reads the certificates.
///
/// # Errors
/// A file cannot be used. Without any authority only `needed` connections matter: then it is an error, too.
pub(crate) fn config(options: &Options, needed: bool) -> Result<Arc<ClientConfig>, OptionError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| OptionError::new("auth_url", format!("TLS cannot be set up: {error}")))?;
    let builder = if options.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
    } else {
        builder.with_root_certificates(authorities(options.cafile.as_deref(), needed)?)
    };
    let mut config = own_certificate(builder, options)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn authorities(cafile: Option<&Path>, needed: bool) -> Result<RootCertStore, OptionError> {
    let mut roots = RootCertStore::empty();
    let path = match cafile {
        Some(path) => path.to_owned(),
        None => match SYSTEM_BUNDLES.iter().map(PathBuf::from).find(|path| path.exists()) {
            Some(path) => path,
            None if needed => {
                return Err(OptionError::new("cafile", "is not set, and this system keeps no list of trusted authorities"));
            }
            None => return Ok(roots),
        },
    };
    let (added, _) = roots.add_parsable_certificates(certificates("cafile", &path)?);
    if added == 0 {
        return Err(OptionError::new("cafile", format!("{}: none of the certificates can be used", path.display())));
    }
    Ok(roots)
}

fn own_certificate(builder: ConfigBuilder<ClientConfig, WantsClientCert>, options: &Options) -> Result<ClientConfig, OptionError> {
    let Some(certfile) = &options.certfile else {
        return match &options.keyfile {
            Some(_) => Err(OptionError::new("keyfile", "is set, but certfile is not")),
            None => Ok(builder.with_no_client_auth()),
        };
    };
    // As with OpenSSL, one file may hold both.
    let keyfile = options.keyfile.as_ref().unwrap_or(certfile);
    let key = PrivateKeyDer::from_pem_slice(&contents("keyfile", keyfile)?).map_err(|error| {
        OptionError::new("keyfile", format!("{}: no unencrypted PEM private key can be read from it ({error})", keyfile.display()))
    })?;
    builder
        .with_client_auth_cert(certificates("certfile", certfile)?, key)
        .map_err(|error| OptionError::new("certfile", format!("certfile and keyfile do not fit together or are not usable: {error}")))
}

fn certificates(option: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, OptionError> {
    let read = CertificateDer::pem_slice_iter(&contents(option, path)?).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(OptionError::new(option, format!("{}: the file holds no PEM certificate", path.display()))),
        Err(error) => Err(OptionError::new(option, format!("{}: {error}", path.display()))),
    }
}

fn contents(option: &'static str, path: &Path) -> Result<Vec<u8>, OptionError> {
    std::fs::read(path).map_err(|error| OptionError::new(option, format!("{}: {error}", path.display())))
}

/// `insecure`: any certificate will do; the handshake's signatures are checked all the same.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
