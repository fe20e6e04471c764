// SPDX-License-Identifier: Apache-2.0
//! Answers shared through memcached, with memcached in every state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keystone_auth::{Memcached, Options, Protection, Secret};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::fake::{Fake, token};

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Well,
    /// Takes commands and says nothing.
    Silent,
    Nonsense,
    /// Announces more than anybody should read.
    Huge,
    Closes,
}

#[derive(Clone, Default)]
struct Store {
    entries: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    seen: Arc<Mutex<Vec<String>>>,
    mood: Arc<Mutex<Mood>>,
}

impl Store {
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, store) = (listener.local_addr().unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let store = store.clone();
                // The client may go away at any moment.
                tokio::spawn(async move { store.serve(stream).await.unwrap_or(()) });
            }
        });
        address.to_string()
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let words: Vec<&str> = line.trim_end().split(' ').collect();
            self.seen.lock().unwrap().push(words[0].to_owned());
            let answer = match words.as_slice() {
                ["set", name, flags, _, length] => {
                    let mut value = vec![0; length.parse::<usize>().unwrap() + 2];
                    stream.read_exact(&mut value).await?;
                    assert_eq!((*flags, value.split_off(value.len() - 2).as_slice()), ("0", b"\r\n".as_slice()));
                    self.entries.lock().unwrap().insert((*name).to_owned(), value);
                    b"STORED\r\n".to_vec()
                }
                ["get", name] => match self.entries.lock().unwrap().get(*name) {
                    None => b"END\r\n".to_vec(),
                    Some(value) => [format!("VALUE {name} 0 {}\r\n", value.len()).as_bytes(), value.as_slice(), b"\r\nEND\r\n"].concat(),
                },
                other => panic!("{other:?}"),
            };
            let mood = *self.mood.lock().unwrap();
            match mood {
                Mood::Well => stream.write_all(&answer).await?,
                Mood::Silent => {}
                Mood::Nonsense => stream.write_all(b"\xff\xfe what?\r\n").await?,
                Mood::Huge => stream.write_all(b"VALUE x 0 999999999999\r\n").await?,
                Mood::Closes => return Ok(()),
            }
        }
    }

    fn count(&self, command: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| *seen == command).count()
    }
}

fn options(fake: &Fake, server: &str, protection: Protection) -> Options {
    let memcached = Memcached {
        servers: vec![server.to_owned()],
        protection,
        socket_timeout: Duration::from_millis(300),
        dead_retry: Duration::from_secs(300),
        pool_maxsize: 2,
    };
    Options { memcached: Some(memcached), ..fake.options() }
}

fn all() -> [Protection; 3] {
    let secret = || Secret::new("sesame");
    [Protection::None, Protection::Signed(secret()), Protection::Encrypted(secret())]
}

#[tokio::test]
async fn what_one_server_asked_another_knows() {
    for protection in all() {
        let (fake, store) = (Fake::start().await, Store::default());
        let server = store.start().await;
        fake.knows("good", token(&["member"]));
        let (one, _) = fake.validator(options(&fake, &server, protection.clone()));
        let (two, _) = fake.validator(options(&fake, &server, protection.clone()));
        let first = one.validate("good").await.unwrap();
        assert_eq!((one.validate("good").await.unwrap(), two.validate("good").await.unwrap()), (first.clone(), first.clone()));
        assert_eq!((fake.questions(), two.stats().shared_hits), (1, 1), "{protection:?}");
        // Nobody here knows how old a shared answer is: it is not kept for longer than memcached keeps it.
        store.entries.lock().unwrap().clear();
        two.validate("good").await.unwrap();
        assert_eq!((fake.questions(), store.count("set")), (2, 2));
        assert!(two.validate("bad").await.is_err() && store.count("set") == 2);
        // With the catalog, as whoever else reads it may need it.
        let entries = store.entries.lock().unwrap().clone();
        let (name, value) = entries.iter().next().unwrap();
        assert!(!name.contains("good"));
        assert_eq!(String::from_utf8_lossy(value).contains("\"ann\""), protection == Protection::None, "{protection:?}");
    }
}

#[tokio::test]
async fn what_was_not_written_with_the_secret_is_not_believed() {
    for protection in all().into_iter().skip(1) {
        let (fake, store) = (Fake::start().await, Store::default());
        let server = store.start().await;
        fake.knows("good", token(&["member"]));
        let (one, _) = fake.validator(options(&fake, &server, protection.clone()));
        one.validate("good").await.unwrap();
        for value in store.entries.lock().unwrap().values_mut() {
            *value = serde_json::json!({"token": token(&["admin"])}).to_string().into_bytes();
        }
        let (two, _) = fake.validator(options(&fake, &server, protection));
        assert_eq!(two.validate("good").await.unwrap().roles, ["member"]);
        assert_eq!((fake.questions(), two.stats().shared_hits), (2, 0));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_wherever_it_was_found() {
    let (fake, store) = (Fake::start().await, Store::default());
    let server = store.start().await;
    let mut short = token(&["member"]);
    short["expires_at"] = crate::fake::at(100).into();
    fake.knows("short", short);
    let (one, _) = fake.validator(options(&fake, &server, Protection::None));
    one.validate("short").await.unwrap();
    let (two, clock) = fake.validator(options(&fake, &server, Protection::None));
    clock.advance(Duration::from_secs(99));
    two.validate("short").await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(two.validate("short").await.is_err());
}

#[tokio::test]
async fn a_memcached_that_fails_costs_one_wait_and_no_request() {
    for mood in [Mood::Silent, Mood::Nonsense, Mood::Huge, Mood::Closes] {
        let (fake, store) = (Fake::start().await, Store::default());
        let server = store.start().await;
        *store.mood.lock().unwrap() = mood;
        let (validator, clock) = fake.validator(options(&fake, &server, Protection::None));
        let began = Instant::now();
        for name in ["a", "b", "c", "d", "e", "f"] {
            fake.knows(name, token(&["member"]));
            validator.validate(name).await.unwrap();
        }
        let commands = store.seen.lock().unwrap().len();
        assert!(commands == 1 && began.elapsed() < Duration::from_secs(1), "{commands} in {:?}", began.elapsed());
        // It is tried again later.
        *store.mood.lock().unwrap() = Mood::Well;
        clock.advance(Duration::from_secs(301));
        fake.knows("g", token(&["member"]));
        validator.validate("g").await.unwrap();
        assert_eq!((store.count("set"), store.entries.lock().unwrap().len()), (1, 1));
    }
    let fake = Fake::start().await;
    fake.knows("good", token(&["member"]));
    let (validator, _) = fake.validator(options(&fake, "127.0.0.1:1", Protection::None));
    validator.validate("good").await.unwrap();
}

#[tokio::test]
async fn a_known_connection_that_falls_silent_costs_one_wait() {
    let (fake, store) = (Fake::start().await, Store::default());
    let server = store.start().await;
    let (validator, _) = fake.validator(options(&fake, &server, Protection::None));
    for name in ["a", "b"] {
        fake.knows(name, token(&["member"]));
    }
    validator.validate("a").await.unwrap();
    *store.mood.lock().unwrap() = Mood::Silent;
    let before = store.seen.lock().unwrap().len();
    validator.validate("b").await.unwrap();
    assert_eq!(store.seen.lock().unwrap().len() - before, 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let (fake, store) = (Fake::start().await, Store::default());
    let server = store.start().await;
    let (validator, _) = fake.validator(options(&fake, &server, Protection::None));
    fake.knows("a", token(&["member"]));
    validator.validate("a").await.unwrap();
    *store.mood.lock().unwrap() = Mood::Closes;
    fake.knows("b", token(&["member"]));
    let (other, _) = fake.validator(options(&fake, &server, Protection::None));
    other.validate("b").await.unwrap();
    *store.mood.lock().unwrap() = Mood::Well;
    fake.knows("c", token(&["member"]));
    validator.validate("c").await.unwrap();
    assert!(store.count("set") >= 2);
}

#[test]
fn an_address_that_is_none_stops_the_start() {
    let memcached = Memcached {
        servers: vec!["host:port".to_owned()],
        protection: Protection::None,
        socket_timeout: Duration::from_secs(1),
        dead_retry: Duration::from_secs(1),
        pool_maxsize: 1,
    };
    let options = Options {
        auth_type: Some("password".to_owned()),
        auth_url: Some("http://127.0.0.1:1/v3".to_owned()),
        username: Some("neutron".to_owned()),
        password: Some(Secret::new("x")),
        memcached: Some(memcached),
        ..Options::default()
    };
    let error = keystone_auth::Validator::new(options).err().unwrap();
    assert_eq!(error.option, "memcached_servers");
}
