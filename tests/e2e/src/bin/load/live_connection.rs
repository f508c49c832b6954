//! One live connection, with the least WebSocket that carries a frame there and frames back.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};

/// First byte of a whole binary message.
const BINARY: u8 = 0x82;
/// A length of two bytes follows; of eight bytes.
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
/// What a client sends is masked; with zeros it stays as it is.
const MASKED: u8 = 0x80;
const MASK: [u8; 4] = [0; 4];

/// An open live connection.
#[derive(Debug)]
pub(crate) struct LiveConnection(TcpStream);

impl LiveConnection {
    /// Opens one at a server's address as the holder of an access token.
    pub(crate) fn open(url: &str, token: &str) -> Result<Self> {
        let address = url.strip_prefix("http://").context("not an address")?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        write!(
            stream,
            "GET /v1/live HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Protocol: dongbo, bearer.{token}\r\n\r\n"
        )?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        ensure!(
            head.starts_with(b"HTTP/1.1 101"),
            "{}",
            String::from_utf8_lossy(&head)
        );
        Ok(Self(stream))
    }

    /// Sends a frame.
    pub(crate) fn send(&mut self, frame: &[u8]) -> Result<()> {
        let mut message = vec![BINARY, MASKED | LENGTH_16];
        message.extend(u16::try_from(frame.len())?.to_be_bytes());
        message.extend(MASK);
        message.extend(frame);
        self.0.write_all(&message)?;
        Ok(())
    }

    /// Waits for the next frame.
    pub(crate) fn receive(&mut self) -> Result<Vec<u8>> {
        let [kind, length] = self.array()?;
        ensure!(kind == BINARY, "a message of kind {kind}");
        let length = match length {
            LENGTH_16 => usize::from(u16::from_be_bytes(self.array()?)),
            LENGTH_64 => usize::try_from(u64::from_be_bytes(self.array()?))?,
            length => usize::from(length),
        };
        let mut frame = vec![0; length];
        self.0.read_exact(&mut frame)?;
        Ok(frame)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
