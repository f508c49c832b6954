//! A live connection: the same frames over a WebSocket; what others write comes by itself.

use std::net::TcpStream;
use std::time::Duration;

use sync_core::sync::{Frame, PackedResponse};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket};

use super::session::{DeviceSession, response_of};
use super::{Road, RoadError};

/// An open live connection.
#[derive(Debug)]
pub struct Live {
    road: Road,
    socket: WebSocket<MaybeTlsStream<TcpStream>>,
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
        let (socket, _) = tungstenite::connect(request).map_err(|error| offline(&error))?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream
                .set_read_timeout(Some(patience))
                .map_err(|error| offline(&error))?;
        }
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
