//! One kept connection to the server, with the least HTTP that carries a frame there and back.
//!
//! What is measured shares its cores with what measures: a client in full takes twice the processor.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};

/// A connection that posts frames.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
    sent: Vec<u8>,
    line: String,
}

impl Connection {
    /// Connects to a server's address as the holder of an access token.
    pub(crate) fn open(url: &str, token: &str) -> Result<Self> {
        let address = url.strip_prefix("http://").context("not an address")?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let head = format!(
            "POST /v1/sync HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: "
        );
        Ok(Self {
            stream: BufReader::new(stream),
            head,
            sent: Vec::new(),
            line: String::new(),
        })
    }

    /// Sends a frame and gives the answer's bytes; anything but 200 is an error.
    pub(crate) fn post(&mut self, frame: &[u8]) -> Result<Vec<u8>> {
        self.sent.clear();
        write!(self.sent, "{}{}\r\n\r\n", self.head, frame.len())?;
        self.sent.extend_from_slice(frame);
        self.stream.get_mut().write_all(&self.sent)?;
        let length = self.read_head()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    /// Reads the head of an answer and gives the length of its body.
    fn read_head(&mut self) -> Result<usize> {
        self.read_line()?;
        ensure!(self.line.starts_with("HTTP/1.1 200 "), "{}", self.line);
        let mut length = None;
        loop {
            self.read_line()?;
            let Some((name, value)) = self.line.split_once(':') else {
                return length.context("an answer without a length");
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = Some(value.trim().parse()?);
            }
        }
    }

    fn read_line(&mut self) -> Result<()> {
        self.line.clear();
        let read = self.stream.read_line(&mut self.line)?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}
