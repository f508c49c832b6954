//! What is asked of every document at once, for lists: nothing here reads a change.

use super::read::LogReader;
use super::{DocumentIndex, KeyspaceError, keys};
use crate::document::Subject;
use crate::identity::{DocumentId, labelled_hash};

impl LogReader<'_> {
    /// What a document is about; none if it is not here.
    pub fn subject(&self, document: DocumentId) -> Result<Option<Subject>, KeyspaceError> {
        let head = self.0.get(&keys::document(document))?;
        head.map(|head| DocumentIndex::subject_in(&head))
            .transpose()
    }

    /// Stands for exactly the changes of a document that are here and where: any that comes or goes gives
    /// another stamp. Comparable on one device only, since positions are its own.
    pub fn stamp(&self, document: DocumentId) -> Result<[u8; 8], KeyspaceError> {
        let head = self.0.get(&keys::document(document))?.unwrap_or_default();
        let from = keys::document_chunk(document, 0);
        let to = keys::document_chunk(document, u32::MAX);
        let chunks = self.0.scan(&from, &to, usize::MAX)?;
        let mut parts = vec![head.as_slice()];
        parts.extend(chunks.iter().map(|(_, chunk)| chunk.as_slice()));
        let [a, b, c, d, e, f, g, h, ..] = labelled_hash("document stamp", &parts);
        Ok([a, b, c, d, e, f, g, h])
    }
}
