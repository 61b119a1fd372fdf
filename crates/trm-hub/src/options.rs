//! How to reach the Hub, and where to keep what it sends.

use std::env;
use std::fmt;
use std::path::PathBuf;

/// The options of a [`Hub`](crate::Hub). The default follows the environment as the Hub's own tools do.
#[derive(Clone)]
pub struct HubOptions {
    /// The folder of the cache. `None`: `HF_HUB_CACHE`, else `$HF_HOME/hub`, else
    /// `~/.cache/huggingface/hub`.
    pub cache_dir: Option<PathBuf>,
    /// Send no request, use the cache only. Default: whether `HF_HUB_OFFLINE` is `1`, `true`, `yes` or `on`.
    pub offline: bool,
    /// The address of the Hub or a mirror. `None`: `HF_ENDPOINT`, else `https://huggingface.co`.
    pub endpoint: Option<String>,
    /// The access token. `None`: `HF_TOKEN`, else the one that the Hub's command line tool stored.
    pub token: Option<String>,
}

impl Default for HubOptions {
    fn default() -> Self {
        let offline = env::var("HF_HUB_OFFLINE").is_ok_and(|value| is_on(&value));
        Self { cache_dir: None, offline, endpoint: None, token: None }
    }
}

impl fmt::Debug for HubOptions {
    /// Shows whether there is a token, not the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubOptions")
            .field("cache_dir", &self.cache_dir)
            .field("offline", &self.offline)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .finish()
    }
}

impl HubOptions {
    /// The address to use, without a slash at its end.
    pub(crate) fn endpoint(&self) -> String {
        let given = self.endpoint.clone().or_else(|| env::var("HF_ENDPOINT").ok());
        given
            .map(|endpoint| endpoint.trim().trim_end_matches('/').to_owned())
            .filter(|endpoint| !endpoint.is_empty())
            .unwrap_or_else(|| "https://huggingface.co".to_owned())
    }

    /// The folder of the cache, or `None` to leave the choice to `hf-hub`.
    ///
    /// Without `HOME`, as on Windows, `hf-hub` would choose `/tmp`.
    pub(crate) fn cache_dir(&self) -> Option<PathBuf> {
        let variables = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"];
        let standard = || {
            let chosen = variables.iter().any(|name| env::var_os(name).is_some());
            if chosen { None } else { env::home_dir() }
        };
        self.cache_dir.clone().or_else(|| Some(standard()?.join(".cache").join("huggingface").join("hub")))
    }
}

fn is_on(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|on| value.trim().eq_ignore_ascii_case(on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_values_that_switch_on() {
        assert!(["1", "true", "YES", "On"].into_iter().all(is_on));
        assert!(!["", "0", "false", "no", "off", "2"].into_iter().any(is_on));
    }

    #[test]
    fn debug_hides_the_token() {
        let options = HubOptions { token: Some("hf_secret".to_owned()), ..HubOptions::default() };
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn the_endpoint_loses_its_slash() {
        let options =
            HubOptions { endpoint: Some("https://mirror.example/".to_owned()), ..HubOptions::default() };
        assert_eq!(options.endpoint(), "https://mirror.example");
    }
}
