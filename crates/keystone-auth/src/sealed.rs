// SPDX-License-Identifier: Apache-2.0
//! Names and values in a shared cache, as Keystone's middleware writes them: open, signed (`MAC`), or encrypted and signed
//! (`ENCRYPT`).
//!
//! Owns: the derivation of keys from `memcache_secret_key` and the token, and both directions of the protection. Invariant:
//! what was not signed with the secret is not read where there is one. The forms are facts of the middleware: whoever runs it on
//! the same memcached reads what is written here.

use aes::Aes128;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};

use crate::options::Secret;

/// Bytes of each of the three keys, of AES' blocks and of the initial vector.
const BLOCK: usize = 16;
/// A signature's length in base64.
const SIGNATURE: usize = 64;

/// How entries are protected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Whoever can write to memcached can invent tokens.
    #[default]
    None,
    Signed(Secret),
    Encrypted(Secret),
}

/// What is needed for one token's entry.
pub(crate) struct Seal {
    pub(crate) name: String,
    keys: Option<Keys>,
}

struct Keys {
    sign: hmac::Key,
    encrypt: Option<[u8; BLOCK]>,
}

impl Seal {
    pub(crate) fn new(protection: &Protection, token: &str) -> Self {
        let (secret, strategy) = match protection {
            Protection::None => {
                let name = hex(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
                return Self { name: format!("tokens/{name}"), keys: None };
            }
            Protection::Signed(secret) => (secret, "MAC"),
            Protection::Encrypted(secret) => (secret, "ENCRYPT"),
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA384, secret.reveal().as_bytes()));
        context.update(token.as_bytes());
        context.update(strategy.as_bytes());
        let derived = context.sign();
        let part = |number: usize| -> [u8; BLOCK] {
            let mut bytes = [0; BLOCK];
            for (to, from) in bytes.iter_mut().zip(derived.as_ref().iter().skip(number * BLOCK)) {
                *to = *from;
            }
            bytes
        };
        Self {
            // The middleware formats bytes as Python shows them.
            name: format!("tokens/b'{}'", STANDARD.encode(part(0))),
            keys: Some(Keys { sign: hmac::Key::new(hmac::HMAC_SHA384, &part(1)), encrypt: (strategy == "ENCRYPT").then(|| part(2)) }),
        }
    }

    /// `None`: the system gives no random bytes.
    pub(crate) fn close(&self, value: &[u8]) -> Option<Vec<u8>> {
        let Some(keys) = &self.keys else { return Some(value.to_vec()) };
        let text = match &keys.encrypt {
            None => STANDARD.encode(value),
            Some(key) => {
                let mut vector = [0; BLOCK];
                SystemRandom::new().fill(&mut vector).ok()?;
                STANDARD.encode(encrypt(key, vector, value))
            }
        };
        let mut closed = STANDARD.encode(hmac::sign(&keys.sign, text.as_bytes())).into_bytes();
        closed.extend_from_slice(text.as_bytes());
        Some(closed)
    }

    /// `None`: it was written without the secret, or is broken.
    pub(crate) fn open(&self, value: &[u8]) -> Option<Vec<u8>> {
        let Some(keys) = &self.keys else { return Some(value.to_vec()) };
        let (signature, text) = value.split_at_checked(SIGNATURE)?;
        hmac::verify(&keys.sign, text, &STANDARD.decode(signature).ok()?).ok()?;
        let data = STANDARD.decode(text).ok()?;
        let Some(key) = &keys.encrypt else { return Some(data) };
        let (vector, data) = data.split_first_chunk::<BLOCK>()?;
        cbc::Decryptor::<Aes128>::new(key.into(), vector.into()).decrypt_padded_vec_mut::<Pkcs7>(data).ok()
    }
}

fn encrypt(key: &[u8; BLOCK], vector: [u8; BLOCK], value: &[u8]) -> Vec<u8> {
    let mut data = vector.to_vec();
    data.extend(cbc::Encryptor::<Aes128>::new(key.into(), &vector.into()).encrypt_padded_vec_mut::<Pkcs7>(value));
    data
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "gAAAA-token";
    const VALUE: &[u8] = br#"{"token": {}}"#;

    fn all() -> [Protection; 3] {
        let secret = || Secret::new("sesame");
        [Protection::None, Protection::Signed(secret()), Protection::Encrypted(secret())]
    }

    /// Names and values that keystonemiddleware 12.0 made of the same token, secret and text (the vector is the bytes 0 to 15).
    #[test]
    fn as_the_middleware_writes() {
        let [open, signed, encrypted] = all().map(|protection| Seal::new(&protection, TOKEN));
        assert_eq!(open.name, "tokens/119a7ec1e1d2952f7853449fd77dad08fa982be12cff87d34cd7cb8d1aeb7351");
        assert_eq!(signed.name, "tokens/b'McveIKI3yc8SlYLu37jkgA=='");
        assert_eq!(encrypted.name, "tokens/b'DG/MQo4m9i35a2jOZ6ykNw=='");
        let written = "j0+2kEiuIAJina8lyHBJyqjdwlmN9Lrls3C+Vs/ZnCs27aCK4Bby8MonTQuKgp4/eyJ0b2tlbiI6IHt9fQ==";
        assert_eq!(signed.close(VALUE).unwrap(), written.as_bytes());
        assert_eq!(signed.open(written.as_bytes()).unwrap(), VALUE);
        let written = "eZdpkuhAMzM1OKdosgKasi9IY3kN0YRB0oNFBPxrcNJtc/Iy7piZW7WY+47nr2mMAAECAwQFBgcICQoLDA0OD75pfRfARU0SZgc5sEHn2b0=";
        assert_eq!(encrypted.open(written.as_bytes()).unwrap(), VALUE);
    }

    #[test]
    fn there_and_back_and_nothing_forged() {
        for protection in all() {
            let seal = Seal::new(&protection, TOKEN);
            let closed = seal.close(VALUE).unwrap();
            assert_eq!(seal.open(&closed).as_deref(), Some(VALUE));
            if protection == Protection::None {
                continue;
            }
            assert_eq!(seal.open(VALUE), None);
            for place in 0..closed.len() {
                let mut other = closed.clone();
                other[place] ^= 1;
                assert_eq!(seal.open(&other), None, "{place}");
                assert_eq!(seal.open(&closed[..place]), None, "{place}");
            }
            assert_eq!(Seal::new(&protection, "another").open(&closed), None);
        }
        assert_ne!(Seal::new(&all()[2], TOKEN).close(VALUE), Seal::new(&all()[2], TOKEN).close(VALUE));
    }
}
