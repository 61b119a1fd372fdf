//! A running server, made of a configuration and engines.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;

use crate::{
    Config, Engine, Error, Jobs, Limits, Result,
    api::{App, router},
    bounded::Bounded,
    examples::Examples,
};

/// A server, ready to run.
pub struct Server {
    app: Arc<App>,
    router: Router,
    listener: std::net::TcpListener,
    address: SocketAddr,
    limits: Limits,
}

impl Server {
    /// Binds the address and makes everything ready. `token` is what requests must bring; the first engine is the
    /// default; without `jobs`, requests for jobs are refused.
    ///
    /// # Errors
    /// [`Error::NoModel`], [`Error::SameName`], [`Error::Setting`], [`Error::Listen`]; [`Error::Data`] and
    /// [`Error::Puzzle`] for a data set that cannot be read.
    pub fn bind(
        config: &Config,
        token: Option<&str>,
        engines: Vec<Engine>,
        jobs: Option<Arc<Jobs>>,
    ) -> Result<Self> {
        config.validate()?;
        let default = engines.first().ok_or(Error::NoModel)?;
        let name_twice = engines
            .iter()
            .enumerate()
            .find(|(i, engine)| engines[..*i].iter().any(|before| before.name() == engine.name()));
        if let Some((_, engine)) = name_twice {
            return Err(Error::SameName { name: engine.name().to_owned() });
        }
        let examples = match &config.data {
            None => Examples::drawn(default)?,
            Some(folder) => Examples::of_dataset(folder, &engines)?,
        };
        let address = config.listen;
        let failed = |cause| Error::Listen { address, cause };
        let listener = std::net::TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let app = Arc::new(App::new(config, token, engines, examples, jobs));
        let router = router(app.clone(), &config.cors_origins);
        Ok(Self { app, router, listener, address, limits: config.limits })
    }

    /// The address that it listens on; its port is the one that the system chose if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is over. Then no connection is taken any more, requests in work get
    /// `limits.drain_seconds` to finish, and the job at work is stopped so that it can go on at the next start.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let handle = Handle::new();
        let drain = Duration::from_secs(self.limits.drain_seconds);
        tokio::spawn({
            let (handle, app) = (handle.clone(), self.app.clone());
            async move {
                shutdown.await;
                tracing::info!(
                    connections = handle.connection_count(),
                    "stopping: finishing what is in work"
                );
                app.drain();
                handle.graceful_shutdown(Some(drain));
            }
        });
        let receive = Duration::from_secs(self.limits.receive_seconds);
        let mut server = axum_server::from_tcp(self.listener)
            .map_err(Error::Stopped)?
            .http1_only()
            .first_request_timeout(receive)
            .handle(handle)
            .acceptor(Bounded::new(self.limits.connections, Duration::from_secs(self.limits.send_seconds)));
        // Slow clients are cut off: the head of a request has its time, and so have its body (see `guard`) and the answer.
        server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(receive);
        let service = self.router.into_make_service_with_connect_info::<SocketAddr>();
        let served = server.serve(service).await;
        if let Some(jobs) = self.app.jobs.clone() {
            let stopped = tokio::task::spawn_blocking(move || jobs.stop()).await;
            stopped.map_err(|error| Error::Stopped(io::Error::other(error)))?;
        }
        served.map_err(Error::Stopped)
    }
}
