//! Metrics of a server, for Prometheus.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{TypedMetric, counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{Engine, engine::EngineMetrics};

/// The type of [`ServerMetrics::encode`]'s text.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    /// The pattern of the route, never what the client wrote.
    pub route: String,
    pub method: &'static str,
    pub status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ModelLabels {
    model: String,
    device: String,
}

/// What the engines count. A metric is described once, whatever the number of models: that is the format.
#[derive(Debug)]
struct OfModels(Vec<(ModelLabels, EngineMetrics)>);

impl OfModels {
    /// One of the metrics, for each model.
    fn encode<M: EncodeMetric + TypedMetric>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        metric: impl Fn(&EngineMetrics) -> &M,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, M::TYPE)?;
        self.0.iter().try_for_each(|(labels, metrics)| metric(metrics).encode(family.encode_family(labels)?))
    }
}

impl Collector for OfModels {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let to = &mut to;
        self.encode(to, "mazes_queued", "Mazes that wait for a place in the batch.", |of| &of.queued)?;
        self.encode(to, "mazes_in_work", "Mazes in the batch.", |of| &of.in_work)?;
        self.encode(to, "mazes", "Mazes answered.", |of| &of.mazes)?;
        self.encode(to, "maze_steps", "Supervision steps, counted for each maze.", |of| &of.steps)?;
        self.encode(to, "batch_steps", "Supervision steps, counted for each batch.", |of| &of.batches)?;
        self.encode(to, "mazes_withdrawn", "Mazes that nobody waited for any more.", |of| &of.withdrawn)?;
        self.encode(to, "device_failures", "Supervision steps that failed.", |of| &of.failures)?;
        let help = "Supervision steps that mazes took.";
        self.encode(to, "supervision_steps", help, |of| &of.supervision_steps)
    }
}

/// What a server counts.
#[derive(Clone)]
pub(crate) struct ServerMetrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
}

impl ServerMetrics {
    pub fn new<'a>(engines: impl Iterator<Item = &'a Engine>) -> Self {
        let mut registry = Registry::with_prefix("trm");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor(
            (|| Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])) as fn() -> _,
        );
        let help = "Time until the head of the answer";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds.clone());
        let of_model = |engine: &Engine| {
            let labels = ModelLabels { model: engine.name().to_owned(), device: engine.device().to_owned() };
            (labels, engine.metrics().clone())
        };
        registry.register_collector(Box::new(OfModels(engines.map(of_model).collect())));
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Two models share their metrics' descriptions, and each has its own values.
    #[test]
    fn metrics_are_described_once() {
        let of = |model: &str| {
            (ModelLabels { model: model.into(), device: "cpu".into() }, EngineMetrics::default())
        };
        let models = OfModels(vec![of("a"), of("b")]);
        models.0[1].1.mazes.inc_by(3);
        let mut registry = Registry::with_prefix("trm");
        registry.register_collector(Box::new(models));
        let mut text = String::new();
        encode(&mut text, &registry).expect("a string takes all");
        let described: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
        assert_eq!(described.len(), 8, "{text}");
        assert_eq!(described.iter().collect::<HashSet<_>>().len(), 8, "{text}");
        assert!(text.contains("trm_mazes_total{model=\"a\",device=\"cpu\"} 0"), "{text}");
        assert!(text.contains("trm_mazes_total{model=\"b\",device=\"cpu\"} 3"), "{text}");
        assert!(text.contains("trm_supervision_steps_count{model=\"b\",device=\"cpu\"} 0"), "{text}");
    }
}
