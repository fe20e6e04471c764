// SPDX-License-Identifier: Apache-2.0
//! `project_id:%(project_id)s`, `project_id:%(network:project_id)s`: is the caller the owner of the object, or of its parent?
//!
//! The embedder says which parents exist and loads them; here only the comparison is made.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use crate::{
    creds::Credentials,
    eval::{Need, Stop},
    language::{Custom, Kind},
    nearest::hint,
    target::Target,
    template::Template,
};

/// The kind of check; registered under the credential it compares (`project_id`).
#[derive(Debug, Clone)]
pub struct Owner {
    parents: Vec<Box<str>>,
}

impl Owner {
    /// `parents`: the resources that a rule may name before the colon (`network`), or before an underscore (`network_tenant_id`, the
    /// oldest form).
    #[must_use]
    pub fn new(parents: &[&str]) -> Self {
        Self { parents: parents.iter().map(|p| Box::from(*p)).collect() }
    }

    fn parent(&self, key: &str) -> Result<Option<Need>, String> {
        if let Some((resource, field)) = key.split_once(':') {
            if !self.parents.iter().any(|p| **p == *resource) {
                let hint = hint(resource, self.parents.iter().map(AsRef::as_ref));
                return Err(format!("there is no parent resource \"{resource}\"{hint}"));
            }
            return Ok(Some(Need::new(key, resource, field)));
        }
        Ok(self.parents.iter().find_map(|parent| {
            let field = key.strip_prefix(&**parent)?.strip_prefix('_').filter(|field| *field != "id")?;
            Some(Need::new(key, parent, field))
        }))
    }
}

impl Kind for Owner {
    fn compile(&self, kind: &str, text: &str) -> Result<Arc<dyn Custom>, String> {
        match Template::parse(text) {
            Ok(Template::One(key)) => Ok(Arc::new(Compiled { need: self.parent(&key)?, credential: kind.into(), key })),
            _ => Err(format!("{kind}: compares with one attribute, as in {kind}:%({kind})s, not with \"{text}\"")),
        }
    }
}

#[derive(Debug)]
struct Compiled {
    credential: Box<str>,
    key: Box<str>,
    need: Option<Need>,
}

impl Custom for Compiled {
    fn check(&self, target: &dyn Target, creds: &Credentials) -> Result<bool, Stop> {
        let Some(value) = target.get(&self.key) else {
            return Err(match &self.need {
                Some(need) => Stop::Needs(need.clone()),
                None => Stop::Failed(format!("the object has no attribute \"{}\"", self.key)),
            });
        };
        let value: Cow<'_, str> = value.text();
        Ok(creds.text(&self.credential).is_some_and(|own| own == value))
    }

    fn reads(&self) -> BTreeSet<Box<str>> {
        BTreeSet::from([self.key.clone()])
    }

    fn needs(&self) -> Option<Need> {
        self.need.clone()
    }

    fn by_credentials(&self, creds: &Credentials) -> Option<bool> {
        creds.text(&self.credential).is_none().then_some(false)
    }
}
