//! Tokens: signed access tokens, rotating refresh tokens, challenges to devices.
//!
//! Access tokens are JWTs of one algorithm (EdDSA), one key id, and required `aud`, `iss`, `typ`.
//! Refresh tokens and challenges are functions of the token key: nothing of them needs to be kept.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sync_core::catalogue::Catalogue;
use sync_core::identity::{KeyId, PersonId, ProvinceId, labelled_hash};

use crate::limits;
use crate::problem::{Problem, ProblemCode};

const TYPE: &str = "at+jwt";

/// A link token: how a device key id begins, when the token ends, and 88 bits that only this server can
/// make, which nobody guesses within a quarter of an hour by asking.
const LINK_KEY_BYTES: usize = 6;
const LINK_PROOF_BYTES: usize = 11;
const LINK_LETTERS: usize = 28;

/// The fixed start of an Ed25519 private key in PKCS #8 (RFC 8410), before the 32 bytes of the seed.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyId>,
    iat: i64,
    exp: i64,
}

/// Who asks, as proved by an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The person.
    pub person: PersonId,
    /// The device key that proved itself, if it was not a password.
    pub key: Option<KeyId>,
}

/// Makes and checks tokens.
pub struct Tokens {
    header: Header,
    validation: Validation,
    encoding: EncodingKey,
    decoding: DecodingKey,
    issuer: String,
    audience: String,
    refresh_secret: [u8; 32],
    challenge_secret: [u8; 32],
    link_secret: [u8; 32],
    proved: Mutex<BTreeMap<[u8; 32], Proved>>,
}

/// What an access token said whose signature was checked; it stands until the token ends.
#[derive(Debug, Clone, Copy)]
struct Proved {
    identity: Identity,
    ends_at: i64,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// A refresh token taken apart; its secret was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// The family.
    pub family: [u8; 16],
    /// The generation, from 1.
    pub generation: u64,
}

impl Tokens {
    /// Tokens of a province, signed with `key`.
    pub fn new(province: ProvinceId, key: &SigningKey) -> Self {
        let key_id = KeyId::of(key.verifying_key().as_bytes()).to_string();
        let issuer = format!("dongbo:{province}");
        let audience = format!("dongbo-api:{province}");
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key_id);
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[&audience]);
        validation.set_issuer(&[&issuer]);
        validation.required_spec_claims =
            HashSet::from(["exp", "iss", "aud", "sub"].map(str::to_owned));
        // Judged below with the server's own clock, to the second.
        validation.validate_exp = false;
        let mut der = PKCS8_PREFIX.to_vec();
        der.extend_from_slice(key.as_bytes());
        Self {
            header,
            validation,
            encoding: EncodingKey::from_ed_der(&der),
            decoding: DecodingKey::from_ed_der(key.verifying_key().as_bytes()),
            issuer,
            audience,
            refresh_secret: labelled_hash("refresh token secret", &[key.as_bytes()]),
            challenge_secret: labelled_hash("challenge secret", &[key.as_bytes()]),
            link_secret: labelled_hash("link token secret", &[key.as_bytes()]),
            proved: Mutex::default(),
        }
    }

    /// An access token for 15 minutes.
    pub fn access(&self, identity: Identity, now: i64) -> Result<String, Problem> {
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: identity.person,
            key: identity.key,
            iat: now,
            exp: now.saturating_add(limits::ACCESS_TOKEN_S),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.encoding)
            .map_err(|error| Problem::internal(&error))
    }

    /// What stands for an access token of a device where frames go: 28 letters, for 15 minutes. It is a
    /// function of the token key, the device key and its end.
    pub fn link(&self, key: KeyId, now: i64) -> String {
        let ends_at = now.saturating_add(limits::ACCESS_TOKEN_S);
        let ends_at = u32::try_from(ends_at).unwrap_or(u32::MAX);
        let (begin, _) = key.0.split_at(LINK_KEY_BYTES);
        let mut bytes = begin.to_vec();
        bytes.extend_from_slice(&ends_at.to_be_bytes());
        bytes.extend_from_slice(&self.link_proof(key, ends_at));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The device that a link token stands for; none if it is no link token at all.
    pub fn verify_link(
        &self,
        token: &str,
        catalogue: &Catalogue,
        now: i64,
    ) -> Option<Result<Identity, Problem>> {
        if token.len() != LINK_LETTERS {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (begin, rest) = bytes.split_first_chunk::<LINK_KEY_BYTES>()?;
        let (ends_at, proof) = rest.split_first_chunk::<4>()?;
        let ends_at = u32::from_be_bytes(*ends_at);
        let Some((key, device)) = catalogue.key_that_begins(*begin) else {
            return Some(Err(Problem::new(ProblemCode::SignInRequired)));
        };
        if !same(proof, &self.link_proof(key, ends_at)) {
            return Some(Err(Problem::new(ProblemCode::SignInRequired)));
        }
        if now >= i64::from(ends_at) {
            return Some(Err(Problem::new(ProblemCode::TokenExpired)));
        }
        Some(Ok(Identity {
            person: device.person,
            key: Some(key),
        }))
    }

    fn link_proof(&self, key: KeyId, ends_at: u32) -> [u8; LINK_PROOF_BYTES] {
        let parts: [&[u8]; 3] = [&self.link_secret, &key.0, &ends_at.to_be_bytes()];
        let mut proof = [0; LINK_PROOF_BYTES];
        let hash = labelled_hash("link token", &parts);
        for (byte, of) in proof.iter_mut().zip(hash) {
            *byte = of;
        }
        proof
    }

    /// Who an access token proves. A device shows the same one with every request: its signature is
    /// checked once, its end every time.
    pub fn verify_access(&self, token: &str, now: i64) -> Result<Identity, Problem> {
        let name = labelled_hash("access token", &[token.as_bytes()]);
        let known = self.lock_proved().get(&name).copied();
        let proved = match known {
            Some(proved) => proved,
            None => {
                let proved = self.check_access(token)?;
                self.remember(name, proved, now);
                proved
            }
        };
        if now >= proved.ends_at {
            return Err(Problem::new(ProblemCode::TokenExpired));
        }
        Ok(proved.identity)
    }

    fn lock_proved(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Proved>> {
        self.proved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, name: [u8; 32], proved: Proved, now: i64) {
        let mut known = self.lock_proved();
        if known.len() >= limits::TOKENS_REMEMBERED_MAX {
            known.retain(|_, proved| now < proved.ends_at);
        }
        if known.len() >= limits::TOKENS_REMEMBERED_MAX {
            known.clear();
        }
        known.insert(name, proved);
    }

    fn check_access(&self, token: &str) -> Result<Proved, Problem> {
        let refused = || Problem::new(ProblemCode::SignInRequired);
        let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| refused())?;
        if read.header.typ != self.header.typ || read.header.kid != self.header.kid {
            return Err(refused());
        }
        let identity = Identity {
            person: read.claims.sub,
            key: read.claims.key,
        };
        Ok(Proved {
            identity,
            ends_at: read.claims.exp,
        })
    }

    /// The refresh token of a generation of a family: always the same one.
    pub fn refresh(&self, token: RefreshToken) -> String {
        let mut bytes = token.family.to_vec();
        bytes.extend_from_slice(&token.generation.to_be_bytes());
        bytes.extend_from_slice(&self.refresh_proof(token));
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Takes a refresh token apart if this server made it.
    pub fn verify_refresh(&self, text: &str) -> Option<RefreshToken> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (family, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, proof) = rest.split_first_chunk::<8>()?;
        let token = RefreshToken {
            family: *family,
            generation: u64::from_be_bytes(*generation),
        };
        same(proof, &self.refresh_proof(token)).then_some(token)
    }

    fn refresh_proof(&self, token: RefreshToken) -> [u8; 32] {
        labelled_hash(
            "refresh token",
            &[
                &self.refresh_secret,
                &token.family,
                &token.generation.to_be_bytes(),
            ],
        )
    }

    /// A challenge to a device key: hexadecimal, good for two minutes, kept nowhere.
    pub fn challenge(&self, key: KeyId, random: [u8; 16], now: i64) -> String {
        let mut bytes = random.to_vec();
        bytes.extend_from_slice(&now.to_be_bytes());
        bytes.extend_from_slice(&self.challenge_proof(key, &bytes));
        HEXLOWER.encode(&bytes)
    }

    /// The bytes of a challenge, if this server made it for this key a short while ago.
    pub fn verify_challenge(&self, key: KeyId, nonce: &str, now: i64) -> Option<Vec<u8>> {
        let bytes = HEXLOWER.decode(nonce.as_bytes()).ok()?;
        let (body, proof) = bytes.split_at_checked(24)?;
        let (_, at) = body.split_at_checked(16)?;
        let at = i64::from_be_bytes(at.try_into().ok()?);
        let fresh = at <= now && now.saturating_sub(at) < limits::CHALLENGE_S;
        (same(proof, &self.challenge_proof(key, body)) && fresh).then_some(bytes)
    }

    fn challenge_proof(&self, key: KeyId, body: &[u8]) -> [u8; 32] {
        labelled_hash("challenge", &[&self.challenge_secret, &key.0, body])
    }
}

/// Equality that takes the same time wherever the difference is.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .fold(0, |difference, (a, b)| difference | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(seed: u8) -> Tokens {
        Tokens::new(ProvinceId([1; 16]), &SigningKey::from_bytes(&[seed; 32]))
    }

    fn identity() -> Identity {
        Identity {
            person: PersonId([3; 8]),
            key: Some(KeyId([4; 16])),
        }
    }

    #[test]
    fn an_access_token_proves_its_person_for_fifteen_minutes() {
        let tokens = tokens(1);
        let token = tokens.access(identity(), 1_000).unwrap();
        assert_eq!(tokens.verify_access(&token, 1_899).unwrap(), identity());
        let late = tokens.verify_access(&token, 1_900).unwrap_err();
        assert_eq!(late.code, ProblemCode::TokenExpired);
    }

    #[test]
    fn other_keys_audiences_types_algorithms_and_changed_tokens_are_refused() {
        let ours = tokens(1);
        let refused = |token: &str| {
            ours.verify_access(token, 1_000).unwrap_err().code == ProblemCode::SignInRequired
        };
        assert!(refused(&tokens(2).access(identity(), 1_000).unwrap()));
        let other_province = Tokens::new(ProvinceId([2; 16]), &SigningKey::from_bytes(&[1; 32]));
        assert!(refused(&other_province.access(identity(), 1_000).unwrap()));
        let mut untyped = tokens(1);
        untyped.header.typ = Some("JWT".into());
        assert!(refused(&untyped.access(identity(), 1_000).unwrap()));
        let mut other_kid = tokens(1);
        other_kid.header.kid = Some("other".into());
        assert!(refused(&other_kid.access(identity(), 1_000).unwrap()));
        let good = ours.access(identity(), 1_000).unwrap();
        let (_, rest) = good.split_once('.').unwrap();
        for header in [
            r#"{"alg":"none","typ":"at+jwt"}"#,
            r#"{"alg":"HS256","typ":"at+jwt"}"#,
        ] {
            assert!(refused(&format!(
                "{}.{rest}",
                BASE64URL_NOPAD.encode(header.as_bytes())
            )));
        }
        let mut changed = good.into_bytes();
        let at = changed.len() - 10;
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(refused(&String::from_utf8(changed).unwrap()));
        assert!(refused(""));
    }

    #[test]
    fn a_refresh_token_is_a_function_of_family_and_generation_and_cannot_be_made_up() {
        let tokens = tokens(1);
        let token = RefreshToken {
            family: [7; 16],
            generation: 3,
        };
        let text = tokens.refresh(token);
        assert_eq!(text, tokens.refresh(token));
        assert_eq!(tokens.verify_refresh(&text), Some(token));
        assert_eq!(super::tests::tokens(2).verify_refresh(&text), None);
        let mut bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        bytes[23] = 4;
        assert_eq!(tokens.verify_refresh(&BASE64URL_NOPAD.encode(&bytes)), None);
        assert_eq!(tokens.verify_refresh("x"), None);
    }

    #[test]
    fn a_challenge_is_good_for_its_key_and_two_minutes() {
        let tokens = tokens(1);
        let key = KeyId([5; 16]);
        let nonce = tokens.challenge(key, [9; 16], 1_000);
        assert!(tokens.verify_challenge(key, &nonce, 1_119).is_some());
        assert!(tokens.verify_challenge(key, &nonce, 1_120).is_none());
        assert!(tokens.verify_challenge(key, &nonce, 999).is_none());
        assert!(
            tokens
                .verify_challenge(KeyId([6; 16]), &nonce, 1_000)
                .is_none()
        );
        assert!(tokens.verify_challenge(key, "00", 1_000).is_none());
    }
}
