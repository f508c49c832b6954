//! Who says whose certificate is good: the public authorities, or one of the province's own.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::RoadError;

/// Who is believed.
#[derive(Debug, Clone, Default)]
pub enum Authority {
    /// The authorities that browsers believe.
    #[default]
    Public,
    /// These and nobody else.
    Own(Arc<Vec<CertificateDer<'static>>>),
}

impl Authority {
    /// The authority of a PEM file; the public ones without a file.
    pub fn read(path: Option<&Path>) -> Result<Self, RoadError> {
        let Some(path) = path else {
            return Ok(Self::Public);
        };
        let refused = |reason: String| RoadError::Authority {
            path: path.to_owned(),
            reason,
        };
        let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        Self::own(&bytes).map_err(refused)
    }

    /// The authority of a text in PEM; the public ones without one.
    pub fn of_pem(text: Option<&str>) -> Result<Self, RoadError> {
        let Some(text) = text else {
            return Ok(Self::Public);
        };
        Self::own(text.as_bytes()).map_err(|reason| RoadError::Authority {
            path: "PEM".into(),
            reason,
        })
    }

    fn own(bytes: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(bytes)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| error.to_string())?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store
                .add(certificate.clone())
                .map_err(|error| error.to_string())?;
        }
        if store.is_empty() {
            return Err("no certificate in PEM".to_owned());
        }
        Ok(Self::Own(Arc::new(certificates)))
    }

    /// For requests.
    pub(super) fn for_requests(&self) -> TlsConfig {
        let roots = match self {
            Self::Public => RootCerts::WebPki,
            Self::Own(certificates) => {
                let known: Vec<Certificate<'static>> = certificates
                    .iter()
                    .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned())
                    .collect();
                RootCerts::new_with_certs(&known)
            }
        };
        TlsConfig::builder().root_certs(roots).build()
    }

    /// For live connections.
    pub(super) fn for_live(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        let mut store = RootCertStore::empty();
        match self {
            Self::Public => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Self::Own(certificates) => {
                for certificate in certificates.iter() {
                    store.add(certificate.clone())?;
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
