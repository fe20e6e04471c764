// SPDX-License-Identifier: Apache-2.0
//! A service of few words beside the server: it answers as a function says, and keeps what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    head: String,
    pub body: Value,
}

impl Asked {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next().unwrap_or_default()
    }

    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
        Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let mut words = head.split(' ');
                let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
                return Some(Asked { method, path, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() });
            }
        }
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => text.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

/// What the service holds: any state, and how it behaves next.
pub struct Service<S> {
    pub address: String,
    pub state: Arc<Mutex<S>>,
    pub asked: Arc<Mutex<Vec<Asked>>>,
    /// Answers come this late.
    pub delay: Arc<Mutex<Duration>>,
}

impl<S: Default + Send + 'static> Service<S> {
    /// `answer`: status, headers with their line ends, body. A token of Keystone is given without asking it: `own`, with a catalog that has
    /// every `types` at `/name`.
    pub async fn start(types: &'static [&'static str], answer: fn(&mut S, &Asked) -> (u16, Value)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let service = Self { address, state: Arc::default(), asked: Arc::default(), delay: Arc::default() };
        let (place, state, asked, delay) = (service.address.clone(), service.state.clone(), service.asked.clone(), service.delay.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (place, state, asked, delay) = (place.clone(), state.clone(), asked.clone(), delay.clone());
                tokio::spawn(async move {
                    let Some(question) = read(&mut stream).await else { return };
                    let (status, headers, body) = if question.path == "/v3/auth/tokens" {
                        let catalog: Vec<Value> = types.iter().map(|name| entry(&place, name)).collect();
                        let token = json!({"token": {"expires_at": "2999-01-01T00:00:00.000000Z", "catalog": catalog}});
                        (201, "X-Subject-Token: own\r\n", token)
                    } else {
                        let pause = *delay.lock().unwrap();
                        tokio::time::sleep(pause).await;
                        asked.lock().unwrap().push(question.clone());
                        let (status, body) = answer(&mut state.lock().unwrap(), &question);
                        (status, "", body)
                    };
                    let body = if status == 204 { String::new() } else { body.to_string() };
                    let text = format!("HTTP/1.1 {status} X\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                    let _ = stream.write_all(text.as_bytes()).await;
                });
            }
        });
        service
    }

    /// What was asked since the last look.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut S) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }
}

fn entry(place: &str, name: &str) -> Value {
    json!({"type": name, "endpoints": [{"interface": "public", "region_id": "here", "url": format!("http://{place}/{name}")}]})
}
