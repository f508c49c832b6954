//! A tablet that was copied back works at an edge with the one folder and at the province with the other,
//! before the two nodes have spoken: each accepts another branch of one chain, and colleagues at the edge
//! build on theirs. What becomes of it the other operations and the second phase show.

use crate::operations::{Place, Typing};
use crate::violation::Checked;
use crate::world::World;

/// Exchanges in which a tablet has told its node everything, if nothing fails.
const EXCHANGES_MAX: usize = 8;

impl World {
    /// Takes a tablet's work to both nodes, on one copy each, and some colleagues to the edge.
    pub(crate) fn branch(&mut self, tablet: usize, edge: usize) -> Checked<()> {
        let mut nodes = [None, Some(edge)];
        if self.chance.one_in(2) {
            nodes.reverse();
        }
        self.copy(Place::Tablet(tablet))?;
        for (turn, at) in nodes.into_iter().enumerate() {
            if turn > 0 {
                self.restore(Place::Tablet(tablet))?;
            }
            self.work_at(tablet, at, 1)?;
        }
        for colleague in 0..self.tablets.len() {
            if colleague != tablet && self.chance.one_in(2) {
                self.work_at(colleague, Some(edge), 0)?;
                let cells = self.chance.below(3);
                self.work_at(colleague, Some(edge), cells)?;
            }
        }
        Ok(())
    }

    /// A tablet types into some cells at a node and tells it.
    fn work_at(&mut self, tablet: usize, at: Option<usize>, cells: usize) -> Checked<()> {
        self.roam(tablet, at)?;
        for _ in 0..cells {
            let subject = self.chance.below(self.setting.subjects.len());
            let code = self.chance.below(self.setting.codes.len());
            self.type_in(tablet, subject, code, Typing::Number)?;
        }
        self.seal(tablet)?;
        for _ in 0..EXCHANGES_MAX {
            if !self.exchange(tablet)? {
                break;
            }
        }
        Ok(())
    }
}
