//! What arrived of requests that were cut off, and answers that may not have arrived: in memory, for a while.
//!
//! A connection may be dead and open: then its request is still arriving when its device asks, on another
//! one, how much of it came. So what is arriving can be asked for, too.
//!
//! One for each device, bounded together; the oldest goes first. What is forgotten costs its bytes once
//! more and nothing else: a request that comes twice is accepted once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use sync_core::identity::{KeyId, PersonId};
use sync_core::sync::piece::{FrameName, Piece};

use crate::limits;
use crate::token::Identity;

/// Whose exchange it is.
type Whose = (PersonId, Option<KeyId>);

/// Bytes of a request that is being read.
pub(crate) type Growing = Arc<Mutex<Vec<u8>>>;

#[derive(Debug, Clone)]
enum Kept {
    /// The request from its start, as far as it came.
    Request(Bytes),
    /// The same of one that may still be arriving; whoever reads it counts its bytes.
    Arriving(Growing),
    /// The whole answer.
    Answer(Bytes),
}

#[derive(Debug)]
struct Exchange {
    request: FrameName,
    turn: u64,
    kept: Kept,
}

impl Exchange {
    fn bytes(&self) -> usize {
        match &self.kept {
            Kept::Request(bytes) | Kept::Answer(bytes) => bytes.len(),
            Kept::Arriving(_) => 0,
        }
    }
}

#[derive(Debug, Default)]
struct Memory {
    exchanges: BTreeMap<Whose, Exchange>,
    bytes: usize,
    turn: u64,
}

/// Exchanges that may go on.
#[derive(Debug, Default)]
pub struct Interrupted {
    memory: Mutex<Memory>,
}

/// What the bytes of a body came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// A request from its first byte on, perhaps not to its last, and its name.
    Request(FrameName, Bytes),
    /// To be answered with these bytes.
    Answer(Bytes),
    /// Nothing that could go on later.
    Other(Bytes),
}

impl Interrupted {
    /// Puts what arrived of a body behind what came before it.
    pub(crate) fn arrived(&self, identity: Identity, body: Bytes) -> Arrived {
        let received = |bytes: usize| Arrived::Answer(Piece::Received(bytes).encode().into());
        match Piece::decode(&body) {
            Err(_) => Arrived::Other(body),
            Ok(None) => match FrameName::of(&body) {
                Some(name) => Arrived::Request(name, body),
                None => Arrived::Other(body),
            },
            Ok(Some(Piece::Received(_) | Piece::RestOfAnswer(_))) => Arrived::Other(body),
            Ok(Some(Piece::Where { request, held })) => match self.kept(identity, request) {
                Some(Kept::Answer(answer)) => match answer.get(held..) {
                    Some(rest) => Arrived::Answer(Piece::RestOfAnswer(rest).encode().into()),
                    None => received(0),
                },
                Some(Kept::Request(bytes)) => received(bytes.len()),
                Some(Kept::Arriving(bytes)) => received(so_far(&bytes).len()),
                None => received(0),
            },
            Ok(Some(Piece::Rest {
                request,
                from,
                bytes,
            })) => match self.kept(identity, request) {
                Some(Kept::Request(before)) => behind(request, &before, from, bytes),
                Some(Kept::Arriving(before)) => behind(request, &so_far(&before), from, bytes),
                Some(Kept::Answer(_)) | None => received(0),
            },
        }
    }

    /// Lets its device ask how much of a request has come while it is read.
    pub(crate) fn keep_arriving(&self, identity: Identity, request: FrameName, bytes: &Growing) {
        self.keep(identity, request, Kept::Arriving(Arc::clone(bytes)));
    }

    /// Keeps what arrived of a request, so that its device need not send it again.
    pub(crate) fn keep_request(&self, identity: Identity, request: FrameName, bytes: Bytes) {
        self.keep(identity, request, Kept::Request(bytes));
    }

    /// Keeps an answer, in case it does not arrive.
    pub(crate) fn keep_answer(&self, identity: Identity, request: FrameName, answer: Bytes) {
        self.keep(identity, request, Kept::Answer(answer));
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, identity: Identity, request: FrameName) -> Option<Kept> {
        let memory = self.lock();
        let exchange = memory.exchanges.get(&(identity.person, identity.key))?;
        (exchange.request == request).then(|| exchange.kept.clone())
    }

    fn keep(&self, identity: Identity, request: FrameName, kept: Kept) {
        let mut memory = self.lock();
        let memory = &mut *memory;
        memory.turn += 1;
        let exchange = Exchange {
            request,
            turn: memory.turn,
            kept,
        };
        memory.bytes += exchange.bytes();
        let before = memory
            .exchanges
            .insert((identity.person, identity.key), exchange);
        memory.bytes -= before.map_or(0, |before| before.bytes());
        while memory.bytes > limits::INTERRUPTED_BYTES_MAX
            || memory.exchanges.len() > limits::INTERRUPTED_MAX
        {
            let oldest = memory.exchanges.iter().min_by_key(|(_, one)| one.turn);
            let Some(oldest) = oldest.map(|(whose, _)| *whose) else {
                return;
            };
            let gone = memory.exchanges.remove(&oldest);
            memory.bytes -= gone.map_or(0, |gone| gone.bytes());
        }
    }
}

fn so_far(growing: &Growing) -> MutexGuard<'_, Vec<u8>> {
    growing.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rest of a request behind what came before, if nothing is missing between them.
fn behind(request: FrameName, before: &[u8], from: usize, bytes: &[u8]) -> Arrived {
    match before.get(..from) {
        Some(before) => Arrived::Request(request, [before, bytes].concat().into()),
        None => Arrived::Answer(Piece::Received(before.len()).encode().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_core::sync::Frame;

    fn identity(person: u8) -> Identity {
        Identity {
            person: PersonId([person; 8]),
            key: None,
        }
    }

    fn frame(length: usize) -> (FrameName, Bytes) {
        let bytes = Bytes::from(Frame::Problem("x".repeat(length)).encode());
        (FrameName::of(&bytes).unwrap(), bytes)
    }

    fn ask(kept: &Interrupted, person: u8, piece: Piece<'_>) -> Arrived {
        kept.arrived(identity(person), piece.encode().into())
    }

    #[test]
    fn a_request_goes_on_where_it_was_cut_and_its_answer_too() {
        let kept = Interrupted::default();
        let (request, bytes) = frame(3_000);
        let received = |bytes| Arrived::Answer(Piece::Received(bytes).encode().into());
        let place = Piece::Where { request, held: 0 };
        assert_eq!(ask(&kept, 1, place), received(0), "nothing came yet");
        kept.keep_request(identity(1), request, bytes.slice(..1_000));
        assert_eq!(ask(&kept, 1, place), received(1_000));
        assert_eq!(ask(&kept, 2, place), received(0), "it is another's");
        let rest = Piece::Rest {
            request,
            from: 1_000,
            bytes: &bytes[1_000..],
        };
        assert_eq!(
            ask(&kept, 1, rest),
            Arrived::Request(request, bytes.clone())
        );
        let beyond = Piece::Rest {
            request,
            from: 1_001,
            bytes: &[],
        };
        assert_eq!(ask(&kept, 1, beyond), received(1_000), "a byte is missing");
        let (_, answer) = frame(2_000);
        kept.keep_answer(identity(1), request, answer.clone());
        let place = Piece::Where { request, held: 500 };
        let rest = Piece::RestOfAnswer(&answer[500..]).encode();
        assert_eq!(ask(&kept, 1, place), Arrived::Answer(rest.into()));
        let (other, _) = frame(3_001);
        let place = Piece::Where {
            request: other,
            held: 500,
        };
        assert_eq!(ask(&kept, 1, place), received(0), "another request");
    }

    #[test]
    fn a_request_that_is_still_arriving_goes_on_by_another_connection() {
        let kept = Interrupted::default();
        let (request, bytes) = frame(3_000);
        let growing = Growing::default();
        kept.keep_arriving(identity(1), request, &growing);
        let received = |bytes| Arrived::Answer(Piece::Received(bytes).encode().into());
        let place = Piece::Where { request, held: 0 };
        assert_eq!(ask(&kept, 1, place), received(0));
        so_far(&growing).extend_from_slice(&bytes[..700]);
        assert_eq!(ask(&kept, 1, place), received(700));
        let rest = |from: usize| Piece::Rest {
            request,
            from,
            bytes: &bytes[from..],
        };
        // The dead connection may bring more meanwhile: it is the same request.
        so_far(&growing).extend_from_slice(&bytes[700..800]);
        let whole = Arrived::Request(request, bytes.clone());
        assert_eq!(ask(&kept, 1, rest(700)), whole);
        assert_eq!(ask(&kept, 1, rest(801)), received(800));
    }

    #[test]
    fn it_never_holds_more_than_it_may_and_forgets_the_oldest() {
        let kept = Interrupted::default();
        let (request, bytes) = frame(limits::INTERRUPTED_BYTES_MAX / 16);
        for person in 0..40 {
            kept.keep_request(identity(person), request, bytes.clone());
            assert!(kept.lock().bytes <= limits::INTERRUPTED_BYTES_MAX);
        }
        assert!(kept.kept(identity(0), request).is_none());
        assert!(kept.kept(identity(39), request).is_some());
        let sum: usize = kept.lock().exchanges.values().map(Exchange::bytes).sum();
        assert_eq!(sum, kept.lock().bytes);
        kept.keep_request(identity(39), request, Bytes::new());
        let sum: usize = kept.lock().exchanges.values().map(Exchange::bytes).sum();
        assert_eq!(sum, kept.lock().bytes, "replaced, not added");
    }
}
