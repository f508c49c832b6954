//! TLS on the listener: handshakes beside the accepting of connections, and a certificate that can be
//! renewed while the server runs.
//!
//! The certificate and its key are two PEM files, as every authority hands them out. They are looked at
//! every few seconds and on SIGHUP; a pair that cannot be used – half written, of another key – leaves
//! the one in use where it is. A connection keeps the certificate it began with.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::limits;

/// The files of a certificate.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate and those that lead to its authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no PEM of what it should hold.
    #[error("{} holds no {what} in PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not belong together, or are of a kind that is not known.
    #[error("certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// The bytes of both files.
#[derive(Clone, PartialEq, Eq)]
struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The certificate that new connections are given.
pub struct Tls {
    files: Files,
    current: RwLock<Arc<ServerConfig>>,
    /// The files as they were last tried, good or not: each fault is said once.
    tried: Mutex<Pair>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the certificate.
    pub fn open(files: Files) -> Result<Self, TlsError> {
        let pair = read_pair(&files)?;
        let current = config(&files, &pair)?;
        Ok(Self {
            files,
            current: RwLock::new(Arc::new(current)),
            tried: Mutex::new(pair),
        })
    }

    /// Looks at the files again: true if new connections are given another certificate from now on. A
    /// pair that was tried before is not tried again. Blocks on the disk.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = read_pair(&self.files)?;
        if pair == *tried {
            return Ok(false);
        }
        tried.clone_from(&pair);
        let next = config(&self.files, &pair)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }

    /// The same, said in the log.
    fn look(&self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => tracing::info!(
                certificate = %self.files.certificate.display(),
                "a new certificate is used from now on"
            ),
            Err(error) => tracing::error!(
                %error,
                "the new certificate is not used, the one before stays: {error}"
            ),
        }
    }

    /// Looks at the files every few seconds, and at once on SIGHUP, until the runtime ends.
    pub async fn keep_looking(self: Arc<Self>) {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hang_up = match signal(SignalKind::hangup()) {
            Ok(signal) => Some(signal),
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be heard: {error}");
                None
            }
        };
        let mut often = tokio::time::interval(Duration::from_secs(limits::CERTIFICATE_LOOK_S));
        loop {
            let asked = async {
                match &mut hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = often.tick() => {}
                _ = asked => {}
            }
            let tls = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || tls.look())
                .await
                .is_err()
            {
                return;
            }
        }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }
}

fn read_pair(files: &Files) -> Result<Pair, TlsError> {
    Ok(Pair {
        certificate: read(&files.certificate)?,
        key: read(&files.key)?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            file.take(limits::CERTIFICATE_BYTES_MAX)
                .read_to_end(&mut bytes)
        })
        .map_err(|source| TlsError::File {
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}

fn config(files: &Files, pair: &Pair) -> Result<ServerConfig, TlsError> {
    let not_pem = |path: &Path, what| TlsError::NotPem {
        path: path.to_owned(),
        what,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pair.certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| not_pem(&files.certificate, "certificate"))?;
    if chain.is_empty() {
        return Err(not_pem(&files.certificate, "certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_slice(&pair.key).map_err(|_| not_pem(&files.key, "private key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A listener whose connections have their TLS handshake behind them.
///
/// Handshakes run beside each other and beside accepting: who connects and says nothing keeps nobody
/// waiting, and is cut after [`limits::HANDSHAKE_S`].
#[derive(Debug)]
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    accepting: AbortHandle,
}

impl TlsListener {
    /// Begins to accept.
    pub fn new(listener: TcpListener, tls: Arc<Tls>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(1);
        let accepting = tokio::spawn(accept(listener, tls, done)).abort_handle();
        Ok(Self {
            ready,
            address,
            accepting,
        })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends with this listener only.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    mut listener: TcpListener,
    tls: Arc<Tls>,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(limits::HANDSHAKES_AT_ONCE));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let (stream, address) = Listener::accept(&mut listener).await;
        let (acceptor, done) = (tls.acceptor(), done.clone());
        tokio::spawn(async move {
            let patience = Duration::from_secs(limits::HANDSHAKE_S);
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(patience, acceptor.accept(stream)) => shaken,
                // Nobody will serve it.
                () = done.closed() => return,
            };
            match shaken {
                Ok(Ok(stream)) => {
                    drop(place);
                    let _ = done.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed: {error}"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        });
    }
}
