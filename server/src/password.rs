//! Passwords: hashed by argon2id a few at a time, the same cost for names that do not exist, and a
//! wait for names that fail too often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::entropy::random;
use crate::kept::account::Account;
use crate::limits;
use crate::problem::{Problem, ProblemCode};
use crate::token::same;

/// 19 MiB, two passes, one lane: the OWASP minimum for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Blocks of 1 KiB asked of the allocator: more than the 32 MiB up to which glibc may keep freed memory
/// for each thread, so that a hash's memory goes back to the system. What is not touched costs nothing.
const ALLOCATED_BLOCKS: usize = 33 * 1024;

/// The right to hash one password now.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_at: i64,
}

impl Failures {
    /// The moment from which the next attempt is taken.
    fn open_from(self) -> i64 {
        let over = self.count.saturating_sub(limits::SIGN_IN_FAILURES_MAX);
        if self.count < limits::SIGN_IN_FAILURES_MAX {
            return self.last_at;
        }
        let wait = 10_i64.saturating_mul(1 << over.min(10));
        self.last_at
            .saturating_add(wait.min(limits::SIGN_IN_FORGET_S))
    }
}

/// The place where passwords are hashed and judged.
#[derive(Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    failures: Mutex<BTreeMap<String, Failures>>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(limits::PASSWORD_HASHES_AT_ONCE)),
            failures: Mutex::default(),
        }
    }
}

impl Passwords {
    /// Waits for a turn to hash, for a few seconds.
    pub async fn turn(&self) -> Result<Turn, Problem> {
        let wait = Duration::from_secs(limits::PASSWORD_WAIT_S);
        match tokio::time::timeout(wait, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            Ok(Err(_)) | Err(_) => Err(Problem::new(ProblemCode::SignInBusy)),
        }
    }

    /// Counts an attempt for a name as failed until [`Passwords::succeeded`] says otherwise, or
    /// refuses it because too many failed before. Names that do not exist count alike.
    pub fn attempt(&self, name: &str, now: i64) -> Result<(), Problem> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failures
            .get(name)
            .copied()
            .filter(|before| now.saturating_sub(before.last_at) < limits::SIGN_IN_FORGET_S);
        if let Some(before) = before
            && now < before.open_from()
        {
            return Err(Problem::new(ProblemCode::SignInTooOften)
                .with("wait_seconds", before.open_from().saturating_sub(now)));
        }
        if failures.len() >= limits::SIGN_IN_NAMES_MAX && !failures.contains_key(name) {
            let oldest = failures
                .iter()
                .min_by_key(|(_, failures)| failures.last_at)
                .map(|(name, _)| name.clone());
            if let Some(oldest) = oldest {
                failures.remove(&oldest);
            }
        }
        let count = before.map_or(0, |before| before.count).saturating_add(1);
        failures.insert(
            name.to_owned(),
            Failures {
                count,
                last_at: now,
            },
        );
        Ok(())
    }

    /// Forgets the failures of a name.
    pub fn succeeded(&self, name: &str) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
    }
}

impl Turn {
    /// Hashes a new password. Blocks for tens of milliseconds.
    pub fn hash(&self, password: &str) -> Result<Account, Problem> {
        if password.chars().count() < limits::PASSWORD_CHARACTERS_MIN {
            return Err(Problem::new(ProblemCode::PasswordTooShort)
                .with("characters_min", limits::PASSWORD_CHARACTERS_MIN));
        }
        check_length(password)?;
        let mut account = Account {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: random()?,
            hash: [0; 32],
        };
        account.hash = derive(&account, password)?;
        Ok(account)
    }

    /// True if the password is the account's. Without an account it costs the same and is false.
    pub fn verify(&self, password: &str, account: Option<&Account>) -> Result<bool, Problem> {
        check_length(password)?;
        let nobody = Account {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: [0; 16],
            hash: [0; 32],
        };
        let found = derive(account.unwrap_or(&nobody), password)?;
        Ok(account.is_some_and(|account| same(&account.hash, &found)))
    }
}

fn check_length(password: &str) -> Result<(), Problem> {
    if password.len() > limits::PASSWORD_BYTES_MAX {
        return Err(Problem::new(ProblemCode::PasswordTooLong)
            .with("bytes_max", limits::PASSWORD_BYTES_MAX));
    }
    Ok(())
}

fn derive(account: &Account, password: &str) -> Result<[u8; 32], Problem> {
    let mut hash = [0; 32];
    let params = Params::new(account.memory_kib, account.passes, account.lanes, Some(32))
        .map_err(|error| Problem::internal(&error))?;
    let mut memory: Vec<Block> = Vec::with_capacity(ALLOCATED_BLOCKS.max(params.block_count()));
    memory.resize(params.block_count(), Block::default());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            password.as_bytes(),
            &account.salt,
            &mut hash,
            memory.as_mut_slice(),
        )
        .map_err(|error| Problem::internal(&error))?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_none() {
        let passwords = Passwords::default();
        let turn = passwords.turn().await.unwrap();
        let account = turn.hash("mật khẩu dài").unwrap();
        assert!(turn.verify("mật khẩu dài", Some(&account)).unwrap());
        assert!(!turn.verify("mật khẩu dàj", Some(&account)).unwrap());
        assert!(!turn.verify("mật khẩu dài", None).unwrap());
        assert_eq!(
            turn.hash("ngắn").unwrap_err().code,
            ProblemCode::PasswordTooShort
        );
        assert_eq!(
            turn.verify(&"x".repeat(257), None).unwrap_err().code,
            ProblemCode::PasswordTooLong
        );
    }

    #[test]
    fn a_name_waits_after_five_failures_and_longer_after_more() {
        let passwords = Passwords::default();
        for _ in 0..5 {
            passwords.attempt("hanh", 1_000).unwrap();
        }
        let refused = passwords.attempt("hanh", 1_000).unwrap_err();
        assert_eq!(refused.code, ProblemCode::SignInTooOften);
        assert_eq!(refused.fields["wait_seconds"], "10");
        passwords.attempt("khac", 1_000).unwrap();
        passwords.attempt("hanh", 1_010).unwrap();
        assert!(passwords.attempt("hanh", 1_029).is_err());
        passwords.attempt("hanh", 1_030).unwrap();
        passwords.succeeded("hanh");
        passwords.attempt("hanh", 1_030).unwrap();
    }

    #[test]
    fn failures_are_forgotten_and_the_table_is_bounded() {
        let passwords = Passwords::default();
        for _ in 0..5 {
            passwords.attempt("hanh", 1_000).unwrap();
        }
        passwords
            .attempt("hanh", 1_000 + limits::SIGN_IN_FORGET_S)
            .unwrap();
        for name in 0..limits::SIGN_IN_NAMES_MAX + 10 {
            passwords.attempt(&name.to_string(), 5_000).unwrap();
        }
        assert_eq!(
            passwords.failures.lock().unwrap().len(),
            limits::SIGN_IN_NAMES_MAX
        );
    }
}
