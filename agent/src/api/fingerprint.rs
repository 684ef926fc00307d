//! What an `Idempotency-Key` becomes: two HMACs under a key of this installation.
//!
//! In flow the header and the parsed members; out flows what the outbox stores. The rule: two bodies have the same
//! fingerprint exactly if their members are equal, in any order; and nobody with the files alone can guess a body
//! from it (a bare hash of a text with a six-digit code can be tried out in a blink).

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

use super::json::{Members, Value};
use super::secret_file::{self, SecretError};
use crate::message::{Code, Problem};
use crate::outbox::Idempotency;

/// The header's name, which is also the `parameter` of its problems.
pub(super) const HEADER: &str = "Idempotency-Key";

/// The longest key in bytes.
const LONGEST: usize = 255;

/// Fingerprints under the key of this installation.
pub struct Fingerprints(Hmac<Sha256>);

impl Fingerprints {
    /// Reads the installation's key, or makes one if there is no such file and none is `in_use`: what the outbox
    /// remembers by a key that is lost would not be recognised by another.
    ///
    /// # Errors
    /// The file is lost, can be neither read nor made, or is shorter than a key that this program makes.
    pub fn open(path: &Path, in_use: bool) -> Result<Self, SecretError> {
        if in_use && !path.exists() {
            return Err(SecretError::Lost { path: path.to_owned() });
        }
        let (key, metadata) = secret_file::read_or_make(path)?;
        secret_file::owned(path, &metadata)?;
        secret_file::close(path, &metadata)?;
        Self::of_key(path, &key)
    }

    /// Reads the installation's key as [`Fingerprints::open`] does, and changes nothing.
    ///
    /// # Errors
    /// As [`Fingerprints::open`].
    pub fn inspect(path: &Path, in_use: bool) -> Result<Option<Self>, SecretError> {
        if !path.exists() {
            return if in_use { Err(SecretError::Lost { path: path.to_owned() }) } else { Ok(None) };
        }
        let (key, metadata) = secret_file::read(path)?;
        secret_file::owned(path, &metadata)?;
        Self::of_key(path, &key).map(Some)
    }

    fn of_key(path: &Path, key: &[u8]) -> Result<Self, SecretError> {
        let unusable = |fault| SecretError::Unusable { path: path.to_owned(), fault };
        if key.trim_ascii().len() < 64 {
            return Err(unusable("is cut short: it must hold 64 hexadecimal digits"));
        }
        let digits = key.trim_ascii();
        if !digits.iter().all(u8::is_ascii_hexdigit) || digits.iter().all(|digit| Some(digit) == digits.first()) {
            return Err(unusable("does not hold 64 random hexadecimal digits"));
        }
        Hmac::new_from_slice(key.trim_ascii()).map(Self).map_err(|_| unusable("is no key"))
    }

    /// What tells this key from every other, and nothing about it.
    pub fn check_value(&self) -> [u8; 32] {
        let mut check = self.0.clone();
        check.update(&[2]);
        check.update(b"the key of the fingerprints");
        check.finalize().into_bytes().into()
    }

    /// The key that came with a request, if one came.
    ///
    /// # Errors
    /// `invalid_parameter`: it is empty, too long, repeated, or not printable ASCII.
    pub(super) fn of(&self, headers: &HeaderMap, members: &Members<'_>) -> Result<Option<Idempotency>, Problem> {
        let mut given = headers.get_all(HEADER).iter();
        let Some(value) = given.next() else { return Ok(None) };
        let key = value.as_bytes();
        let printable = key.iter().all(|byte| matches!(byte, b' '..=b'~'));
        if given.next().is_some() || key.is_empty() || key.len() > LONGEST || !printable {
            let allowed = "`Idempotency-Key` must come once and have 1 to 255 printable ASCII characters.";
            return Err(Problem::new(Code::InvalidParameter, allowed).of(HEADER));
        }
        // Each use of the installation's key has a first byte of its own, so that neither can stand for the other.
        let mut of_key = self.0.clone();
        of_key.update(&[0]);
        of_key.update(key);
        let mut of_body = self.0.clone();
        of_body.update(&[1]);
        feed_members(&mut of_body, members);
        Ok(Some(Idempotency {
            key: of_key.finalize().into_bytes().into(),
            fingerprint: of_body.finalize().into_bytes().into(),
        }))
    }
}

/// Feeds members in the order of their names, without those that are null: those count as absent.
fn feed_members(mac: &mut Hmac<Sha256>, members: &Members<'_>) {
    for (name, value) in members.iter().filter(|(_, value)| !matches!(value, Value::Null)) {
        feed(mac, b'm', name.as_bytes());
        feed_value(mac, value);
    }
    feed(mac, b'e', b"");
}

fn feed_value(mac: &mut Hmac<Sha256>, value: &Value<'_>) {
    match value {
        Value::Null => feed(mac, b'n', b""),
        Value::Bool(value) => feed(mac, b'b', &[u8::from(*value)]),
        Value::Integer(value) => feed(mac, b'i', &value.to_be_bytes()),
        Value::Fraction(value) => feed(mac, b'f', &value.to_bits().to_be_bytes()),
        Value::Text(text) => feed(mac, b't', text.as_bytes()),
        Value::List(values) => {
            feed(mac, b'l', b"");
            values.iter().for_each(|value| feed_value(mac, value));
            feed(mac, b'e', b"");
        }
        Value::Object(members) => {
            feed(mac, b'o', b"");
            feed_members(mac, members);
        }
    }
}

/// Kind, length, bytes: no two different sequences of values feed the same.
fn feed(mac: &mut Hmac<Sha256>, kind: u8, bytes: &[u8]) {
    mac.update(&[kind]);
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    fn fingerprints() -> Fingerprints {
        Fingerprints(Hmac::new_from_slice(&[7; 32]).unwrap())
    }

    fn of(keys: &[&[u8]], body: &str) -> Result<Option<Idempotency>, Problem> {
        let headers = keys
            .iter()
            .map(|key| (http::HeaderName::from_static("idempotency-key"), http::HeaderValue::from_bytes(key).unwrap()))
            .collect();
        fingerprints().of(&headers, &json::object(body.as_bytes()).unwrap())
    }

    fn body(body: &str) -> [u8; 32] {
        of(&[b"k"], body).unwrap().unwrap().fingerprint
    }

    #[test]
    fn equal_members_in_any_order_and_notation_have_one_fingerprint() {
        let first = body(r#"{"to":"+12065550100","body":"é","expires_in":60}"#);
        assert_eq!(first, body(r#"{ "expires_in": 6e1, "body": "\u00e9", "to": "+12065550100", "type": null }"#));
    }

    #[test]
    fn different_members_have_different_fingerprints() {
        let bodies =
            [r#"{"a":"b"}"#, r#"{"a":"bc"}"#, r#"{"ab":"c"}"#, r#"{"a":"b","c":"d"}"#, r#"{"a":1}"#, r#"{"a":"1"}"#];
        let all: std::collections::HashSet<_> = bodies.iter().map(|text| body(text)).collect();
        assert_eq!(all.len(), bodies.len());
    }

    #[test]
    fn the_key_is_compared_by_its_bytes_and_not_kept() {
        let key = |bytes: &[u8]| of(&[bytes], "{}").unwrap().unwrap().key;
        assert_ne!(key(b"k"), key(b"K"));
        assert_eq!(key(b"a b"), key(b"a b"));
    }

    #[test]
    fn no_key_is_no_idempotency_and_a_bad_one_is_named() {
        assert_eq!(of(&[], "{}").unwrap(), None);
        let long = [b'x'; 256];
        for bad in [&[&b""[..]][..], &[&long[..]], &[b"a", b"a"], &[b"caf\xc3\xa9"], &[b"a\tb"]] {
            let problem = of(bad, "{}").unwrap_err();
            assert_eq!((problem.code, problem.parameter.as_deref()), (Code::InvalidParameter, Some(HEADER)), "{bad:?}");
        }
        assert!(of(&[&long[..255]], "{}").unwrap().is_some());
    }

    #[test]
    fn the_installations_key_survives_a_restart_and_differs_between_installations() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str| {
            let headers =
                [(http::HeaderName::from_static("idempotency-key"), "k".parse().unwrap())].into_iter().collect();
            Fingerprints::open(&folder.path().join(name), false).unwrap().of(&headers, &Members::new()).unwrap()
        };
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("two"));
    }

    #[test]
    fn a_key_that_is_in_use_is_not_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fingerprint-key");
        let Err(error) = Fingerprints::open(&path, true) else { panic!("it was made anew") };
        let error = error.to_string();
        assert!(error.contains("fingerprint-key is missing") && error.contains("openssl rand -hex 32"), "{error}");
        assert!(!path.exists());
        assert!(Fingerprints::open(&path, false).is_ok());
        assert!(Fingerprints::open(&path, true).is_ok());
    }
}
