//! A link between two processes that counts what passes, makes it slow, and cuts it.
//!
//! Only payload is counted, in both directions, whatever it is made of: heads of HTTP as well as frames.
//! Opening a connection costs no payload and no time here, as on the links of the others that were measured.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Bytes that travel as one: on a slow link a fraction of a second.
const PIECE_BYTES: usize = 512;

/// What a link is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Bytes a second, each way; none: as fast as the machine.
    pub bytes_per_s: Option<u64>,
    /// How long a byte is under way.
    pub delay: Duration,
    /// After how many bytes, both ways together, every connection is cut; none: never.
    pub cut_every: Option<u64>,
    /// After how many bytes it is cut once; none: not in this way.
    pub cut_at: Option<u64>,
    /// After how many bytes the connections that are open say nothing any more, without being closed.
    pub dead_at: Option<u64>,
}

impl Conditions {
    /// 50 kbit/s each way, 300 ms one way.
    pub const SLOW: Self = Self {
        bytes_per_s: Some(50_000 / 8),
        delay: Duration::from_millis(300),
        cut_every: None,
        cut_at: None,
        dead_at: None,
    };

    /// As fast as the machine, and cut.
    pub fn cut_every(bytes: u64) -> Self {
        Self {
            cut_every: Some(bytes),
            ..Self::default()
        }
    }

    /// As fast as the machine, and half-open from some byte on.
    pub fn dead_at(bytes: u64) -> Self {
        Self {
            dead_at: Some(bytes),
            ..Self::default()
        }
    }

    /// As fast as the machine, and cut once.
    pub fn cut_at(bytes: u64) -> Self {
        Self {
            cut_at: Some(bytes),
            ..Self::default()
        }
    }
}

/// Which way a byte goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// What passed since [`Link::begin`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Bytes to the server.
    pub up: u64,
    /// Bytes from the server.
    pub down: u64,
    /// Times that bytes came down after bytes had gone up.
    pub round_trips: u64,
    /// Times the link was cut.
    pub cuts: u64,
}

impl Passed {
    /// Bytes both ways.
    pub fn bytes(&self) -> u64 {
        self.up + self.down
    }
}

#[derive(Debug)]
struct State {
    conditions: Conditions,
    passed: Passed,
    last: Option<Way>,
    since_cut: u64,
    /// When the line is free for the next byte, upward and downward.
    free: [Instant; 2],
    open: Vec<TcpStream>,
    dead: Vec<TcpStream>,
    /// How often everything that was open has died.
    generation: u64,
}

impl State {
    /// When these bytes arrive that are given to the line now.
    fn arrival(&mut self, way: Way, bytes: usize) -> Instant {
        let now = Instant::now();
        let [up, down] = &mut self.free;
        let free = match way {
            Way::Up => up,
            Way::Down => down,
        };
        let Some(bytes_per_s) = self.conditions.bytes_per_s else {
            return now + self.conditions.delay;
        };
        let lasts = Duration::from_secs_f64(bytes as f64 / bytes_per_s as f64);
        *free = (*free).max(now) + lasts;
        *free + self.conditions.delay
    }

    /// Counts bytes that arrive; fewer than they are if the link is cut before the rest.
    fn count(&mut self, way: Way, bytes: usize) -> (usize, bool) {
        let before = self.passed.bytes();
        let every = self.conditions.cut_every;
        let every = every.map(|every| every.saturating_sub(self.since_cut));
        let once = self.conditions.cut_at.or(self.conditions.dead_at);
        let once = once.filter(|at| *at > before);
        let once = once.map(|at| at - before);
        let left = every.into_iter().chain(once).min().unwrap_or(u64::MAX);
        let passes = left.min(bytes as u64);
        self.since_cut += passes;
        match way {
            Way::Up => self.passed.up += passes,
            Way::Down => self.passed.down += passes,
        }
        if way == Way::Down && self.last == Some(Way::Up) {
            self.passed.round_trips += 1;
        }
        self.last = Some(way);
        (passes as usize, passes == left)
    }

    fn cut(&mut self) {
        self.passed.cuts += 1;
        self.since_cut = 0;
        if self.conditions.dead_at.is_some() {
            // Kept open, and nobody at the other end.
            self.dead.append(&mut self.open);
            self.generation += 1;
            return;
        }
        for stream in self.open.drain(..) {
            // It may be gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

type Shared = Arc<Mutex<State>>;

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A link to one server. Its threads end with the process.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    state: Shared,
}

impl Link {
    /// A fast link to the server at `address`.
    pub fn to(address: &str) -> Result<Self> {
        let server: SocketAddr = address.parse()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            conditions: Conditions::default(),
            passed: Passed::default(),
            last: None,
            since_cut: 0,
            free: [Instant::now(); 2],
            open: Vec::new(),
            dead: Vec::new(),
            generation: 0,
        }));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A server that is gone: the client sees its connection close.
                let _ = connect(client, server, &shared);
            }
        });
        Ok(Self { address, state })
    }

    /// What a client takes for the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Counts from nothing, under these conditions.
    pub fn begin(&self, conditions: Conditions) {
        let mut state = lock(&self.state);
        state.conditions = conditions;
        state.passed = Passed::default();
        state.last = None;
        state.since_cut = 0;
        state.free = [Instant::now(); 2];
    }

    /// What has passed.
    pub fn passed(&self) -> Passed {
        lock(&self.state).passed
    }
}

fn connect(client: TcpStream, server: SocketAddr, state: &Shared) -> Result<()> {
    let server = TcpStream::connect(server)?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
        lock(state).open.push(stream.try_clone()?);
    }
    pump(client.try_clone()?, server.try_clone()?, Way::Up, state);
    pump(server, client, Way::Down, state);
    Ok(())
}

/// Two threads: one takes bytes as they come, one gives them on when they are due.
fn pump(mut from: TcpStream, to: TcpStream, way: Way, state: &Shared) {
    let (send, due) = channel();
    let shared = Arc::clone(state);
    thread::spawn(move || take(&mut from, way, &shared, &send));
    let shared = Arc::clone(state);
    thread::spawn(move || give(to, way, &shared, &due));
}

fn take(from: &mut TcpStream, way: Way, state: &Shared, send: &Sender<(Instant, Vec<u8>)>) {
    let mut piece = [0; PIECE_BYTES];
    loop {
        let read = match from.read(&mut piece) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return;
        };
        let arrives = lock(state).arrival(way, read);
        if send.send((arrives, bytes.to_vec())).is_err() {
            return;
        }
    }
}

fn give(mut to: TcpStream, way: Way, state: &Shared, due: &Receiver<(Instant, Vec<u8>)>) {
    let generation = lock(state).generation;
    while let Ok((arrives, bytes)) = due.recv() {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if lock(state).generation != generation {
            return;
        }
        let (passes, cut) = lock(state).count(way, bytes.len());
        let written = to.write_all(bytes.get(..passes).unwrap_or_default());
        if cut {
            lock(state).cut();
        }
        if cut || written.is_err() {
            return;
        }
    }
    // The other side has said everything.
    if lock(state).generation == generation {
        let _ = to.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back every byte.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut out = stream.try_clone().unwrap();
                    std::io::copy(&mut stream, &mut out)
                });
            }
        });
        address
    }

    fn through(link: &Link, bytes: usize) -> std::io::Result<usize> {
        let address = link.url().replace("http://", "");
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(&vec![7; bytes])?;
        stream.shutdown(Shutdown::Write)?;
        let mut back = Vec::new();
        stream.read_to_end(&mut back)?;
        Ok(back.len())
    }

    #[test]
    fn it_counts_both_ways_and_cuts_where_it_is_told() {
        let link = Link::to(&echo().to_string()).unwrap();
        link.begin(Conditions::default());
        assert_eq!(through(&link, 100).unwrap(), 100);
        let passed = link.passed();
        assert_eq!((passed.up, passed.down, passed.cuts), (100, 100, 0));
        assert_eq!(passed.round_trips, 1);
        link.begin(Conditions::cut_every(150));
        // Cut in the middle of the answer, or refused by the system before all was read.
        assert!(through(&link, 100).unwrap_or(0) <= 50);
        let passed = link.passed();
        assert_eq!((passed.up, passed.down, passed.cuts), (100, 50, 1));
    }

    #[test]
    fn a_slow_link_takes_its_time() {
        let link = Link::to(&echo().to_string()).unwrap();
        link.begin(Conditions {
            bytes_per_s: Some(10_000),
            delay: Duration::from_millis(30),
            ..Conditions::default()
        });
        let began = Instant::now();
        assert_eq!(through(&link, 1_000).unwrap(), 1_000);
        // 30 ms and 30 ms under way; 100 ms of bytes upward, of which downward half overlap at most.
        assert!(began.elapsed() >= Duration::from_millis(160));
    }
}
