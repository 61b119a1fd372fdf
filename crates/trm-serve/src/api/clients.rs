//! The requests that each client has open.

use std::{
    collections::HashMap,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// Counts the requests that each client has open.
#[derive(Default)]
pub struct Clients(Mutex<HashMap<IpAddr, usize>>);

impl Clients {
    /// Counts one more, unless there are `limit` already.
    pub fn enter(self: &Arc<Self>, client: IpAddr, limit: usize) -> Option<Visit> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Visit { clients: self.clone(), client })
    }
}

/// An open request; ends with its answer's last byte.
pub struct Visit {
    clients: Arc<Clients>,
    client: IpAddr,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut open = self.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

/// A body that ends a visit with itself: a stream is open until its last event.
pub struct Visited {
    pub body: Body,
    pub _visit: Visit,
}

impl http_body::Body for Visited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A visit is counted until it ends, for each client by itself.
    #[test]
    fn counts_clients() {
        let clients = Arc::new(Clients::default());
        let [a, b] = [1, 2].map(|last| IpAddr::from([127, 0, 0, last]));
        let first = clients.enter(a, 1).expect("the first");
        assert!(clients.enter(a, 1).is_none() && clients.enter(b, 1).is_some());
        drop(first);
        assert!(clients.enter(a, 1).is_some());
        assert!(clients.0.lock().expect("no panic").is_empty());
    }
}
