//! A bound on open connections.

use std::{
    future::{Ready, ready},
    io,
    sync::Arc,
    task::{Context, Poll},
};

use axum_server::accept::Accept;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower_service::Service;

/// Accepts connections while there are few enough, and closes those beyond at once.
#[derive(Clone)]
pub struct Bounded {
    places: Arc<Semaphore>,
}

impl Bounded {
    /// At most so many connections at a time.
    pub fn new(connections: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))) }
    }
}

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = TcpStream;
    type Service = Placed<S>;
    type Future = Ready<io::Result<(TcpStream, Placed<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::warn!("a connection was closed: too many are open");
            return ready(Err(io::Error::other("too many connections are open")));
        };
        // Events of a stream are small and should not wait for more.
        ready(stream.set_nodelay(true).map(|()| (stream, Placed { service, _place: Arc::new(place) })))
    }
}

/// The service of a connection, which keeps its place as long as it lives.
#[derive(Clone)]
pub struct Placed<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: Service<R>> Service<R> for Placed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}
