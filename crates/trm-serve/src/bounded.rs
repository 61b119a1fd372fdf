//! Bounds on connections: how many are open, and how long one may stand still.

use std::{
    future::{Ready, ready},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;

/// Accepts connections while there are few enough, and closes those beyond at once; later, also one whose client does not
/// read.
#[derive(Clone)]
pub struct Bounded {
    places: Arc<Semaphore>,
    unread: Duration,
}

impl Bounded {
    /// At most so many connections at a time, and an answer is left unread for so long at most.
    pub fn new(connections: usize, unread: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))), unread }
    }
}

/// A connection that fails when nothing of an answer could be sent for too long.
type Sending = Pin<Box<TimeoutStream<TcpStream>>>;

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = Sending;
    type Service = Placed<S>;
    type Future = Ready<io::Result<(Sending, Placed<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::warn!("a connection was closed: too many are open");
            return ready(Err(io::Error::other("too many connections are open")));
        };
        // Events of a stream are small and should not wait for more.
        if let Err(error) = stream.set_nodelay(true) {
            return ready(Err(error));
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.unread));
        ready(Ok((Box::pin(stream), Placed { service, _place: Arc::new(place) })))
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
