//! A bad link: a proxy on this machine that breaks connections where a seed says.
//!
//! A connection is cut after so many bytes of the request, so that the server sees half of it, or
//! after so many bytes of the answer, so that the server did what the device never hears of.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Connections of one device that are cut, at most: it has to come home.
const CUTS_MAX: u32 = 3;

/// Bytes of a request after which it may be cut: a filled report is about 4 KB.
const UP_BYTES_MAX: usize = 5_000;

/// Bytes of an answer after which it may be cut.
const DOWN_BYTES_MAX: usize = 1_500;

/// Where a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    Never,
    AfterRequestBytes(usize),
    AfterAnswerBytes(usize),
}

/// A proxy in front of one server, for one device.
#[derive(Debug)]
pub struct CuttingProxy {
    address: SocketAddr,
    cuts: Arc<AtomicU32>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl CuttingProxy {
    /// A proxy to a server reached by plain HTTP; none for others.
    pub fn start(server: &str, seed: u64) -> Option<Self> {
        let host = server.strip_prefix("http://")?.split('/').next()?;
        let host = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let target = host.to_socket_addrs().ok()?.next()?;
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        let address = listener.local_addr().ok()?;
        let cuts = Arc::new(AtomicU32::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (cuts, stop) = (Arc::clone(&cuts), Arc::clone(&stop));
            let rng = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
            std::thread::spawn(move || {
                for connection in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(device) = connection else { continue };
                    let plan = draw(&rng, &cuts);
                    let cuts = Arc::clone(&cuts);
                    std::thread::spawn(move || relay(device, target, plan, &cuts));
                }
            })
        };
        Some(Self {
            address,
            cuts,
            stop,
            thread: Some(thread),
        })
    }

    /// The address devices are given.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections cut so far.
    pub fn cuts(&self) -> u32 {
        self.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the listener; if that fails it is gone already.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn draw(rng: &Mutex<ChaCha8Rng>, cuts: &AtomicU32) -> Break {
    let mut rng = rng.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = rng.random_range(0..10_u8);
    let up = rng.random_range(1..UP_BYTES_MAX);
    let down = rng.random_range(0..DOWN_BYTES_MAX);
    if cuts.load(Ordering::SeqCst) >= CUTS_MAX {
        return Break::Never;
    }
    match kind {
        0..3 => Break::AfterRequestBytes(up),
        3..6 => Break::AfterAnswerBytes(down),
        _ => Break::Never,
    }
}

fn relay(device: TcpStream, target: SocketAddr, plan: Break, cuts: &AtomicU32) {
    let Ok(server) = TcpStream::connect(target) else {
        return;
    };
    let (Ok(device_out), Ok(server_out)) = (device.try_clone(), server.try_clone()) else {
        return;
    };
    let (up, down) = match plan {
        Break::Never => (usize::MAX, usize::MAX),
        Break::AfterRequestBytes(bytes) => (bytes, usize::MAX),
        Break::AfterAnswerBytes(bytes) => (usize::MAX, bytes),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| pump(&device, &server_out, up, cuts));
        pump(&server, &device_out, down, cuts);
    });
}

/// Copies up to a number of bytes, then cuts both sides; at the end of one side ends the other.
fn pump(mut from: &TcpStream, mut to: &TcpStream, bytes_max: usize, cuts: &AtomicU32) {
    let mut left = bytes_max;
    let mut buffer = [0; 4_096];
    loop {
        let room = left.min(buffer.len());
        let Some(space) = buffer.get_mut(..room.max(1)) else {
            break;
        };
        let Ok(count) = from.read(space) else { break };
        if count == 0 {
            break;
        }
        let passes = count.min(left);
        let passed = space
            .get(..passes)
            .is_some_and(|bytes| to.write_all(bytes).is_ok());
        left -= passes;
        if left == 0 {
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if !passed {
            break;
        }
    }
    for side in [from, to] {
        // The other direction may have closed it before.
        let _ = side.shutdown(Shutdown::Both);
    }
}
