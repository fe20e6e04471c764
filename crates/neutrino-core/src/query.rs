// SPDX-License-Identifier: Apache-2.0
//! What a list request asks for, in terms of a table's attribute indexes.

use neutrino_model::Table;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Asc,
    Desc,
}

impl Direction {
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Asc => Self::Desc,
            Self::Desc => Self::Asc,
        }
    }
}

/// Rows whose attribute has any of the values.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub attribute: usize,
    /// Converted as the attribute's table says. With `convert_list` the one value is what that made of the whole list.
    pub values: Vec<Value>,
}

#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// All of them must hold.
    pub filters: Vec<Filter>,
    /// The attributes wanted; `None` for all. Unknown names are left out.
    pub fields: Option<Vec<String>>,
    pub sort: Vec<(usize, Direction)>,
    /// The most rows to give; `None` for no bound.
    pub limit: Option<usize>,
    /// Give what follows the object with this id.
    pub marker: Option<String>,
    /// Give what comes before the marker instead.
    pub page_reverse: bool,
}

impl ListQuery {
    /// Objects with this value of an attribute.
    #[must_use]
    pub fn by(table: &Table, attribute: &str, value: impl Into<Value>) -> Self {
        let mut query = Self::default();
        if let Some(attribute) = table.find(attribute) {
            query.filters.push(Filter { attribute, values: vec![value.into()] });
        }
        query
    }

    /// The values a filter asks for, when it is there.
    #[must_use]
    pub fn filter(&self, table: &Table, attribute: &str) -> Option<&[Value]> {
        let at = table.find(attribute)?;
        self.filters.iter().find(|f| f.attribute == at).map(|f| f.values.as_slice())
    }

    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.iter().any(|f| f == name))
    }
}
