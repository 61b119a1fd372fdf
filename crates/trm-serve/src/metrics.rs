//! What a server counts, for Prometheus.

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::Engine;

/// The type of [`Metrics::encode`]'s text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What an engine counts.
#[derive(Clone, Debug)]
pub(crate) struct EngineMetrics {
    pub queued: Gauge,
    pub in_work: Gauge,
    pub mazes: Counter,
    /// Supervision steps, one for each maze in a batch.
    pub steps: Counter,
    /// Supervision steps of whole batches.
    pub batches: Counter,
    pub withdrawn: Counter,
    pub failures: Counter,
    /// Steps that mazes took.
    pub supervision_steps: Histogram,
}

impl Default for EngineMetrics {
    fn default() -> Self {
        Self {
            queued: Gauge::default(),
            in_work: Gauge::default(),
            mazes: Counter::default(),
            steps: Counter::default(),
            batches: Counter::default(),
            withdrawn: Counter::default(),
            failures: Counter::default(),
            supervision_steps: Histogram::new([1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0]),
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The pattern of the route, never what the client wrote.
    pub route: String,
    pub method: String,
    pub status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// What a server counts.
#[derive(Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub fn new<'a>(engines: impl Iterator<Item = &'a Engine>) -> Self {
        let mut registry = Registry::with_prefix("trm");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor(
            (|| Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])) as fn() -> _,
        );
        let help = "Time until the head of the answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds.clone());
        for engine in engines {
            let labels = [
                ("model".into(), engine.name().to_owned().into()),
                ("device".into(), engine.device().to_owned().into()),
            ];
            let of_model = registry.sub_registry_with_labels(labels.into_iter());
            let EngineMetrics { queued, in_work, mazes, steps, batches, withdrawn, failures, .. } =
                engine.metrics().clone();
            of_model.register("mazes_queued", "Mazes that wait for a place in the batch", queued);
            of_model.register("mazes_in_work", "Mazes in the batch", in_work);
            of_model.register("mazes", "Mazes answered", mazes);
            of_model.register("maze_steps", "Supervision steps, counted for each maze", steps);
            of_model.register("batch_steps", "Supervision steps, counted for each batch", batches);
            of_model.register("mazes_withdrawn", "Mazes that nobody waited for any more", withdrawn);
            of_model.register("device_failures", "Supervision steps that failed", failures);
            let help = "Supervision steps that mazes took";
            of_model.register("supervision_steps", help, engine.metrics().supervision_steps.clone());
        }
        Self { registry: Arc::new(registry), requests, seconds }
    }

    pub fn answered(&self, labels: &RequestLabels, seconds: f64) {
        self.seconds.get_or_create(&RouteLabels { route: labels.route.clone() }).observe(seconds);
        self.requests.get_or_create(labels).inc();
    }

    /// All of it as text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
