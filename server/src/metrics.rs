//! What the server measures of itself, for whoever watches it. No label names a person, a unit or a
//! report: a route is its pattern, everything else one of our own codes.

use std::fmt;
use std::time::{Duration, Instant};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use sync_core::log::{LogReader, Verdict};

use crate::app::{App, Stage};
use crate::keyspace::StoreKeyspace;
use crate::problem::{Problem, ProblemCode};

/// Seconds: from an answer out of memory to a request that waits for a slow disk.
const SECONDS: [f64; 14] = [
    0.000_1, 0.000_3, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Exchanges in one commit, up to [`crate::limits::EXCHANGES_PER_COMMIT_MAX`].
const EXCHANGES: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

type Labels = Vec<(&'static str, String)>;

#[derive(Clone)]
struct InSeconds;

impl MetricConstructor<Histogram> for InSeconds {
    fn new_metric(&self) -> Histogram {
        seconds()
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

/// Counters and histograms, and gauges that are read off the server when somebody looks.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    request_seconds: Family<Labels, Histogram, InSeconds>,
    sign_in_failures: Family<Labels, Counter>,
    parts: Family<Labels, Counter>,
    repairs: Counter,
    group_exchanges: Histogram,
    journal_sync_seconds: Histogram,
    roll_up_seconds: Family<Labels, Histogram, InSeconds>,
    journal_bytes: Gauge,
    index_bytes: Gauge,
    ready: Gauge,
    live_connections: Gauge,
    derivation_lag: Gauge,
    held_parts: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl journal::Observer for Metrics {
    fn synced(&self, _durable: u64, took: Duration) {
        self.journal_sync_seconds.observe(took.as_secs_f64());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("dongbo"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(InSeconds),
            sign_in_failures: Family::default(),
            parts: Family::default(),
            repairs: Counter::default(),
            group_exchanges: Histogram::new(EXCHANGES),
            journal_sync_seconds: seconds(),
            roll_up_seconds: Family::new_with_constructor(InSeconds),
            journal_bytes: Gauge::default(),
            index_bytes: Gauge::default(),
            ready: Gauge::default(),
            live_connections: Gauge::default(),
            derivation_lag: Gauge::default(),
            held_parts: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let all = &mut self.registry;
        all.register(
            "http_requests",
            "Requests by method, route and status",
            self.requests.clone(),
        );
        all.register(
            "http_request_seconds",
            "How long requests took, by method and route",
            self.request_seconds.clone(),
        );
        all.register(
            "sign_in_failures",
            "Refused attempts to prove who one is, by code",
            self.sign_in_failures.clone(),
        );
        all.register(
            "parts",
            "Parts of batches by verdict and code",
            self.parts.clone(),
        );
        all.register(
            "repairs",
            "Repairs begun: a device and this node find out what they differ in",
            self.repairs.clone(),
        );
        all.register(
            "commit_exchanges",
            "Exchanges accepted by one commit of the log",
            self.group_exchanges.clone(),
        );
        all.register(
            "journal_sync_seconds",
            "How long fdatasync of the journal took",
            self.journal_sync_seconds.clone(),
        );
        all.register(
            "roll_up_seconds",
            "How long figures took: one change, or the whole",
            self.roll_up_seconds.clone(),
        );
        all.register(
            "journal_bytes",
            "Bytes of the journal",
            self.journal_bytes.clone(),
        );
        all.register(
            "index_bytes",
            "Bytes of the index",
            self.index_bytes.clone(),
        );
        all.register(
            "ready",
            "1 while what is derived stands and requests are served",
            self.ready.clone(),
        );
        all.register(
            "live_connections",
            "Open live connections and streams of events",
            self.live_connections.clone(),
        );
        all.register(
            "derivation_lag_parts",
            "Accepted parts that are not in the figures yet",
            self.derivation_lag.clone(),
        );
        all.register(
            "held_parts",
            "Parts kept and not applied",
            self.held_parts.clone(),
        );
    }

    /// A request was answered. The route is a pattern of the table, never what was asked.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        // Whoever asks chooses the method: only known ones become labels.
        let method = match method {
            "GET" | "POST" | "HEAD" | "OPTIONS" => method,
            _ => "other",
        };
        let of = |more: Option<u16>| -> Labels {
            let named = [("method", method.to_owned()), ("route", route.to_owned())];
            let status = more.map(|status| ("status", status.to_string()));
            named.into_iter().chain(status).collect()
        };
        self.requests.get_or_create(&of(Some(status))).inc();
        self.request_seconds
            .get_or_create(&of(None))
            .observe(took.as_secs_f64());
    }

    /// A request was refused.
    pub(crate) fn refused(&self, code: ProblemCode) {
        let is_sign_in = matches!(
            code,
            ProblemCode::SignInFailed
                | ProblemCode::SignInTooOften
                | ProblemCode::SignInBusy
                | ProblemCode::RefreshInvalid
                | ProblemCode::RefreshReplayed
                | ProblemCode::ChallengeInvalid
                | ProblemCode::DeviceKeyUnknown
                | ProblemCode::DeviceKeyEnded
                | ProblemCode::SignatureWrong
                | ProblemCode::CodeUnknown
        );
        if is_sign_in {
            let labels = vec![("code", code.as_str().to_owned())];
            self.sign_in_failures.get_or_create(&labels).inc();
        }
    }

    /// A group of exchanges was committed.
    pub(crate) fn committed<'a>(
        &self,
        exchanges: usize,
        verdicts: impl Iterator<Item = &'a Verdict>,
    ) {
        // A group has at most 128.
        self.group_exchanges
            .observe(f64::from(u32::try_from(exchanges).unwrap_or(u32::MAX)));
        for verdict in verdicts {
            let (name, code) = match verdict {
                Verdict::Accepted { .. } => ("accepted", ""),
                Verdict::Duplicate { .. } => ("duplicate", ""),
                Verdict::Held { reason, .. } => ("held", reason.code()),
                Verdict::Gap { .. } => ("gap", ""),
                Verdict::Waiting => ("waiting", ""),
                Verdict::Refused { code } => ("refused", *code),
            };
            let labels = vec![("verdict", name.to_owned()), ("code", code.to_owned())];
            self.parts.get_or_create(&labels).inc();
        }
    }

    /// A device asked for the first symbols of a repair.
    pub(crate) fn repairing(&self) {
        self.repairs.inc();
    }

    /// Figures were brought up to date since `started`: by one change, or from nothing.
    pub(crate) fn rolled_up(&self, kind: &'static str, started: Instant) {
        let labels = vec![("kind", kind.to_owned())];
        let took = started.elapsed().as_secs_f64();
        self.roll_up_seconds.get_or_create(&labels).observe(took);
    }

    /// Everything as text. Blocks on the disk.
    pub(crate) fn text(&self, app: &App) -> Result<String, Problem> {
        let usage = app.store.usage()?;
        let below = StoreKeyspace(&*app.store);
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.journal_bytes.set(whole(usage.truth_bytes));
        self.index_bytes.set(whole(usage.derived_bytes));
        self.held_parts.set(whole(LogReader(&below).held_end()?));
        self.ready.set(i64::from(app.stage() == Stage::Ready));
        let live = app.live_places.saturating_sub(app.live.available_permits());
        self.live_connections
            .set(i64::try_from(live).unwrap_or(i64::MAX));
        if let Ok(running) = app.running() {
            let end = *running.acceptor.end().borrow();
            let derived = *running.totals.subscribe().borrow();
            self.derivation_lag.set(whole(end.saturating_sub(derived)));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|error| Problem::internal(&error))?;
        Ok(text)
    }
}
