// SPDX-License-Identifier: Apache-2.0
//! What a create or update request asks for, after defaults, conversion and validation.
//!
//! The order of checks is Neutron's (`contract/converters_validators.json`, `order`): the project's two names, unknown
//! attributes, what may not be set, defaults, conversion, validation.

use std::sync::Arc;

use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Map, Value};

use crate::{Invalid, Limits, Table};

/// One object of a request. A slot is `None` where nothing was asked for and no default exists.
#[derive(Clone, Debug)]
pub struct Body {
    table: Arc<Table>,
    slots: Vec<Option<Value>>,
    explicit: Vec<bool>,
}

impl Body {
    /// A body with nothing in it, for objects that the server makes itself.
    #[must_use]
    pub fn empty(table: Arc<Table>) -> Self {
        let count = table.attributes.len();
        Self { table, slots: vec![None; count], explicit: vec![false; count] }
    }

    /// A create body with every default filled in and nothing named, for objects that the server makes itself.
    #[must_use]
    pub fn with_defaults(table: Arc<Table>) -> Self {
        let mut body = Self::empty(table);
        for at in 0..body.slots.len() {
            let attribute = &body.table.attributes[at];
            if attribute.post {
                body.slots[at] = attribute.default.value();
            }
        }
        body
    }

    /// Reads the body of a create request for one object. `project` owns it unless the request names another.
    ///
    /// # Errors
    /// 400 for what the table refuses, or what a validator says.
    pub fn create(table: Arc<Table>, request: &Map<String, Value>, project: Option<&str>, limits: &Limits) -> Result<Self> {
        let mut body = Self::empty(table);
        body.take(request)?;
        let table = body.table.clone();
        if let Some(at) = table.find("project_id")
            && body.slots[at].is_none()
            && table.attributes[at].post
        {
            let project = project.ok_or_else(|| {
                kinds::BAD_REQUEST
                    .error("The request has no project: name one with \"project_id\", since there is no token to take it from.")
            })?;
            body.slots[at] = Some(project.into());
        }
        // What is missing or may not be there is told before what is wrong with a value.
        let mut to_check = Vec::with_capacity(table.attributes.len());
        for (at, attribute) in table.attributes.iter().enumerate() {
            if attribute.post {
                if body.slots[at].is_none() {
                    if attribute.default == crate::Default::Required {
                        return Err(kinds::BAD_REQUEST.error(format!(
                            "Failed to parse request. Required attribute '{}' is missing: every {} needs one.",
                            attribute.name, table.resource.member
                        )));
                    }
                    body.slots[at] = attribute.default.value();
                    if !body.explicit[at] && attribute.convert.is_none() {
                        continue;
                    }
                }
            } else if body.explicit[at] {
                return Err(kinds::BAD_REQUEST.error(format!("Attribute '{}' is not allowed in a create request.", attribute.name)));
            }
            to_check.push(at);
        }
        for at in to_check {
            body.make_good(at, limits)?;
        }
        Ok(body)
    }

    /// Reads the body of an update request.
    ///
    /// # Errors
    /// 400 for what the table refuses, or what a validator says.
    pub fn update(table: Arc<Table>, request: &Map<String, Value>, limits: &Limits) -> Result<Self> {
        let mut body = Self::empty(table);
        body.take(request)?;
        let table = body.table.clone();
        for (at, attribute) in table.attributes.iter().enumerate() {
            if body.explicit[at] && !attribute.put {
                return Err(kinds::BAD_REQUEST.error(format!("Cannot update read-only attribute {}.", attribute.name)));
            }
        }
        for at in 0..table.attributes.len() {
            if body.explicit[at] {
                body.make_good(at, limits)?;
            }
        }
        Ok(body)
    }

    /// Converts and validates the value that an action's request gives for an attribute of the table.
    ///
    /// # Errors
    /// 400: what the converter or the validator says.
    pub fn made_good(table: Arc<Table>, name: &str, value: Value, limits: &Limits) -> Result<Value> {
        let Some(at) = table.find(name) else { return Ok(value) };
        let mut body = Self::empty(table);
        body.slots[at] = Some(value);
        body.make_good(at, limits)?;
        Ok(body.slots[at].take().unwrap_or_default())
    }

    fn take(&mut self, request: &Map<String, Value>) -> Result<()> {
        if let (Some(project), Some(tenant)) = (request.get("project_id"), request.get("tenant_id"))
            && project != tenant
        {
            return Err(kinds::BAD_REQUEST.error("'project_id' and 'tenant_id' are two names of one attribute and must not differ."));
        }
        let mut unknown = Vec::new();
        for (name, value) in request {
            match self.table.find(name) {
                Some(at) => {
                    self.slots[at] = Some(value.clone());
                    self.explicit[at] = true;
                }
                None => unknown.push(name.as_str()),
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        unknown.truncate(8);
        let names: Vec<String> = unknown.iter().map(|name| name.chars().take(64).collect()).collect();
        Err(kinds::BAD_REQUEST.error(format!("Unrecognized attribute(s) '{}' of {}.", names.join(", "), self.table.resource.member)))
    }

    fn make_good(&mut self, at: usize, limits: &Limits) -> Result<()> {
        let attribute = &self.table.attributes[at];
        let Some(mut value) = self.slots[at].take() else { return Ok(()) };
        if let Some(converter) = &attribute.convert {
            let plain = self.table.resource.plain_refusals;
            value = converter.convert(value, limits).map_err(|invalid| match invalid {
                Invalid::Reason(reason) if !plain => {
                    kinds::INVALID_INPUT.error(format!("Invalid input for {}. Reason: {reason}.", attribute.name))
                }
                Invalid::Error(error) if plain && error.status() == 400 => kinds::BAD_REQUEST.error(error.message()),
                other => refused(attribute.name, other),
            })?;
        }
        if let Some(validator) = &attribute.validate {
            validator.check(&mut value, limits).map_err(|invalid| refused(attribute.name, invalid))?;
        }
        self.slots[at] = Some(value);
        Ok(())
    }

    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// What is asked for: `None` where nothing is. JSON null is a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.table.find(name).and_then(|at| self.slots[at].as_ref())
    }

    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Value> {
        self.slots[index].as_ref()
    }

    /// Did the request itself name the attribute (rather than a default)?
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.table.find(name).is_some_and(|at| self.explicit[at])
    }

    /// By index: did the request itself name it?
    #[must_use]
    pub fn is_explicit(&self, index: usize) -> bool {
        self.explicit[index]
    }

    /// Sets an attribute; an unknown name (an extension that is off) is left out.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(at) = self.table.find(name) {
            self.slots[at] = Some(value.into());
        }
    }

    /// Takes an attribute out, as if it had not been asked for.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.table.find(name)?;
        self.explicit[at] = false;
        self.slots[at].take()
    }

    /// Text asked for; `None` for nothing, null, and what is no text.
    #[must_use]
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }

    /// The list asked for; `None` for nothing and for null.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice)
    }

    /// The project that will own the object.
    #[must_use]
    pub fn project_id(&self) -> &str {
        self.str("project_id").unwrap_or_default()
    }
}

fn refused(attribute: &str, invalid: Invalid) -> Error {
    match invalid {
        Invalid::Reason(reason) => kinds::BAD_REQUEST.error(format!("Invalid input for {attribute}. Reason: {reason}.")),
        Invalid::Error(error) => error,
    }
}
