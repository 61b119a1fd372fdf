//! Extractors of bodies, queries and paths whose failures are [`Refusal`]s.

use axum::extract::{FromRequest, FromRequestParts, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Refusal;

/// A JSON body: an object, as arrays would be taken for the fields of one in their order.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let axum::Json(value) = axum::Json::<Value>::from_request(request, state).await?;
        let refuse = |reason: String| Refusal::bad_request("bad_request", reason);
        if !value.is_object() {
            return Err(refuse(
                "the body is JSON, but not an object of fields; /docs/ describes them".to_owned(),
            ));
        }
        serde_json::from_value(value).map(Self).map_err(|error| refuse(error.to_string()))
    }
}

/// The query of the address.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Refusal))]
pub struct Query<T>(pub T);

/// Parts of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Refusal))]
pub struct Path<T>(pub T);
