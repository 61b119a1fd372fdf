//! The configuration of a server: models, addresses, limits.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use trm_data::text;

use crate::{Error, Result};

/// The configuration of a server; as TOML, every key may be left out, and one that is not known is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// Model folders; a request chooses one by the folder's name, the first is the default. Empty: the model that comes
    /// with trm.
    pub models: Vec<PathBuf>,
    /// Where to compute, as on the command line: `cpu`, `wgpu`, `cuda`, `cuda:N`, `auto`.
    pub device: Option<String>,
    /// A data set, or a split of it, whose mazes can be had by index. None: mazes drawn from a fixed seed.
    pub data: Option<PathBuf>,
    /// The folder for saved samples, the database of jobs, and what jobs write (`data/`, `models/`, `runs/`). Nothing is
    /// written elsewhere, and nothing is made before it is needed.
    pub state: PathBuf,
    /// Whether requests may start jobs: data sets, downloads, trainings, evaluations.
    pub allow_jobs: bool,
    /// A file with the token that requests must bring. None: no token is needed.
    pub token_file: Option<PathBuf>,
    /// Origins whose pages may call the API, such as `https://example.org`; none by default.
    pub cors_origins: Vec<String>,
    /// Whether a reverse proxy is in front: clients are told apart by the last address in `X-Forwarded-For` then, which
    /// anybody could write without one.
    pub behind_proxy: bool,
    /// Bounds on what clients may ask for.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            models: Vec::new(),
            device: None,
            data: None,
            state: PathBuf::from("trm-state"),
            allow_jobs: false,
            token_file: None,
            cors_origins: Vec::new(),
            behind_proxy: false,
            limits: Limits::default(),
        }
    }
}

/// `[limits]`: bounds on what clients may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest body of a request, in bytes.
    pub body_bytes: usize,
    /// The largest side of a maze, given or drawn, whatever the model's weights fit; clients read it as `max_side` in `/hello`.
    pub side: usize,
    /// The largest batch of `/play/stream`, in mazes.
    pub play: usize,
    /// Requests of one client (by address) that are answered at the same time.
    pub requests_per_client: usize,
    /// Open connections in all.
    pub connections: usize,
    /// Mazes that wait for a place on the device, for each model; more are refused with 429.
    pub queue: usize,
    /// Mazes in work on the device at a time, for each model. None: by the size of the model.
    pub batch: Option<usize>,
    /// Seconds in which a request must be answered, its wait included.
    pub request_seconds: u64,
    /// Seconds in which a client must have sent the head, and then the body, of a request.
    pub receive_seconds: u64,
    /// Seconds for which a client may leave an answer unread before its connection is closed.
    pub send_seconds: u64,
    /// Seconds that requests in work get to finish when the server is told to stop.
    pub drain_seconds: u64,
    /// Saved samples that are kept at most.
    pub samples: usize,
    /// Jobs that wait or run at most.
    pub jobs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            side: 64,
            play: 1000,
            requests_per_client: 64,
            connections: 1024,
            queue: 256,
            batch: None,
            request_seconds: 60,
            receive_seconds: 10,
            send_seconds: 30,
            drain_seconds: 30,
            samples: 1000,
            jobs: 32,
        }
    }
}

impl Config {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Setting`].
    pub fn load(path: &Path) -> Result<Self> {
        let invalid = |reason| Error::Config { path: path.to_owned(), reason };
        let text = text::read(path).map_err(|cause| invalid(cause.to_string()))?;
        let config: Self = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// All of it as TOML: [`Config::load`] gives the same back.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| unreachable!("a configuration is TOML: {error}"))
    }

    /// Checks the values, and that the state folder is one or can be made.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn validate(&self) -> Result<()> {
        let Limits { body_bytes, side, play, requests_per_client, connections, queue, .. } = self.limits;
        let Limits { batch, request_seconds, receive_seconds, send_seconds, samples, jobs, .. } = self.limits;
        let at_least_1 = [
            ("limits.body_bytes", body_bytes),
            ("limits.side", side),
            ("limits.play", play),
            ("limits.requests_per_client", requests_per_client),
            ("limits.connections", connections),
            ("limits.queue", queue),
            ("limits.batch", batch.unwrap_or(1)),
            ("limits.request_seconds", request_seconds as usize),
            ("limits.receive_seconds", receive_seconds as usize),
            ("limits.send_seconds", send_seconds as usize),
            ("limits.samples", samples),
            ("limits.jobs", jobs),
        ];
        if let Some((key, _)) = at_least_1.into_iter().find(|(_, value)| *value == 0) {
            return Err(Error::Setting { key, value: "0".into(), requirement: "must be at least 1" });
        }
        let origin = |origin: &&String| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            !host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ']) && host.is_ascii())
        };
        // It is made when something is kept first; what cannot become a folder is better known now.
        let there = self.state.ancestors().find(|path| path.exists());
        if let Some(path) = there.filter(|path| !path.is_dir()) {
            let value = path.display().to_string();
            return Err(Error::Setting { key: "state", value, requirement: "that is a file; name a folder" });
        }
        match self.cors_origins.iter().find(origin) {
            None => Ok(()),
            Some(origin) => Err(Error::Setting {
                key: "cors_origins",
                value: format!("{origin:?}"),
                requirement: "an origin is a scheme and a host, such as https://example.org",
            }),
        }
    }

    /// The token that requests must bring.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read; [`Error::Setting`] if it holds no token.
    pub fn token(&self) -> Result<Option<String>> {
        let Some(path) = &self.token_file else { return Ok(None) };
        check_token(text::read(path)?.trim()).map(Some)
    }
}

/// Checks that a token can be sent in a header, and is not empty by mistake.
///
/// # Errors
/// [`Error::Setting`].
pub fn check_token(token: &str) -> Result<String> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Setting {
            key: "token",
            value: "empty, or has spaces or characters beyond ASCII".into(),
            requirement: "a token is one word, such as `openssl rand -hex 32` prints",
        });
    }
    Ok(token.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn parsed(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("serve.toml");
        fs::write(&path, text).expect("written");
        Config::load(&path)
    }

    /// A file says what differs from the defaults, and a misspelt key is named.
    #[test]
    fn keys_are_known_and_values_checked() {
        let config = parsed("listen = \"0.0.0.0:80\"\n[limits]\nqueue = 3\n").expect("valid");
        assert_eq!((config.listen.port(), config.limits.queue), (80, 3));
        assert_eq!(config.limits.side, Limits::default().side);
        assert_eq!(parsed(&config.to_toml()).expect("valid"), config);
        for (text, said) in [
            ("lisen = 3", "lisen"),
            ("listen = \"here\"", "listen"),
            ("[limits]\nqueue = 0", "limits.queue is 0"),
            ("[limits]\nsend_seconds = 0", "limits.send_seconds is 0"),
            ("cors_origins = [\"*\"]", "cors_origins is \"*\""),
        ] {
            let error = parsed(text).expect_err(text).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    /// A token file that is empty would lock nobody out.
    #[test]
    fn tokens_are_words() {
        assert_eq!(check_token("secret").ok().as_deref(), Some("secret"));
        assert!(check_token("").is_err() && check_token("two words").is_err());
    }
}
