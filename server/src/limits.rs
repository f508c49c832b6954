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

/// Seconds that open connections are given when a first run ends: its answers are small.
pub const FIRST_RUN_DRAIN_S: u64 = 2;

/// Threads that run requests between waits: the machines this runs on have few cores.
pub const WORKER_THREADS: usize = 2;

/// Exchanges that wait to be accepted before senders have to wait themselves.
pub const EXCHANGES_WAITING_MAX: usize = 256;

/// Exchanges accepted by one commit.
pub const EXCHANGES_PER_COMMIT_MAX: usize = 128;

/// Bytes of parts accepted by one commit; the indexes they change come on top.
pub const COMMIT_PART_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Access tokens whose signature need not be checked again: one for each device of a large province.
pub const TOKENS_REMEMBERED_MAX: usize = 4_096;

/// Parts of an exchange whose signatures are checked where the request is read; more would keep other
/// requests of that thread waiting for more than a fraction of a millisecond.
pub const PARTS_VERIFIED_AT_ONCE: usize = 4;

/// People whose partitions are remembered.
pub const SESSIONS_REMEMBERED_MAX: usize = 4_096;

/// Cells of documents followed in memory, so that a change to one of them is cheap: about 10 MB.
pub const FOLLOWED_CELLS_MAX: usize = 60_000;

/// The same for each lane while everything is derived again, when nothing else needs the memory: about
/// 20 MB, and a thousand reports that people work on at the same time.
pub const FOLLOWED_CELLS_REBUILDING_MAX: usize = 150_000;

/// Lanes in which everything is derived again: the machines this runs on have few cores.
pub const REBUILD_LANES: usize = 2;

/// Roll-ups kept in memory; others are made when they are asked for.
pub const ROLL_UPS_MAX: usize = 16;

/// Extracts that may wait to be written.
pub const EXTRACTS_UNWRITTEN_MAX: usize = 128;

/// Live connections and streams of events at once, if the system allows twice as many open files: every
/// device of a large province; some 130 MB.
pub const LIVE_CONNECTIONS_MAX: usize = 20_000;

/// Bytes that a live connection keeps for reading and for writing while nothing happens.
pub const LIVE_BUFFER_BYTES: usize = 2_048;

/// Bytes of the body of one sync exchange: one largest frame and its head.
pub const SYNC_BODY_BYTES_MAX: usize = sync_core::limits::FRAME_BYTES_MAX + 64;

/// Bytes of a body that is read whole before a request is judged.
pub const SMALL_BODY_BYTES_MAX: usize = 16 * 1024;

/// Devices whose interrupted exchange is remembered.
pub const INTERRUPTED_MAX: usize = 4_096;

/// Bytes of interrupted requests and of answers that may not have arrived, all devices together: some
/// hundred answers of a day's work.
pub const INTERRUPTED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Requests and answers up to here are not remembered: to send them again costs as much as to ask.
pub const EXCHANGE_KEPT_BYTES_MIN: usize = 1_024;

/// Seconds a TLS handshake may take: two slow round trips on 2G, with a lost packet.
pub const HANDSHAKE_S: u64 = 15;

/// TLS handshakes at once: every tablet of a large area after a power cut, some 20 KB each.
pub const HANDSHAKES_AT_ONCE: usize = 512;

/// Seconds between two looks at the certificate's files.
pub const CERTIFICATE_LOOK_S: u64 = 10;

/// Bytes of a certificate chain or of a key: a chain of four takes some 8 KB.
pub const CERTIFICATE_BYTES_MAX: u64 = 256 * 1024;

/// Exchanges of one round with the node above: a feed of 2 GB, page by page. More is a fault.
pub const UPLINK_EXCHANGES_MAX: u32 = 10_000;

/// Seconds between a part that comes to an edge and its going up: what comes meanwhile goes with it.
pub const UPLINK_GATHER_S: u64 = 10;

/// Seconds between two rounds with the node above when nobody says: what others wrote there.
pub const UPLINK_EVERY_S: u64 = 300;

/// Seconds that somebody who asks for a round waits for its end.
pub const UPLINK_WAIT_S: u64 = 60;

/// Seconds that an exchange under way with the node above is waited for when the server stops.
pub const UPLINK_END_S: u64 = 5;
