//! Options of the client: endpoint, token, cache, offline.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

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

    /// The access token without the line break that shells and secrets' files like to add; `None` leaves it to `hf-hub` to
    /// look for one.
    pub(crate) fn into_token(self) -> Option<String> {
        let given = self.token.or_else(|| env::var("HF_TOKEN").ok());
        given.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty())
    }

    /// The folder of the cache, or `None` to leave the choice to `hf-hub`, which does not expand `~` and would choose `/tmp`
    /// without `HOME`, as on Windows.
    pub(crate) fn cache_dir(&self) -> Option<PathBuf> {
        self.cache_dir.clone().or_else(|| cache_dir(&|name| env::var_os(name), env::home_dir().as_deref()))
    }
}

/// Where the Hub's own tools keep what they download, by the environment.
fn cache_dir(variable: &dyn Fn(&str) -> Option<OsString>, home: Option<&Path>) -> Option<PathBuf> {
    let folder = |name: &str| {
        let path = PathBuf::from(variable(name).filter(|value| !value.is_empty())?);
        match (path.strip_prefix("~"), home) {
            (Ok(rest), Some(home)) => Some(home.join(rest)),
            _ => Some(path),
        }
    };
    let of_hub = || folder("HF_HUB_CACHE").or_else(|| folder("HUGGINGFACE_HUB_CACHE"));
    let of_home = || Some(folder("HF_HOME")?.join("hub"));
    let of_caches = || {
        let caches = folder("XDG_CACHE_HOME").or_else(|| Some(home?.join(".cache")));
        Some(caches?.join("huggingface").join("hub"))
    };
    of_hub().or_else(of_home).or_else(of_caches)
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

    /// The folder is that of the Hub's own tools, and `~` is the home folder in each variable.
    #[test]
    fn the_cache_is_where_the_environment_says() {
        let at = |set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> =
                set.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
            let variable = |name: &str| Some(set.iter().find(|(set, _)| set == name)?.1.clone());
            cache_dir(&variable, Some("/home/me".as_ref())).expect("a folder")
        };
        for (set, folder) in [
            (&[][..], "/home/me/.cache/huggingface/hub"),
            (&[("HF_HOME", "~/x")], "/home/me/x/hub"),
            (&[("HF_HOME", "/x"), ("HF_HUB_CACHE", "~/y")], "/home/me/y"),
            (&[("HF_HOME", "/x"), ("HUGGINGFACE_HUB_CACHE", "/z")], "/z"),
            (&[("XDG_CACHE_HOME", "~")], "/home/me/huggingface/hub"),
            (&[("HF_HOME", "")], "/home/me/.cache/huggingface/hub"),
        ] {
            assert_eq!(at(set), PathBuf::from(folder), "{set:?}");
        }
    }

    /// What surrounds a token is no part of it.
    #[test]
    fn tokens_are_trimmed() {
        let options = |token: &str| HubOptions { token: Some(token.to_owned()), ..HubOptions::default() };
        assert_eq!(options(" hf_x\r\n").into_token().as_deref(), Some("hf_x"));
        assert_eq!(options("\n").into_token(), None);
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
