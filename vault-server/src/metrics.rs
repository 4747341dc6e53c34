//! What the server counts of itself. Counts and sizes only: no id, address or time of anybody's.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use vault_core::wire::v1::sync::Outcome;

use crate::store::Totals;

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By the first digit of the status: 2xx to 5xx.
    requests: [AtomicU64; 4],
    bytes_in: AtomicU64,
    stored: AtomicU64,
    conflicts: AtomicU64,
    refused: AtomicU64,
    groups: AtomicU64,
}

impl Metrics {
    /// Counts a request by its status and the length of its body.
    pub(crate) fn request(&self, status: u16, length: u64) {
        let class = usize::from(status / 100).saturating_sub(2);
        if let Some(counter) = self.requests.get(class) {
            add(counter, 1);
        }
        add(&self.bytes_in, length);
    }

    /// Counts a group of appends that was committed.
    pub(crate) fn group(&self) {
        add(&self.groups, 1);
    }

    /// Counts what became of parcels.
    pub(crate) fn outcomes(&self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Stored(_) => add(&self.stored, 1),
                Outcome::Conflict(_) => add(&self.conflicts, 1),
                Outcome::Refused(_) => add(&self.refused, 1),
                Outcome::NotTried => (),
            }
        }
    }

    /// Writes all of it in the text format of Prometheus.
    pub(crate) fn text(&self, totals: &Totals) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut out = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, values: &[(&str, u64)]| {
            // Writing into a string does not fail.
            let _ = writeln!(out, "# HELP casevault_{name} {help}\n# TYPE casevault_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "casevault_{name}{labels} {value}");
            }
        };
        let [ok, redirect, client, server] = self.requests.each_ref().map(read);
        let requests = [
            ("{status=\"2xx\"}", ok),
            ("{status=\"3xx\"}", redirect),
            ("{status=\"4xx\"}", client),
            ("{status=\"5xx\"}", server),
        ];
        metric("requests_total", "counter", "Requests answered.", &requests);
        let bytes_in = read(&self.bytes_in);
        metric(
            "request_bytes_total",
            "counter",
            "Bytes of their bodies.",
            &[("", bytes_in)],
        );
        let parcels = [
            ("{outcome=\"stored\"}", read(&self.stored)),
            ("{outcome=\"conflict\"}", read(&self.conflicts)),
            ("{outcome=\"refused\"}", read(&self.refused)),
        ];
        metric("parcels_total", "counter", "Parcels that were tried.", &parcels);
        let groups = read(&self.groups);
        metric("groups_total", "counter", "Transactions of appends.", &[("", groups)]);
        metric("agencies", "gauge", "Agencies known.", &[("", totals.agencies)]);
        metric("streams", "gauge", "Streams.", &[("", totals.streams)]);
        metric("links", "gauge", "Links, of all logs.", &[("", totals.links)]);
        metric(
            "database_bytes",
            "gauge",
            "Size of the database.",
            &[("", totals.bytes)],
        );
        out
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
