// SPDX-License-Identifier: Apache-2.0
//! Host names and domain names (RFC 952, RFC 1123 section 2.1). A name never holds a line break, unlike in Neutron, whose pattern
//! lets a last newline through to the DHCP agent's files.

use serde_json::Value;

use super::invalid::{Invalid, shown_text};
use super::limits::Limits;
use super::python;
use super::text::text;

type Checked = Result<(), Invalid>;

/// The most characters that a fully qualified name may have.
const FQDN_MAX: usize = 255;
const LABEL_MAX: usize = 63;
/// Stand-ins for parts of the caller's identity, each a whole label.
const KEYWORDS: [&str; 4] = ["<project_id>", "<project_name>", "<user_name>", "<user_id>"];
/// The value of `dns_domain` that means that it was not set.
const DEFAULT_DOMAIN: &str = "openstacklocal.";

/// `type:dns_host_name`: relative or fully qualified; when a domain is configured, a fully qualified name must lie in it.
pub(super) fn dns_host_name(v: &Value, max: Option<usize>, cx: &Limits) -> Checked {
    if !python::truth(v) {
        return Ok(());
    }
    let name = text(v, None)?;
    check_format(name, max.unwrap_or(FQDN_MAX))?;
    let mut domain = cx.dns_domain.clone();
    if !domain.is_empty() && !domain.ends_with('.') {
        domain.push('.');
    }
    if domain.is_empty() || domain == DEFAULT_DOMAIN {
        return Ok(());
    }
    check_in_domain(name, &domain)
}

fn check_in_domain(name: &str, domain: &str) -> Checked {
    let length = name.chars().count();
    let tail = format!(".{domain}");
    let tail_length = tail.chars().count();
    if !name.ends_with('.') {
        if length + tail_length > FQDN_MAX {
            return Err(Invalid::reason(format!(
                "{} is too long: with the configured domain '{domain}' the name must not exceed {FQDN_MAX} characters",
                shown_text(name)
            )));
        }
        return Ok(());
    }
    if length <= tail_length || !name.ends_with(&tail) {
        return Err(Invalid::reason(format!(
            "{} is fully qualified but not a name within the configured domain '{domain}'",
            shown_text(name)
        )));
    }
    Ok(())
}

/// `type:fip_dns_host_name`: a relative name with room for a domain.
pub(super) fn fip_dns_host_name(v: &Value, max: Option<usize>) -> Checked {
    let name = text(v, None)?;
    if name.ends_with('.') {
        return Err(Invalid::reason(format!("{} is fully qualified; give a relative name", shown_text(name))));
    }
    with_room(name, max.unwrap_or(FQDN_MAX), 3)
}

/// `type:dns_domain_name`: a fully qualified name with room for a host.
pub(super) fn dns_domain_name(v: &Value, max: Option<usize>) -> Checked {
    let name = text(v, None)?;
    if !name.is_empty() && !name.ends_with('.') {
        return Err(Invalid::reason(format!("{} is not fully qualified: it must end with a dot", shown_text(name))));
    }
    with_room(name, max.unwrap_or(FQDN_MAX), 2)
}

fn with_room(name: &str, max: usize, room: usize) -> Checked {
    check_format(name, max)?;
    if name.chars().count() > max.saturating_sub(room) {
        return Err(Invalid::reason(format!("{} is too long: a whole name must not exceed {max} characters", shown_text(name))));
    }
    Ok(())
}

fn check_format(name: &str, max: usize) -> Checked {
    if name.is_empty() {
        return Ok(());
    }
    let wrong = |why: String| Err(Invalid::reason(format!("{} is not a domain name: {why}", shown_text(name))));
    let trimmed = name.strip_suffix('.').unwrap_or(name);
    if trimmed.chars().count() > max {
        return wrong(format!("it has more than {max} characters"));
    }
    let labels: Vec<&str> = trimmed.split('.').collect();
    for label in &labels {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let plain = (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(letters);
        if !plain && !KEYWORDS.contains(label) {
            return wrong(format!("a label has 1 to {LABEL_MAX} of a-z, 0-9 and hyphen"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return wrong("a label must not start or end with a hyphen".to_owned());
        }
    }
    let numeric = labels.last().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if labels.len() > 1 && numeric {
        return wrong("the last label must not be a number".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_break_is_never_part_of_a_name() {
        for name in ["vm1\n", "vm1\n.", "a.1\n", "\n"] {
            assert!(fip_dns_host_name(&json!(name), None).is_err(), "{name:?}");
            assert!(check_format(name, FQDN_MAX).is_err());
        }
    }
}
