// SPDX-License-Identifier: Apache-2.0
//! The identity of a message: `_context_*` of the wire and the context of an operation.
//!
//! Who may speak on the bus is trusted, as in Neutron: agents say of themselves that they are administrators.

use neutrino_core::{Caller, Context};
use serde_json::{Map, Value, json};

/// The context of a request that came in.
pub(crate) fn read(message: &Map<String, Value>) -> Context {
    let text = |key: &str| message.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| message.get(key).and_then(Value::as_bool);
    let roles = message.get("roles").and_then(Value::as_array);
    let caller = Caller {
        user_id: text("user_id").or_else(|| text("user")),
        user_domain_id: text("user_domain"),
        project_id: text("project_id").or_else(|| text("tenant")),
        project_name: text("project_name"),
        project_domain_id: text("project_domain"),
        domain_id: text("domain"),
        system_scope: text("system_scope"),
        roles: roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        is_admin_project: flag("is_admin_project").unwrap_or(true),
        is_admin: flag("is_admin").unwrap_or(true),
        has_global_access: flag("has_global_access").unwrap_or_default(),
        can_set_project_id: flag("can_set_project_id").unwrap_or_default(),
        ..Caller::default()
    };
    Context::new(&text("request_id").unwrap_or_else(|| "req-agent".to_owned()), caller)
}

/// What a message says of the operation that sends it: the keys of Neutron's context.
pub(crate) fn write(cx: &Context) -> Map<String, Value> {
    let caller = &cx.caller;
    let or_dash = |value: &Option<String>| value.as_deref().unwrap_or("-").to_owned();
    let identity = [&caller.user_id, &caller.project_id, &caller.domain_id, &caller.user_domain_id, &caller.project_domain_id];
    let context = json!({
        "user": caller.user_id,
        "project_id": caller.project_id,
        "system_scope": caller.system_scope,
        "project": caller.project_id,
        "domain": caller.domain_id,
        "user_domain": caller.user_domain_id,
        "project_domain": caller.project_domain_id,
        "is_admin": caller.is_admin,
        "read_only": false,
        "show_deleted": false,
        "auth_token": null,
        "request_id": &*cx.request_id,
        "global_request_id": null,
        "resource_uuid": null,
        "roles": caller.roles,
        "user_identity": identity.map(or_dash).join(" "),
        "is_admin_project": caller.is_admin_project,
        "user_id": caller.user_id,
        "timestamp": format!("{}.000000", cx.now().format("%Y-%m-%d %H:%M:%S")),
        "project_name": caller.project_name,
        "user_name": null,
        "has_global_access": caller.has_global_access,
        "can_set_project_id": caller.can_set_project_id,
    });
    match context {
        Value::Object(context) => context,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_identity_is_an_administrators() {
        let said = json!({"is_admin": true, "user": null, "project_id": null, "request_id": "req-1", "roles": [], "user_identity": "-"});
        let cx = read(said.as_object().unwrap());
        assert_eq!((cx.is_admin(), cx.project_id(), &*cx.request_id), (true, "", "req-1"));
        assert!(read(&Map::new()).is_admin());
        assert!(!read(json!({"is_admin": false}).as_object().unwrap()).is_admin());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let caller = Caller {
            user_id: Some("u".into()),
            project_id: Some("p".into()),
            roles: vec!["admin".into()],
            is_admin: true,
            ..Caller::default()
        };
        let written = write(&Context::new("req-2", caller));
        assert_eq!(written["user_identity"], "u p - - -");
        assert_eq!(written.len(), 23);
        let cx = read(&written);
        assert_eq!((cx.caller.user_id.as_deref(), cx.project_id(), cx.caller.roles.len()), (Some("u"), "p", 1));
    }
}
