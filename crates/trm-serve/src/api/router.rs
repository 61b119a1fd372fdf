//! All routes, and their description.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, Request, Uri, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use super::{
    App, Refusal, about, custom, guard, jobs, mazes, new_puzzle, page, play, predict, read_mazes, stream,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "trm",
        description = "Tiny Recursive Models that solve puzzles: watch one think, or let it answer.\n\n\
                       Cells are tokens. Of mazes: 1 wall, 2 open, 3 start, 4 goal, 5 path. Of Sudokus: 1 an empty cell, \
                       2 the digit 1, and so on. `/hello` has the signs of all tokens of each model. \
                       A refusal is JSON with one plain sentence in `detail`."
    ),
    tags(
        (name = "predict", description = "Solve puzzles"),
        (name = "puzzles", description = "Find puzzles to solve"),
        (name = "mazes", description = "Find mazes to solve"),
        (name = "samples", description = "Keep mazes"),
        (name = "jobs", description = "Data, weights, training, evaluation; only with --allow-jobs"),
        (name = "about", description = "The server about itself"),
        (name = "page", description = "The visualizer"),
    ),
    security(("token" = [])),
    // Relative to the description, so that it holds behind a proxy's prefix too.
    servers((url = "./")),
    modifiers(&TokenScheme)
)]
struct Description;

/// A bearer token, if the server was started with one.
struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The routes that need a token, where there is one.
fn guarded() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(predict::predict_maze, predict::predict_example))
        .routes(routes!(stream::predict_stream))
        .routes(routes!(play::play_stream))
        .routes(routes!(new_puzzle::new_puzzle))
        .routes(routes!(mazes::new_maze))
        .routes(routes!(mazes::get_maze))
        .routes(routes!(read_mazes::read_mazes))
        .routes(routes!(custom::list_custom))
        .routes(routes!(custom::get_custom))
        .routes(routes!(custom::save_custom))
        .routes(routes!(jobs::prepare_dataset))
        .routes(routes!(jobs::download_weights))
        .routes(routes!(jobs::run_training))
        .routes(routes!(jobs::run_eval_local))
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::get_job, jobs::cancel_job))
        .routes(routes!(about::hello))
        .routes(routes!(about::metrics))
}

/// The routes that need none: they hold no data and cost nothing.
fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(page::get_visualizer))
        .routes(routes!(page::get_asset))
        .route("/", get(page::index))
        .route("/assets/{name}", get(page::asset))
}

/// The route of whoever watches over the server, and may come from the same address as a busy client.
fn watched() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(about::health))
}

/// The OpenAPI description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    guarded().merge(open()).merge(watched()).into_openapi()
}

/// The whole server, without its socket.
pub fn router(app: Arc<App>, cors_origins: &[String]) -> Router {
    let request_id = HeaderName::from_static("x-request-id");
    let wrong_method = async || Refusal::wrong_method();
    // The last layer is the first to see a request: nobody without the token makes the server wait for a body.
    let guarded = Router::from(guarded())
        .route_layer(DefaultBodyLimit::disable())
        .route_layer(from_fn_with_state(app.clone(), guard::bounds_receiving))
        .route_layer(from_fn_with_state(app.clone(), guard::needs_token));
    let docs = SwaggerUi::new("/docs").url("/openapi.json", openapi());
    let docs = docs.config(utoipa_swagger_ui::Config::from("../openapi.json"));
    let docs = Router::from(docs).layer(from_fn(docs_policy));
    let routes = guarded
        .merge(Router::from(open()))
        .merge(docs)
        .fallback(elsewhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), guard::bounds_clients))
        .merge(Router::from(watched()).method_not_allowed_fallback(wrong_method))
        .layer(CatchPanicLayer::custom(|_| -> Response {
            Refusal::broken("this is a mistake of the server; its log says more").into_response()
        }))
        .layer(from_fn_with_state(app.clone(), guard::counts))
        .layer(from_fn(guard::hardens))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(|request: &Request<_>| {
                    let id = request
                        .extensions()
                        .get::<RequestId>()
                        .and_then(|id| id.header_value().to_str().ok());
                    let (method, path) = (request.method(), request.uri().path());
                    tracing::info_span!("request", id = id.unwrap_or_default(), %method, path)
                })
                .on_response(|response: &Response, latency: std::time::Duration, _: &tracing::Span| {
                    tracing::info!(
                        status = response.status().as_u16(),
                        milliseconds = latency.as_millis() as u64,
                        "answered"
                    );
                }),
        )
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .with_state(app);
    if cors_origins.is_empty() { routes } else { routes.layer(cors(cors_origins)) }
}

/// Whatever is no route: a route with a slash too many, or nothing.
async fn elsewhere(uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    match path.rsplit_once('/') {
        // Relative, as a proxy may have cut off a prefix.
        Some((_, last)) if path != uri.path() && !last.is_empty() => {
            let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            let slashes = "../".repeat(uri.path().len() - path.len());
            Redirect::permanent(&format!("{slashes}{last}{query}")).into_response()
        }
        _ => Refusal::not_found("there is nothing here; / is the page, /docs/ describes the API")
            .into_response(),
    }
}

/// The interactive docs bring styles of their own, and pictures in the text of their pages.
async fn docs_policy(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                          base-uri 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // From /docs to /docs/, also where a proxy has cut off a prefix.
    if let Some(location) = response.headers_mut().get_mut(header::LOCATION) {
        *location = HeaderValue::from_static("docs/");
    }
    response
}

fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, HeaderName::from_static("x-request-id")])
}
