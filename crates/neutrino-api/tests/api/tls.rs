// SPDX-License-Identifier: Apache-2.0
//! `use_ssl`, with certificates made for these tests alone (`data/`, valid for a hundred years).

use std::path::PathBuf;
use std::sync::Arc;

use neutrino_api::http::{ListenConfig, Listener, TlsConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::{Client, Server, quick};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api/data").join(name)
}

fn config() -> TlsConfig {
    TlsConfig { cert_file: data("server.pem"), key_file: data("server.key"), ..TlsConfig::default() }
}

fn certificates(name: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(data(name)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn connector(with_certificate: bool) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificates("ca.pem").remove(0)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let config = if with_certificate {
        let key = PrivateKeyDer::from_pem_file(data("client.key")).unwrap();
        builder.with_client_auth_cert(certificates("client.pem"), key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    TlsConnector::from(Arc::new(config))
}

/// The status and the URL that the server saw; `None` when there was no conversation.
async fn ask(server: &Server, connector: TlsConnector) -> Option<(u16, String)> {
    let socket = TcpStream::connect(server.address).await.unwrap();
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), socket).await.ok()?;
    let mut client = Client { stream: BufReader::new(stream) };
    // In TLS 1.3 a client learns that its certificate was refused only now.
    tokio::io::AsyncWriteExt::write_all(&mut client.stream, b"GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n").await.ok()?;
    tokio::io::AsyncWriteExt::flush(&mut client.stream).await.ok()?;
    let mut first = [0u8; 1];
    let peeked = client.stream.get_mut();
    if tokio::io::AsyncReadExt::read(peeked, &mut first).await.ok()? == 0 {
        return None;
    }
    let mut rest =
        Client { stream: BufReader::new(tokio::io::join(tokio::io::AsyncReadExt::chain(&first[..], client.stream), tokio::io::sink())) };
    let answer = rest.answer().await;
    Some((answer.status, answer.json()["base_url"].as_str().unwrap().to_owned()))
}

#[tokio::test]
async fn requests_come_over_tls() {
    let server = Server::start_with(quick(), Some(config()), None).await;
    assert_eq!(ask(&server, connector(false)).await, Some((200, "https://localhost:1".to_owned())));
    let mut plain = server.connect().await;
    plain.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut bytes = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain.stream, &mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP"), "plain HTTP is not answered on a TLS port");
    assert_eq!(ask(&server, connector(false)).await.map(|seen| seen.0), Some(200));
}

#[tokio::test]
async fn with_a_ca_file_clients_need_a_certificate() {
    let tls = TlsConfig { ca_file: Some(data("ca.pem")), ..config() };
    let server = Server::start_with(quick(), Some(tls), None).await;
    assert_eq!(ask(&server, connector(false)).await, None);
    assert_eq!(ask(&server, connector(true)).await.map(|seen| seen.0), Some(200));
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused_by_name() {
    let cases = [
        (TlsConfig { cert_file: data("none.pem"), ..config() }, "[ssl] cert_file"),
        (TlsConfig { cert_file: PathBuf::new(), ..config() }, "cert_file is not set"),
        (TlsConfig { key_file: data("server.pem"), ..config() }, "[ssl] key_file"),
        (TlsConfig { key_file: data("client.key"), ..config() }, "do not fit together"),
        (TlsConfig { ca_file: Some(data("server.key")), ..config() }, "[ssl] ca_file"),
        (TlsConfig { version: Some("SSLv3".to_owned()), ..config() }, "[ssl] version = sslv3"),
        (TlsConfig { ciphers: Some("ALL".to_owned()), ..config() }, "[ssl] ciphers"),
    ];
    for (tls, part) in cases {
        let listen = ListenConfig { bind_host: "127.0.0.1".to_owned(), bind_port: 0, tls: Some(tls), ..ListenConfig::default() };
        let message = Listener::bind(listen).err().unwrap().to_string();
        assert!(message.contains(part), "{message}");
    }
}
