//! The figures of a unit as they change: server-sent events, the whole first, then what changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::unfold;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::app::{App, SharedApp, Stage, blocking, reached};
use crate::extract::{Asked, FigureReader};
use crate::openapi::Events;
use crate::operation::due_units::{DueUnit, SectionLine, due_units, parts, sections};
use crate::operation::figures::{CoverageLine, FigureLine, FindingLine, UnitLine};
use crate::operation::read_roll_up::{Figures, Request, read_with};
use crate::problem::{Problem, ProblemCode};

/// Seconds between signs of life on a stream without news.
const SIGN_OF_LIFE_S: u64 = 20;

/// Everything: figures, the form's sections, the units right below, and every unit that owes a report.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RollUpWhole")]
pub(crate) struct Whole {
    #[serde(flatten)]
    figures: Figures,
    sections: Vec<SectionLine>,
    parts: Vec<UnitLine>,
    units: Vec<DueUnit>,
}

/// What changed since the event before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RollUpChange")]
pub(crate) struct Change<'a> {
    position: u64,
    coverage: &'a CoverageLine,
    figures: Vec<&'a FigureLine>,
    findings: &'a [FindingLine],
    units: Vec<&'a DueUnit>,
}

fn read_whole(app: &App, reader: &FigureReader, request: &Request) -> Result<Whole, Problem> {
    let key = request.key()?;
    let (figures, (sections, parts, units)) = read_with(app, reader, request, |roll_up, unit| {
        let units = due_units(roll_up, &key, unit);
        (sections(roll_up), parts(roll_up, unit), units)
    })?;
    Ok(Whole {
        figures,
        sections,
        parts,
        units,
    })
}

struct Following {
    app: SharedApp,
    reader: FigureReader,
    request: Request,
    changed: watch::Receiver<u64>,
    catalogue: watch::Receiver<u64>,
    stage: watch::Receiver<Stage>,
    sent: Option<Whole>,
    _place: OwnedSemaphorePermit,
}

/// `GET /v1/roll-ups/live`: events `table` (as `GET /v1/roll-ups`, and who owes what), then `change`.
pub(crate) async fn respond(
    State(app): State<SharedApp>,
    reader: FigureReader,
    Asked(request): Asked<Request>,
) -> Result<Events<Whole, Change<'static>>, Problem> {
    let place = Arc::clone(&app.live)
        .try_acquire_owned()
        .map_err(|_| Problem::new(ProblemCode::NotReady))?;
    let running = app.running()?;
    let (changed, catalogue) = (running.totals.subscribe(), app.registry.subscribe());
    let (asked, by) = (request.clone(), reader);
    // Refused here, what may not be seen is a problem and not a stream.
    blocking(&app, move |app| read_whole(app, &by, &asked)).await?;
    let following = Following {
        changed,
        catalogue,
        stage: app.stage.subscribe(),
        app,
        reader,
        request,
        sent: None,
        _place: place,
    };
    let events = unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(SIGN_OF_LIFE_S));
    Ok(Events::new(Sse::new(events).keep_alive(alive)))
}

impl Following {
    /// The next event, or the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.sent.is_some() {
                tokio::select! {
                    grown = self.changed.changed() => grown.ok()?,
                    grown = self.catalogue.changed() => grown.ok()?,
                    () = reached(&mut self.stage, Stage::Draining) => return None,
                }
            } else {
                self.changed.borrow_and_update();
            }
            let (request, reader) = (self.request.clone(), self.reader);
            let now = blocking(&self.app, move |app| read_whole(app, &reader, &request)).await;
            let Ok(now) = now else {
                // Rights or tree have changed: the reader asks again and is told.
                return None;
            };
            let event = match &self.sent {
                Some(before) if same_rows(before, &now) => change(before, &now),
                Some(_) | None => Some(Event::default().event("table").json_data(&now)),
            };
            self.sent = Some(now);
            match event {
                Some(Ok(event)) => return Some(event),
                Some(Err(error)) => {
                    tracing::error!(%error, "figures cannot be written: {error}");
                    return None;
                }
                None => {}
            }
        }
    }
}

/// True if the one leads to the other by changed lines alone.
fn same_rows(before: &Whole, now: &Whole) -> bool {
    let (was, is) = (&before.figures, &now.figures);
    was.template_version == is.template_version
        && was.unit == is.unit
        && was.due_day == is.due_day
        && was.figures.len() == is.figures.len()
        && before.sections == now.sections
        && before.parts == now.parts
        && before.units.len() == now.units.len()
        && before
            .units
            .iter()
            .zip(&now.units)
            .all(|(before, now)| before.unit == now.unit)
}

/// The event that leads from one state to the next; none if nothing shows.
fn change(before: &Whole, now: &Whole) -> Option<Result<Event, axum::Error>> {
    let (was, is) = (&before.figures, &now.figures);
    let figures = changed(&was.figures, &is.figures);
    let units = changed(&before.units, &now.units);
    let nothing = figures.is_empty()
        && units.is_empty()
        && was.coverage == is.coverage
        && was.findings == is.findings;
    if nothing {
        return None;
    }
    let change = Change {
        position: is.position,
        coverage: &is.coverage,
        figures,
        findings: &is.findings,
        units,
    };
    Some(Event::default().event("change").json_data(change))
}

fn changed<'a, T: PartialEq>(before: &[T], now: &'a [T]) -> Vec<&'a T> {
    let pairs = before.iter().zip(now);
    let changed = pairs.filter(|(before, now)| before != now);
    changed.map(|(_, now)| now).collect()
}
