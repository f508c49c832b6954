//! Damaging changes: their operations, their numbers and references, their bytes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use sync_core::document::{Subject, Table, extension_change, genesis_change};
use sync_core::gate::{Action, ChangeContent, DecodedChange, Key, Op, OpId, Value};
use sync_core::identity::{ActorId, ChangeHash};

/// Indicator codes of every scenario.
pub(crate) const CODES: [&str; 4] = ["1", "1.1", "2", "ý"];
/// Texts of every scenario.
pub(crate) const SECTIONS: [&str; 2] = ["chung", "kien-nghi"];

/// Everything a mutant may refer to, whether or not it is in the past of the change.
pub(crate) struct Pool {
    actors: Vec<ActorId>,
    ids: Vec<OpId>,
    hashes: Vec<ChangeHash>,
    ops: Vec<Op>,
}

impl Pool {
    pub(crate) fn new<'a>(
        subject: &Subject,
        actors: Vec<ActorId>,
        changes: impl Iterator<Item = &'a DecodedChange>,
    ) -> Self {
        let genesis = genesis_change(subject);
        let mut pool = Self {
            actors,
            ids: Table::ALL.into_iter().map(Table::object).collect(),
            hashes: vec![genesis.hash],
            ops: genesis.content.ops,
        };
        for section in SECTIONS {
            let extension = extension_change(subject, section).expect("a section");
            pool.ids.push(extension.text());
            pool.hashes.push(extension.built.hash);
        }
        for change in changes {
            pool.hashes.push(change.hash);
            for (id, op) in change.content.numbered() {
                pool.ids.push(id);
                pool.ops.push(op.clone());
            }
        }
        pool
    }

    fn actor(&self, rng: &mut ChaCha8Rng) -> ActorId {
        self.actors[rng.random_range(0..self.actors.len())]
    }

    fn id(&self, rng: &mut ChaCha8Rng) -> OpId {
        let mut id = self.ids[rng.random_range(0..self.ids.len())];
        match rng.random_range(0..12u8) {
            0 => id.counter += 1,
            1 => id.counter = rng.random_range(1..40),
            2 => id.actor = self.actor(rng),
            3 => id.actor = ActorId([9; 16]),
            _ => {}
        }
        id
    }
}

fn random_value(rng: &mut ChaCha8Rng) -> Value {
    match rng.random_range(0..8u8) {
        0 => Value::Null,
        1 => Value::False,
        2 => Value::Int(rng.random()),
        3 => Value::Text(String::new()),
        4 => Value::Text("=1.5".to_owned()),
        5 => Value::Text("'a".to_owned()),
        6 => Value::Text("ab".to_owned()),
        _ => Value::Bytes(vec![1, 3, 0, 0, 0]),
    }
}

fn mutate_op(rng: &mut ChaCha8Rng, pool: &Pool, op: &mut Op) {
    match rng.random_range(0..13u8) {
        0 => op.object = Some(pool.id(rng)),
        1 => op.object = rng.random_bool(0.5).then(|| pool.id(rng)),
        2 => op.key = Key::Map(CODES[rng.random_range(0..CODES.len())].to_owned()),
        3 => op.key = Key::Element(pool.id(rng)),
        4 => {
            op.key = match rng.random_range(0..4u8) {
                0 => Key::Head,
                1 => Key::Map(String::new()),
                2 => Key::Map("x".repeat(rng.random_range(60..70))),
                _ => Key::Map("template_version".to_owned()),
            }
        }
        5 => op.insert = !op.insert,
        6 => {
            let actions = [
                Action::MakeMap,
                Action::Put,
                Action::Delete,
                Action::MakeText,
            ];
            op.action = actions[rng.random_range(0..actions.len())];
        }
        7 => op.value = random_value(rng),
        8 => op.pred.clear(),
        9 => op.pred = vec![pool.id(rng)],
        10 => {
            op.pred.push(pool.id(rng));
            if rng.random_bool(0.7) {
                op.pred.sort_unstable();
            }
        }
        11 => {
            if let Some(first) = op.pred.first().copied() {
                op.pred.push(first);
            }
        }
        _ => *op = pool.ops[rng.random_range(0..pool.ops.len())].clone(),
    }
}

pub(crate) fn mutate_content(rng: &mut ChaCha8Rng, pool: &Pool, content: &mut ChangeContent) {
    match rng.random_range(0..16u8) {
        0 => content.actor = pool.actor(rng),
        1 => content.seq = content.seq.wrapping_add_signed(rng.random_range(-1..2)),
        2 => {
            content.start_op = content
                .start_op
                .wrapping_add_signed(rng.random_range(-1..3))
        }
        3 => {
            let extremes = [0, 1, 10, 11, 1 << 30, u64::from(u32::MAX), u64::MAX];
            content.start_op = extremes[rng.random_range(0..extremes.len())];
        }
        4 => content.time = rng.random(),
        5 => {
            let messages = [
                "",
                "0",
                "1",
                "1 0",
                "5 5 5 5 5 5 5 5 5",
                "x",
                "-1 1",
                "0 0 1",
            ];
            content.message = messages[rng.random_range(0..messages.len())].to_owned();
        }
        6 => {
            content.deps.pop();
        }
        7 => {
            content
                .deps
                .push(pool.hashes[rng.random_range(0..pool.hashes.len())]);
            if rng.random_bool(0.8) {
                content.deps.sort_unstable();
                content.deps.dedup();
            }
        }
        8 => content.deps = vec![pool.hashes[rng.random_range(0..pool.hashes.len())]],
        9 if content.ops.len() > 1 => {
            let at = rng.random_range(0..content.ops.len());
            content.ops.remove(at);
        }
        10 => {
            let op = pool.ops[rng.random_range(0..pool.ops.len())].clone();
            content.ops.push(op);
        }
        11 if content.ops.len() > 1 => {
            let at = rng.random_range(1..content.ops.len());
            content.ops.swap(at - 1, at);
        }
        _ => {
            let at = rng.random_range(0..content.ops.len());
            mutate_op(rng, pool, &mut content.ops[at]);
        }
    }
}

/// Writes length and checksum anew around a body.
pub(crate) fn seal(body: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    let mut rest = body.len();
    while rest >= 0x80 {
        length.push((rest as u8) | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    let mut hasher = Sha256::new();
    hasher.update([1]);
    hasher.update(&length);
    hasher.update(body);
    let hash = hasher.finalize();
    let mut bytes = vec![0x85, 0x6f, 0x4a, 0x83];
    bytes.extend(&hash[..4]);
    bytes.push(1);
    bytes.extend(length);
    bytes.extend(body);
    bytes
}

pub(crate) fn body_of(bytes: &[u8]) -> &[u8] {
    let length = bytes[9..]
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("a length");
    &bytes[9 + length + 1..]
}

pub(crate) fn mutate_bytes(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut body = body_of(bytes).to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..body.len());
        match rng.random_range(0..6u8) {
            0 => body[at] ^= 1 << rng.random_range(0..8),
            1 => body[at] = rng.random(),
            2 => body[at] = body[at].wrapping_add(1),
            3 => {
                body.remove(at);
            }
            4 => body.insert(at, rng.random()),
            _ => body.truncate(at.max(1)),
        }
        if body.is_empty() {
            body.push(0);
        }
    }
    if rng.random_range(0..20u8) == 0 {
        // Without repair: header, checksum and length themselves.
        let mut raw = bytes.to_vec();
        let at = rng.random_range(0..raw.len());
        raw[at] ^= 1 << rng.random_range(0..8);
        return raw;
    }
    seal(&body)
}
