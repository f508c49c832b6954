//! The small day, cut once at one byte after the other.

use anyhow::{Context, Result, bail, ensure};
use e2e::Server;
use e2e::link::Conditions;
use serde_json::json;

use crate::check::Shown;
use crate::exchange::{copy, exchange};
use crate::{Bench, Moment, STATES};

/// What a cut may cost: a frame that is not worth asking about, the head of a request, a question, its
/// answer.
const MORE_BYTES_MAX: u64 = 1_024 + 700;
/// Of so many cuts one is looked at with everything the tablet shows.
const LOOKED_AT: usize = 64;

impl Bench {
    /// Cuts at every `step`-th byte of the exchange.
    pub(crate) fn cut_small_day(&mut self, step: usize) -> Result<()> {
        let empty = Moment {
            server: self.field.server.clone(),
            tablet: self.field.tablet.clone(),
        };
        let fast = ("", Conditions::default());
        let Some(morning) = self.run("first_sync", fast, &empty)? else {
            bail!("an empty tablet, on a good link: {:?}", self.reasons);
        };
        let other = self.other_in_the_morning(&empty)?;
        let small = self.offline("small", &morning, &other, &self.small_pages()?)?;
        self.run("small_day", fast, &small)?;
        let whole = self
            .figures
            .get("small_day_bytes")
            .and_then(|bytes| bytes.as_u64());
        let whole = whole.context("the small day did not come to its end")?;
        let (mut cuts, mut most) = (0, 0);
        for at in (1..whole).step_by(step.max(1)) {
            let more = self.cut_once(&small, at, whole, cuts % LOOKED_AT == 0)?;
            most = more.max(most);
            cuts += 1;
        }
        self.figure("small_day_cuts", json!(cuts));
        self.figure("small_day_cut_more_bytes_max", json!(most));
        Ok(())
    }

    /// How many bytes more than without a cut.
    fn cut_once(&self, small: &Moment, at: u64, whole: u64, look: bool) -> Result<u64> {
        let after = Moment {
            server: self.folder.join("cut-server"),
            tablet: self.folder.join("cut-tablet"),
        };
        copy(&small.server, &after.server)?;
        copy(&small.tablet, &after.tablet)?;
        let running = Server::start(&after.server)?;
        let done = exchange(&running, &after.tablet, Conditions::cut_at(at))?;
        running.stop()?;
        ensure!(done.unfinished.is_none(), "cut at {at}: {done:?}");
        ensure!(done.passed.cuts == 1, "it was cut at {at}: {done:?}");
        let more = done.passed.bytes().saturating_sub(whole);
        ensure!(more <= MORE_BYTES_MAX, "cut at {at}: {more} bytes more");
        if look {
            let (mine, theirs) = self.day.small();
            let shown = Shown::by(&after.tablet)?;
            let seen = shown.count(&self.field, &mine, STATES.0)?
                + shown.count(&self.field, &theirs, STATES.1)?;
            let edits = mine.len() + theirs.len();
            ensure!(
                seen == edits,
                "cut at {at}: {seen} of {edits} edits are visible"
            );
        }
        std::fs::remove_dir_all(&after.server)?;
        std::fs::remove_dir_all(&after.tablet)?;
        Ok(more)
    }
}
