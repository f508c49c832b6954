//! Damaging frames: every field, count and length of a message, nested parts and records, and bytes;
//! the checksum is repaired, or nothing would get past it.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sync_core::batch::{Partition, SignedPart};
use sync_core::codec::Writer;
use sync_core::identity::labelled_hash;
use sync_core::log::Follow;
use sync_core::sync::{PartAnswer, Receipt, Request, Response};

use crate::batch_mutation::near;

/// A piece of a message.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    /// Bytes of a known length.
    Raw(Vec<u8>),
    /// An integer, a count or a length.
    Number(u64),
    /// Pieces behind their length.
    Sized(Vec<Piece>),
}

fn write(pieces: &[Piece], to: &mut Writer) {
    for piece in pieces {
        match piece {
            Piece::Raw(bytes) => {
                to.raw(bytes);
            }
            Piece::Number(number) => {
                to.var(*number);
            }
            Piece::Sized(inner) => {
                to.bytes(&flat(inner));
            }
        }
    }
}

pub(crate) fn flat(pieces: &[Piece]) -> Vec<u8> {
    let mut to = Writer::new();
    write(pieces, &mut to);
    to.into_bytes()
}

/// A frame around a body, with the checksum it must have.
pub(crate) fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let sum = labelled_hash("frame", &[&[kind], body]);
    let mut to = Writer::new();
    to.u8(kind).raw(&sum[..4]).bytes(body);
    to.into_bytes()
}

fn raw(bytes: &[u8]) -> Piece {
    Piece::Raw(bytes.to_vec())
}

fn count(items: usize) -> Piece {
    Piece::Number(items as u64)
}

fn zigzag(number: i64) -> Piece {
    Piece::Number(((number << 1) ^ (number >> 63)) as u64)
}

/// A signed part in pieces, as deep as its own lengths.
fn part(part: &SignedPart) -> Piece {
    let loose = crate::batch_mutation::Loose::of(part);
    let mut pieces = vec![
        raw(&[0]),
        Piece::Sized(vec![raw(&loose.header.encode())]),
        raw(&loose.signature),
        Piece::Number(loose.index),
        count(loose.siblings.len()),
    ];
    pieces.extend(loose.siblings.iter().map(|sibling| raw(sibling)));
    pieces.push(Piece::Sized(vec![raw(&loose.part.encode())]));
    pieces.push(count(loose.changes.len()));
    let changes = loose.changes.iter();
    pieces.extend(changes.map(|change| Piece::Sized(vec![raw(change)])));
    Piece::Sized(pieces)
}

pub(crate) fn request(request: &Request) -> Vec<Piece> {
    let mut pieces = vec![raw(&[1]), raw(&request.province.0), raw(&request.actor.0)];
    pieces.push(Piece::Number(request.own_number));
    pieces.push(Piece::Number(request.catalogue_number));
    match &request.known {
        None => pieces.push(raw(&[0])),
        Some(known) => pieces.extend([
            raw(&[1]),
            raw(&known.node.0),
            raw(&known.follow),
            Piece::Number(known.position),
        ]),
    }
    pieces.extend([
        Piece::Number(request.bytes_max),
        count(request.records.len()),
    ]);
    let records = request.records.iter();
    pieces.extend(records.map(|record| Piece::Sized(vec![raw(&record.encode())])));
    pieces.push(count(request.parts.len()));
    pieces.extend(request.parts.iter().map(part));
    pieces
}

fn answer(answer: &PartAnswer) -> Vec<Piece> {
    match answer {
        PartAnswer::Accepted => vec![raw(&[1])],
        PartAnswer::Held(reason) => vec![raw(&[2]), raw(&[reason.tag()])],
        PartAnswer::Gap(expected) => vec![raw(&[3]), Piece::Number(*expected)],
        PartAnswer::Waiting => vec![raw(&[4])],
        PartAnswer::Refused(code) => vec![raw(&[5]), Piece::Sized(vec![raw(code.as_bytes())])],
    }
}

fn follow(follow: Option<&Follow>) -> Vec<Piece> {
    let partition = |partition: &Partition| {
        let mut to = Writer::new();
        partition.write(&mut to);
        Piece::Raw(to.into_bytes())
    };
    match follow {
        None => vec![raw(&[0])],
        Some(Follow::All) => vec![raw(&[1])],
        Some(Follow::These(partitions)) => {
            let mut pieces = vec![raw(&[2]), count(partitions.len())];
            pieces.extend(partitions.iter().map(partition));
            pieces
        }
    }
}

fn receipt(receipt: &Receipt) -> Vec<Piece> {
    let mut to = Writer::new();
    receipt.write(&mut to);
    let bytes = to.into_bytes();
    vec![
        raw(&bytes[..1]),
        raw(&receipt.node.0),
        raw(&receipt.actor.0),
        Piece::Number(receipt.number),
        raw(&receipt.batch.0),
        zigzag(receipt.received_at),
        raw(&bytes[bytes.len() - 64..]),
    ]
}

pub(crate) fn response(response: &Response) -> Vec<Piece> {
    let mut pieces = vec![raw(&[1]), raw(&response.node.0)];
    pieces.push(Piece::Number(response.catalogue_last));
    pieces.push(count(response.records.len()));
    let records = response.records.iter();
    pieces.extend(records.map(|record| Piece::Sized(vec![raw(&record.encode())])));
    pieces.extend(follow(response.follow.as_ref()));
    pieces.push(count(response.answers.len()));
    pieces.extend(response.answers.iter().flat_map(answer));
    if !response.answers.is_empty() {
        pieces.push(raw(&response.answers_to));
    }
    pieces.push(Piece::Number(response.chain.number));
    pieces.push(raw(&response.chain.batch.0));
    match &response.receipt {
        None => pieces.push(raw(&[0])),
        Some(given) => {
            pieces.push(raw(&[1]));
            pieces.extend(receipt(given));
        }
    }
    pieces.push(Piece::Number(response.from));
    pieces.push(count(response.entries.len()));
    for (received_at, entry) in &response.entries {
        pieces.extend([zigzag(*received_at), part(entry)]);
    }
    pieces.push(Piece::Number(response.position));
    pieces.push(raw(&[response.more.into()]));
    match &response.fingerprint {
        None => pieces.push(raw(&[0])),
        Some(fingerprint) => {
            let mut to = Writer::new();
            fingerprint.write(&mut to);
            pieces.extend([raw(&[1]), Piece::Raw(to.into_bytes())]);
        }
    }
    pieces
}

/// Damages one piece, in place or by taking, doubling or moving it.
pub(crate) fn mutate(rng: &mut ChaCha8Rng, pieces: &mut Vec<Piece>) {
    if pieces.is_empty() {
        return;
    }
    let at = rng.random_range(0..pieces.len());
    match rng.random_range(0..12u8) {
        0 => {
            pieces.remove(at);
            return;
        }
        1 => {
            let again = pieces[at].clone();
            pieces.insert(at, again);
            return;
        }
        2 => {
            let other = rng.random_range(0..pieces.len());
            pieces.swap(at, other);
            return;
        }
        3 => {
            pieces.truncate(at);
            return;
        }
        _ => {}
    }
    match &mut pieces[at] {
        Piece::Number(number) => *number = near(rng, *number),
        Piece::Raw(bytes) => mutate_raw(rng, bytes),
        Piece::Sized(inner) if rng.random_bool(0.8) => mutate(rng, inner),
        Piece::Sized(inner) => {
            // The length says something else than what follows.
            let bytes = flat(inner);
            let length = near(rng, bytes.len() as u64);
            pieces[at] = Piece::Number(length);
            pieces.insert(at + 1, Piece::Raw(bytes));
        }
    }
}

fn mutate_raw(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        bytes.push(rng.random());
        return;
    }
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..6u8) {
        0..3 => bytes[at] ^= 1 << rng.random_range(0..8),
        3 => bytes[at] = rng.random(),
        4 => {
            bytes.remove(at);
        }
        _ => bytes.insert(at, rng.random()),
    }
}
