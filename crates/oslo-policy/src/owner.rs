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
    parents: Vec<Parent>,
}

/// A resource that rules may name as the parent of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub resource: &'static str,
    /// The attribute of the object that refers to it. An object without it has no such parent, and the rule that asks fails; `None`
    /// leaves that to the embedder, who is asked in any case.
    pub via: Option<&'static str>,
}

impl Owner {
    /// A rule names a parent before the colon (`network:project_id`), or before an underscore (`network_tenant_id`, the oldest form).
    #[must_use]
    pub fn new(parents: &[Parent]) -> Self {
        Self { parents: parents.to_vec() }
    }

    fn parent(&self, key: &str) -> Result<Option<(Parent, Need)>, String> {
        if let Some((resource, field)) = key.split_once(':') {
            let Some(parent) = self.parents.iter().find(|p| p.resource == resource) else {
                let hint = hint(resource, self.parents.iter().map(|p| p.resource));
                return Err(format!("there is no parent resource \"{resource}\"{hint}"));
            };
            return Ok(Some((*parent, Need::new(key, resource, field))));
        }
        Ok(self.parents.iter().find_map(|parent| {
            let field = key.strip_prefix(parent.resource)?.strip_prefix('_').filter(|field| *field != "id")?;
            Some((*parent, Need::new(key, parent.resource, field)))
        }))
    }
}

impl Kind for Owner {
    fn compile(&self, kind: &str, text: &str) -> Result<Arc<dyn Custom>, String> {
        match Template::parse(text) {
            Ok(Template::One(key)) => Ok(Arc::new(Compiled { parent: self.parent(&key)?, credential: kind.into(), key })),
            _ => Err(format!("{kind}: compares with one attribute, as in {kind}:%({kind})s, not with \"{text}\"")),
        }
    }
}

#[derive(Debug)]
struct Compiled {
    credential: Box<str>,
    key: Box<str>,
    parent: Option<(Parent, Need)>,
}

impl Custom for Compiled {
    fn check(&self, target: &dyn Target, creds: &Credentials) -> Result<bool, Stop> {
        let Some(value) = target.get(&self.key) else {
            return Err(match &self.parent {
                Some((Parent { via: Some(via), .. }, _)) if target.get(via).is_none() => Stop::Absent((*via).to_owned()),
                Some((_, need)) => Stop::Needs(need.clone()),
                None => Stop::Failed(format!("the object has no attribute \"{}\"", self.key)),
            });
        };
        let value: Cow<'_, str> = value.text();
        Ok(creds.text(&self.credential).is_some_and(|own| own == value))
    }

    fn reads(&self) -> BTreeSet<Box<str>> {
        let via = self.parent.iter().filter_map(|(parent, _)| parent.via).map(Box::from);
        via.chain([self.key.clone()]).collect()
    }

    fn needs(&self) -> Option<Need> {
        self.parent.as_ref().map(|(_, need)| need.clone())
    }

    fn by_credentials(&self, creds: &Credentials) -> Option<bool> {
        creds.text(&self.credential).is_none().then_some(false)
    }
}
