//! The way to a server: HTTP requests, with every failure told apart by what can be done about it.

pub mod authority;
mod carry;
pub mod live;
pub mod session;
pub(crate) mod wait;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sync_core::limits::FRAME_BYTES_MAX;
use ureq::Agent;

use authority::Authority;

/// Seconds a connection may take to be made: two lost packets on a slow link.
const CONNECT_S: u64 = 15;
/// Seconds for a whole exchange of the largest frame at 50 kbit/s, with room.
const CALL_S: u64 = 600;
/// Seconds without a byte after which a connection of an exchange counts as cut: longer than an access
/// network keeps silent when it hands over, shorter than a person waits. What had arrived is kept.
const STALL_S: u64 = 30;
/// Bytes of a JSON answer: a page of 500 people with their grants and devices.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes of an answer that is one frame.
const FRAME_ANSWER_BYTES_MAX: u64 = FRAME_BYTES_MAX as u64 + 64;

/// What a server says when it does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server refused: {code} ({status})")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Its machine code.
    pub code: String,
    /// Whether sending the same again can help.
    pub retry: bool,
    /// Whether anything happened: `no`, `yes`, `unknown`.
    pub happened: String,
    /// Its sentence in Vietnamese.
    pub message_vi: String,
    /// Its sentence in English.
    pub message_en: String,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RoadError {
    /// The server was not reached, or the link broke: nothing is known of what it did.
    #[error("{server} cannot be reached: {reason}")]
    Offline {
        /// The address.
        server: String,
        /// What the network said.
        reason: String,
    },
    /// The server refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The answer is none of this protocol.
    #[error("{server} gave an answer that cannot be read: {reason}")]
    Garbled {
        /// The address.
        server: String,
        /// Why.
        reason: String,
    },
    /// The file of an authority cannot be used.
    #[error("{} holds no certificate of an authority: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The address is none.
    #[error("{0} is no address of a server; it begins with http:// or https://")]
    Address(String),
    /// The server is of another province than the device.
    #[error("{0} serves another province than the one this device is enrolled in")]
    OtherProvince(String),
}

impl RoadError {
    /// True if the same request can succeed later.
    pub fn retry(&self) -> bool {
        match self {
            Self::Offline { .. } => true,
            Self::Refused(refusal) => refusal.retry,
            Self::Garbled { .. } => true,
            Self::Authority { .. } | Self::Address(_) | Self::OtherProvince(_) => false,
        }
    }

    /// The machine code of a refusal.
    pub fn refusal_code(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.code),
            Self::Offline { .. }
            | Self::Garbled { .. }
            | Self::Authority { .. }
            | Self::Address(_)
            | Self::OtherProvince(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    #[serde(default)]
    retry: bool,
    #[serde(default)]
    happened: Value,
    #[serde(default)]
    message_vi: String,
    #[serde(default)]
    message_en: String,
}

/// A server's address and the connections to it.
#[derive(Debug, Clone)]
pub struct Road {
    agent: Agent,
    server: String,
    authority: Authority,
    stall: Duration,
}

impl Road {
    /// The way to the server at an address, by HTTPS if its certificate is of a public authority.
    pub fn new(server: &str) -> Result<Self, RoadError> {
        Self::trusting(server, &Authority::Public)
    }

    /// The same with somebody else to say whose certificate is good.
    pub fn trusting(server: &str, authority: &Authority) -> Result<Self, RoadError> {
        let server = server.trim().trim_end_matches('/');
        if !server.starts_with("http://") && !server.starts_with("https://") {
            return Err(RoadError::Address(server.to_owned()));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .tls_config(authority.for_requests())
            .timeout_connect(Some(Duration::from_secs(CONNECT_S)))
            .timeout_global(Some(Duration::from_secs(CALL_S)))
            .user_agent(concat!("dongbo/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self {
            agent,
            server: server.to_owned(),
            authority: authority.clone(),
            stall: Duration::from_secs(STALL_S),
        })
    }

    /// The same, with another time without a byte after which an exchange's connection counts as cut.
    pub fn cut_when_silent_for(self, stall: Duration) -> Self {
        Self { stall, ..self }
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Asks for JSON.
    pub fn get<T: DeserializeOwned>(&self, path: &str, token: &str) -> Result<T, RoadError> {
        let request = self
            .agent
            .get(format!("{}{path}", self.server))
            .header("authorization", format!("Bearer {token}"));
        let body = self.answer(request.call(), ANSWER_BYTES_MAX)?;
        self.json(&body)
    }

    /// Every item of a list that comes in pages.
    pub fn get_all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &BTreeMap<&str, String>,
        token: &str,
    ) -> Result<Vec<T>, RoadError> {
        #[derive(Deserialize)]
        struct Page<T> {
            items: Vec<T>,
            next: Option<String>,
        }
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut asked = format!("{path}?limit=500");
            let cursor = after.as_ref().map(|after| ("after", after));
            let fields = query.iter().map(|(name, value)| (*name, value));
            for (name, value) in fields.chain(cursor) {
                asked.push('&');
                asked.push_str(name);
                asked.push('=');
                push_escaped(&mut asked, value);
            }
            let page: Page<T> = self.get(&asked, token)?;
            items.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(items),
            }
        }
    }

    /// Sends JSON, reads JSON.
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<T, RoadError> {
        let bytes = body.to_string().into_bytes();
        let answer = self.post_bytes(path, token, "application/json", &bytes)?;
        self.json(&answer)
    }

    /// Sends bytes, reads bytes.
    pub fn post_bytes(
        &self,
        path: &str,
        token: Option<&str>,
        content_type: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, RoadError> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.server))
            .header("content-type", content_type);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.answer(request.send(body), ANSWER_BYTES_MAX)
    }

    fn answer(
        &self,
        outcome: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
        bytes_max: u64,
    ) -> Result<Vec<u8>, RoadError> {
        let offline = |error: ureq::Error| RoadError::Offline {
            server: self.server.clone(),
            reason: error.to_string(),
        };
        let mut response = outcome.map_err(offline)?;
        if !response.status().is_success() {
            return Err(self.refusal(response));
        }
        response
            .body_mut()
            .with_config()
            .limit(bytes_max)
            .read_to_vec()
            .map_err(offline)
    }

    /// What a server that refused says of it.
    fn refusal(&self, mut response: ureq::http::Response<ureq::Body>) -> RoadError {
        let status = response.status();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let body = match body.read_to_vec() {
            Ok(body) => body,
            Err(error) => {
                return RoadError::Offline {
                    server: self.server.clone(),
                    reason: error.to_string(),
                };
            }
        };
        match serde_json::from_slice::<Problem>(&body) {
            Err(error) => self.garbled(format!("status {status}: {error}")),
            Ok(problem) => RoadError::Refused(Box::new(Refusal {
                status: status.as_u16(),
                code: problem.code,
                retry: problem.retry,
                happened: problem.happened.as_str().unwrap_or("unknown").to_owned(),
                message_vi: problem.message_vi,
                message_en: problem.message_en,
            })),
        }
    }

    fn garbled(&self, reason: String) -> RoadError {
        RoadError::Garbled {
            server: self.server.clone(),
            reason,
        }
    }

    fn json<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, RoadError> {
        serde_json::from_slice(body).map_err(|error| self.garbled(error.to_string()))
    }
}

/// Appends a query value, everything but plain letters and digits escaped.
fn push_escaped(to: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => to.push(byte.into()),
            other => to.push_str(&format!("%{other:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_escaped_and_addresses_checked() {
        let mut to = String::new();
        push_escaped(&mut to, "a b:1&ô");
        assert_eq!(to, "a%20b%3A1%26%C3%B4");
        assert!(matches!(
            Road::new("localhost:1"),
            Err(RoadError::Address(_))
        ));
        assert_eq!(Road::new("http://x:1/").unwrap().server(), "http://x:1");
    }

    #[test]
    fn nobody_there_is_offline_and_may_be_tried_again() {
        // Port 1 of this machine: nothing listens there.
        let road = Road::new("http://127.0.0.1:1").unwrap();
        let error = road.get::<Value>("/v1/units", "t").unwrap_err();
        assert!(matches!(error, RoadError::Offline { .. }));
        assert!(error.retry());
    }
}
