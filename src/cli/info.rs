use clap::Args;
use serde_json::json;

use super::{Exit, Output};
use crate::adapters::{ADAPTERS, STORES, formats};
use crate::journal::StateFolder;
use crate::model::{Result, visible};

/// Show version, build, where runs are kept, and adapters
#[derive(Debug, Args)]
pub struct Info {}

impl Info {
    pub fn run(self, output: &mut Output) -> Result<Exit> {
        let version = env!("CARGO_PKG_VERSION");
        let stores = STORES.map(|store| match store.variants {
            "" => store.name.to_owned(),
            variants => format!("{} ({variants})", store.name),
        });
        let formats: Vec<&str> = formats().map(|format| format.name).collect();
        let components = ADAPTERS.map(|adapter| adapter.name);
        let build = if cfg!(debug_assertions) { "debug" } else { "release" };
        let system = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        // Facts about the program are told where there is no place for runs, too.
        let state = StateFolder::from_environment();
        let runs = state.as_ref().map(StateFolder::runs).ok();
        let keys = state.as_ref().map(StateFolder::keys).ok();
        let keymap = crate::tui::keys_path(|name| std::env::var_os(name));
        let config = super::config::path(None, |name| std::env::var_os(name));
        if output.json {
            output.print_json(&json!({
                "version": version, "build": build, "system": system,
                "state": { "runs": runs, "keys": keys }, "config": config, "keymap": keymap, "stores": stores, "formats": formats, "components": components,
            }))?;
        } else {
            let shown = |path: Option<std::path::PathBuf>| match path {
                Some(path) => visible(path.as_os_str().as_encoded_bytes()).into_owned(),
                None => "nowhere: set REKINDLE_STATE to a folder on a local disk".to_owned(),
            };
            let (runs, keys) = (shown(runs), shown(keys));
            let is_set = config.as_ref().is_some_and(|path| path.exists());
            let config = match (config, is_set) {
                (None, _) => "nowhere: set XDG_CONFIG_HOME".to_owned(),
                (path, true) => shown(path),
                (path, false) => format!("{} (not there: the settings that come with it)", shown(path)),
            };
            let is_there = keymap.as_ref().is_some_and(|path| path.exists());
            let keymap = match (keymap, is_there) {
                (None, _) => "nowhere: set XDG_CONFIG_HOME".to_owned(),
                (path, true) => shown(path),
                (path, false) => format!("{} (not there: the keys that come with it)", shown(path)),
            };
            output.print(&format!(
                "rekindle {version} ({build}, {system})\nruns        {runs}\nkeys        {keys}\nconfig      {config}\nkeymap      {keymap}\n\
                 stores      {}\nformats     {}\ncomponents  {}\n",
                stores.join(", "),
                formats.join(", "),
                components.join(", ")
            ))?;
        }
        Ok(Exit::Fine)
    }
}
