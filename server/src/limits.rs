//! Every maximum of the server, with its unit and its reason.

/// Bytes of a JSON body: an import of 3,400 units with their groups.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Rows of one import: a province has some hundred units and some thousand people.
pub const IMPORT_ROWS_MAX: usize = 10_000;

/// Items of one page.
pub const PAGE_ITEMS_MAX: usize = 500;

/// Items of one page when the reader does not say.
pub const PAGE_ITEMS_DEFAULT: usize = 100;

/// Passwords hashed at once: each takes 19 MiB while it lasts.
pub const PASSWORD_HASHES_AT_ONCE: usize = 2;

/// Seconds a sign-in waits for its turn to hash.
pub const PASSWORD_WAIT_S: u64 = 5;

/// Characters of a new password: NIST SP 800-63B asks for at least 8.
pub const PASSWORD_CHARACTERS_MIN: usize = 8;

/// Bytes of a password: a long sentence; more would be hashed for nothing.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Wrong passwords for one name before it has to wait.
pub const SIGN_IN_FAILURES_MAX: u32 = 5;

/// Seconds after which a wrong password is forgotten, and the longest wait.
pub const SIGN_IN_FORGET_S: i64 = 300;

/// Names remembered with wrong passwords; the one that failed longest ago gives way.
pub const SIGN_IN_NAMES_MAX: usize = 4_096;

/// Seconds an access token lasts.
pub const ACCESS_TOKEN_S: i64 = 15 * 60;

/// Seconds a family of refresh tokens lasts.
pub const REFRESH_FAMILY_S: i64 = 30 * 24 * 3_600;

/// Seconds a challenge to a device lasts: two slow round trips on 2G.
pub const CHALLENGE_S: i64 = 120;

/// Seconds an enrolment code lasts.
pub const ENROLMENT_CODE_S: i64 = 10 * 60;

/// Seconds the first administrator's code lasts: made before the server is up.
pub const FIRST_CODE_S: i64 = 24 * 3_600;

/// Enrolment codes made by one request.
pub const ENROLMENT_CODES_AT_ONCE: usize = 500;

/// Threads that may block on disk or hash. More would only add stacks: the disk is one.
pub const BLOCKING_THREADS: usize = 6;

/// Bytes of a thread's stack.
pub const THREAD_STACK_BYTES: usize = 1024 * 1024;

/// Seconds that running requests are given when the server stops.
pub const DRAIN_S: u64 = 10;
