//! Downloads, uploads, the cache, the errors and the choice of weights, against a stand-in of the Hub on 127.0.0.1.
#![cfg(feature = "client")]

mod cache;
mod errors;
mod support;
mod upload;
mod weights;
