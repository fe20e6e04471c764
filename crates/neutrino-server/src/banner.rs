// SPDX-License-Identifier: Apache-2.0
//! The few lines that a newcomer sees when the server starts without a configuration.
//!
//! Owns: their text. Written to a writer once the API answers, so that what it says is true.

use std::io::{self, Write};
use std::path::Path;

/// What a standalone server chose.
#[derive(Debug)]
pub struct Choices<'a> {
    pub url: &'a str,
    pub state_folder: &'a Path,
    pub loaded: &'a str,
}

/// Writes the banner.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, choices: &Choices<'_>) -> io::Result<()> {
    let Choices { url, state_folder, loaded } = choices;
    writeln!(out, "neutron-server {}: standalone, because no configuration file was given or found", crate::VERSION)?;
    writeln!(out, "  API        {url}  (no authentication: every caller is an administrator; only this machine can reach it)")?;
    writeln!(out, "  database   {}/neutron.sqlite  (kept across restarts)", state_folder.display())?;
    writeln!(out, "  plugins    {loaded}")?;
    writeln!(out, "  messaging  inside the process, no agents")?;
    writeln!(out, "Try:")?;
    writeln!(out, "  curl {url}/v2.0/extensions")?;
    writeln!(out, "  curl -H 'Content-Type: application/json' -d '{{\"network\": {{\"name\": \"net1\"}}}}' {url}/v2.0/networks")?;
    writeln!(out, "  export OS_AUTH_TYPE=none OS_ENDPOINT={url}")?;
    writeln!(out, "  openstack network create net1 && openstack subnet create --network net1 --subnet-range 192.0.2.0/24 sub1")?;
    writeln!(out, "Stop with Ctrl-C. `neutron-server --help` shows the flags.")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_chosen_and_what_to_try() {
        let mut out = Vec::new();
        let choices = Choices { url: "http://127.0.0.1:9696", state_folder: Path::new("/s"), loaded: "ml2" };
        write(&mut out, &choices).unwrap();
        let text = String::from_utf8(out).unwrap();
        for part in ["/s/neutron.sqlite", "OS_ENDPOINT=http://127.0.0.1:9696\n", "{\"network\": {\"name\": \"net1\"}}", "plugins    ml2"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(text.lines().count() < 15);
    }
}
