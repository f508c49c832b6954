//! A live connection: the same frames over a WebSocket; what others write comes by itself.

use std::fmt;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use sync_core::sync::{Frame, PackedResponse};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

use super::session::{DeviceSession, response_of};
use super::{Road, RoadError};

/// Bytes both ways, in clear or not.
trait Pipe: Read + Write + Send {}
impl<T: Read + Write + Send> Pipe for T {}

/// An open live connection.
pub struct Live {
    road: Road,
    socket: WebSocket<Box<dyn Pipe>>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("road", &self.road)
            .finish_non_exhaustive()
    }
}

impl Live {
    /// Opens a live connection. [`Live::wait`] waits for `patience` at most.
    pub fn open(session: &mut DeviceSession, patience: Duration) -> Result<Self, RoadError> {
        let token = session.token()?;
        let road = session.road().clone();
        let address = match road.server().split_once("://") {
            Some(("https", rest)) => format!("wss://{rest}/v1/live"),
            Some((_, rest)) => format!("ws://{rest}/v1/live"),
            None => return Err(RoadError::Address(road.server().to_owned())),
        };
        let offline = |error: &dyn std::fmt::Display| RoadError::Offline {
            server: road.server().to_owned(),
            reason: error.to_string(),
        };
        let mut request = address
            .into_client_request()
            .map_err(|error| offline(&error))?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.access))
            .map_err(|error| offline(&error))?;
        request.headers_mut().insert("authorization", bearer);
        let stream = connect(&road, request.uri()).map_err(|error| offline(&error))?;
        let patient = stream.try_clone().map_err(|error| offline(&error))?;
        let pipe: Box<dyn Pipe> = match request.uri().scheme_str() == Some("wss") {
            false => Box::new(stream),
            true => {
                Box::new(encrypted(&road, request.uri(), stream).map_err(|error| offline(&error))?)
            }
        };
        let (socket, _) = tungstenite::client(request, pipe).map_err(|error| offline(&error))?;
        patient
            .set_read_timeout(Some(patience))
            .map_err(|error| offline(&error))?;
        Ok(Self { road, socket })
    }

    /// Sends a request; its answer comes out of [`Live::wait`], as everything else.
    pub fn send(&mut self, request: &Frame) -> Result<(), RoadError> {
        self.socket
            .send(Message::Binary(request.encode().into()))
            .map_err(|error| self.offline(&error))
    }

    /// The next response; none if nothing came for a while.
    pub fn wait(&mut self) -> Result<Option<PackedResponse>, RoadError> {
        loop {
            match self.socket.read() {
                Ok(Message::Binary(bytes)) => return response_of(&self.road, &bytes).map(Some),
                Ok(Message::Close(_)) => return Err(self.offline(&"the server closed the line")),
                Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(self.offline(&error)),
            }
        }
    }

    fn offline(&self, reason: &dyn std::fmt::Display) -> RoadError {
        RoadError::Offline {
            server: self.road.server().to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Seconds that opening the line may be silent.
const OPENING_S: u64 = 60;

fn connect(road: &Road, address: &tungstenite::http::Uri) -> std::io::Result<TcpStream> {
    let host = address.host().unwrap_or_default();
    let port = address.port_u16().unwrap_or(match address.scheme_str() {
        Some("wss") => 443,
        _ => 80,
    });
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = std::io::Error::other(format!("{} has no address", road.server()));
    for place in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, Duration::from_secs(super::CONNECT_S)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(Duration::from_secs(OPENING_S)))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn encrypted(
    road: &Road,
    address: &tungstenite::http::Uri,
    stream: TcpStream,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let host = address.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    let config = road.authority.for_live().map_err(std::io::Error::other)?;
    let connection =
        ClientConnection::new(Arc::clone(&config), name).map_err(std::io::Error::other)?;
    Ok(StreamOwned::new(connection, stream))
}
