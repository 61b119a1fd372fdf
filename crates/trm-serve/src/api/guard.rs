//! Checks that every request passes: the token, the bound for each client, headers, counting.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::{App, Refusal, clients::Visited};
use crate::metrics::RequestLabels;

/// Refuses requests without the token.
pub async fn needs_token(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match &app.token {
        Some(token) if !token.is_in(request.headers()) => Refusal::unauthorized().into_response(),
        _ => next.run(request).await,
    }
}

/// Refuses a client that has too many requests open.
pub async fn bounds_clients(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let limit = app.limits.requests_per_client;
    let forwarded = if app.behind_proxy { last_forwarded(request.headers()) } else { None };
    let Some(visit) = app.clients.enter(forwarded.unwrap_or(address.ip()), limit) else {
        let detail = format!("{limit} requests of yours are open already; wait for one of them");
        return Refusal::busy(detail).into_response();
    };
    next.run(request).await.map(|body| Body::new(Visited { body, _visit: visit }))
}

/// The address that the proxy next to us saw; those before it are the clients' own words.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").into_iter().next_back()?;
    last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
}

/// Gives a body only so long to arrive, and so much room, so that no client holds a place by sending slowly.
pub async fn bounds_receiving(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let seconds = app.limits.receive_seconds;
    let limit = app.limits.body_bytes;
    let (parts, body) = request.into_parts();
    // One whose length is announced need not arrive to be too large.
    if http_body::Body::size_hint(&body).lower() > limit as u64 {
        return Refusal::too_large(limit).into_response();
    }
    let received = timeout(Duration::from_secs(seconds), Limited::new(body, limit).collect()).await;
    match received {
        Ok(Ok(body)) => next.run(Request::from_parts(parts, Body::from(body.to_bytes()))).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => Refusal::too_large(limit).into_response(),
        Ok(Err(_)) => Refusal::broken_off().into_response(),
        Err(_) => Refusal::too_slow(seconds).into_response(),
    }
}

/// Adds the headers that keep browsers from doing what no answer of ours needs.
pub async fn hardens(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    set(header::CACHE_CONTROL, "no-store");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    response
}

/// Counts answers and the time until their heads.
pub async fn counts(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = method_label(request.method());
    let response = next.run(request).await;
    let labels = RequestLabels { route, method, status: response.status().as_u16() };
    app.metrics.answered(&labels, begun.elapsed().as_secs_f64());
    response
}

/// A method as a label. Clients may make up names, and each would be a series of its own, kept for good.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No client adds a label by making up a method.
    #[test]
    fn labels_of_methods_are_few() {
        for (method, label) in [("GET", "GET"), ("DELETE", "DELETE"), ("TRACE", "other"), ("GET1", "other")] {
            assert_eq!(method_label(&method.parse().expect("a method")), label);
        }
    }

    /// Only what the proxy itself added counts.
    #[test]
    fn believes_the_last_address() {
        let mut headers = HeaderMap::new();
        assert_eq!(last_forwarded(&headers), None);
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.2, 2001:db8::1"));
        assert_eq!(last_forwarded(&headers), "2001:db8::1".parse().ok());
    }
}
