//! Makes a second, empty node of a province that exists: its catalogue and keys, none of its reports.
//!
//! What was reported comes by `dongbo replay`, or from the devices themselves: they meet a node they
//! do not know and offer everything they hold.

use journal::files::RealFiles;
use journal::{Journal, OpenError, ReadError};
use std::path::Path;
use std::sync::Arc;
use store::{Commit, CommitError, Condition, SharedStore, Write};
use sync_core::catalogue::{ApplyError, Catalogue, SignedRecord};
use sync_core::identity::{NodeId, ProvinceId};
use sync_core::log::keys;
use sync_core::sync::NodeIdentity;

use crate::entropy::{NoEntropy, random};
use crate::keyspace;
use crate::secrets::Secrets;

/// Why no node was made. Nothing was written, unless the commit itself is uncertain.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The other folder's journal cannot be opened.
    #[error("the journal of the province cannot be opened: {0}")]
    Journal(#[from] OpenError),
    /// The other folder's journal cannot be read to its end.
    #[error("the journal of the province cannot be read: {0}")]
    Read(#[from] ReadError),
    /// A record of the journal is none.
    #[error("the journal holds a record that cannot be read")]
    Damaged,
    /// The catalogue does not hold together.
    #[error("the catalogue of the province does not hold together: {0}")]
    Catalogue(#[from] ApplyError),
    /// The folder holds no province, or another one than its key says.
    #[error("the folder holds no province of this catalogue key")]
    OtherProvince,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The commit failed, or the new folder already holds a province.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Copies the catalogue out of a journal folder into an empty store, in one commit.
pub fn adopt(
    store: &SharedStore,
    secrets: &Secrets,
    journal: &Path,
) -> Result<(ProvinceId, NodeId), AdoptError> {
    let records = records_of(journal)?;
    let mut catalogue = Catalogue::new();
    let mut writes = Vec::new();
    for record in &records {
        catalogue.apply(record)?;
        writes.push(Write {
            key: keys::catalogue(catalogue.last_number()),
            value: Some(record.encode()),
        });
    }
    let province = catalogue.province().map(|province| province.id);
    let signer = secrets.catalogue.as_ref();
    let expected = signer.map(|signer| ProvinceId::of(signer.verifying_key().as_bytes()));
    let Some(expected) = expected.filter(|expected| province == Some(*expected)) else {
        return Err(AdoptError::OtherProvince);
    };
    let node = NodeIdentity {
        node: NodeId(random()?),
        restarts: 0,
        key: secrets.node.clone(),
    };
    writes.push(keyspace::write(node.write()));
    let conditions = vec![Condition {
        key: keys::node(),
        expected: None,
    }];
    store.commit(Commit { conditions, writes })?;
    Ok((expected, node.node))
}

/// The catalogue records of a journal, by their numbers.
fn records_of(journal: &Path) -> Result<Vec<SignedRecord>, AdoptError> {
    let (journal, _) = Journal::open_read_only(Arc::new(RealFiles::read_only(journal)))?;
    let mut records = std::collections::BTreeMap::new();
    journal.replay::<AdoptError>(None, |_, bytes| {
        for write in store::record::decode(bytes).map_err(|_| AdoptError::Damaged)? {
            if let (Some(&keys::CATALOGUE), Some(value)) = (write.key.first(), write.value) {
                let record = SignedRecord::decode(value).map_err(|_| AdoptError::Damaged)?;
                records.insert(write.key.to_vec(), record);
            }
        }
        Ok(())
    })?;
    Ok(records.into_values().collect())
}
