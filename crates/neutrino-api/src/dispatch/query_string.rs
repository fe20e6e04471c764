// SPDX-License-Identifier: Apache-2.0
//! The query of a list: `fields`, filters, `sort_key`/`sort_dir`, `limit`, `marker`, `page_reverse`.
//!
//! A repeated key is an alternative (OR); different keys must all hold (AND). Values go through the attribute's converter.

use neutrino_core::{Direction, Filter, ListQuery};
use neutrino_model::{Invalid, Limits, Table};
use neutrino_types::{Result, error::kinds};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::ApiOptions;

/// More parameters than this are refused: no client needs them, and each costs a bound value.
const MAX_PARAMETERS: usize = 4096;

/// The pairs of a query string, decoded, in order.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MAX_PARAMETERS {
            return Err(kinds::BAD_REQUEST.error(format!("The query has more than {MAX_PARAMETERS} parameters.")));
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(key)?, decode(value)?));
    }
    Ok(pairs)
}

fn decode(text: &str) -> Result<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| kinds::BAD_REQUEST.error("The query is not UTF-8 text."))
}

/// The wanted fields alone, for a show.
pub fn fields(query: &str) -> Result<Option<Vec<String>>> {
    let fields: Vec<String> = pairs(query)?.into_iter().filter(|(k, v)| k == "fields" && !v.is_empty()).map(|(_, v)| v).collect();
    Ok(if fields.is_empty() { None } else { Some(fields) })
}

pub fn parse(query: &str, table: &Table, options: &ApiOptions, limits: &Limits) -> Result<ListQuery> {
    let mut asked = ListQuery::default();
    let (mut fields, mut keys, mut directions) = (Vec::new(), Vec::new(), Vec::new());
    let mut filters: Vec<(String, Vec<String>)> = Vec::new();
    let mut limit = None;
    for (key, value) in pairs(query)? {
        match key.as_str() {
            "fields" if !value.is_empty() => fields.push(value),
            "sort_key" => keys.push(value),
            "sort_dir" => directions.push(value),
            "limit" => limit = Some(value),
            "marker" => asked.marker = Some(value),
            "page_reverse" => asked.page_reverse = value.eq_ignore_ascii_case("true"),
            "fields" | "bulk" => {}
            _ => match filters.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => filters.push((key, vec![value])),
            },
        }
    }
    asked.fields = if fields.is_empty() { None } else { Some(fields) };
    asked.sort = sorts(&keys, &directions, table)?;
    asked.limit = bounded(limit.as_deref(), options.pagination_max_limit)?;
    if asked.limit.is_none() {
        // As in Neutron, a marker means nothing without a limit.
        asked.marker = None;
        asked.page_reverse = false;
    }
    for (key, values) in filters {
        asked.filters.extend(filter(&key, values, table, options, limits)?);
    }
    Ok(asked)
}

fn sorts(keys: &[String], directions: &[String], table: &Table) -> Result<Vec<(usize, Direction)>> {
    if keys.len() != directions.len() {
        return Err(kinds::BAD_REQUEST.error("The number of sort_keys and sort_dirs must be same."));
    }
    let mut sorts = Vec::with_capacity(keys.len());
    for (key, direction) in keys.iter().zip(directions) {
        let at = table.find(key).filter(|at| table.attributes[*at].sort);
        let at = at.ok_or_else(|| kinds::BAD_REQUEST.error(format!("['{}'] is invalid attribute for sort_keys.", short(key))))?;
        let direction = match direction.as_str() {
            "asc" => Direction::Asc,
            "desc" => Direction::Desc,
            other => {
                return Err(kinds::BAD_REQUEST
                    .error(format!("['{}'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'.", short(other))));
            }
        };
        if !sorts.iter().any(|(known, _)| *known == at) {
            sorts.push((at, direction));
        }
    }
    Ok(sorts)
}

fn bounded(limit: Option<&str>, max: Option<usize>) -> Result<Option<usize>> {
    let asked = match limit {
        None => 0,
        Some(text) => text.trim().parse::<usize>().map_err(|_| {
            kinds::BAD_REQUEST_PLUGIN.error("Limit must be an integer 0 or greater and not '".to_owned() + short(text) + "'.")
        })?,
    };
    let limit = match max {
        Some(max) if asked == 0 => max,
        Some(max) => asked.min(max),
        None => asked,
    };
    Ok(if limit == 0 { None } else { Some(limit) })
}

fn filter(key: &str, values: Vec<String>, table: &Table, options: &ApiOptions, limits: &Limits) -> Result<Option<Filter>> {
    let validated = options.filter_validation && !table.resource.any_filter;
    let declared = table.find(key).filter(|at| table.attributes[*at].filter || !validated);
    let Some(at) = declared else {
        // Names of the Python model class, which Neutron skips.
        if matches!(key, "metadata" | "registry") || !validated {
            return Ok(None);
        }
        return Err(kinds::BAD_REQUEST.error(format!("['{}'] is invalid attribute for filtering.", short(key))));
    };
    let attribute = &table.attributes[at];
    let values: Vec<Value> = values.into_iter().map(Value::String).collect();
    let invalid = |invalid| match invalid {
        Invalid::Reason(reason) => kinds::INVALID_INPUT.error(format!("Invalid input for operation: {reason}.")),
        Invalid::Error(error) => error,
    };
    let values = if let Some(converter) = &attribute.convert_list {
        vec![converter.convert(Value::Array(values), limits).map_err(invalid)?]
    } else if let Some(converter) = &attribute.convert {
        values.into_iter().map(|v| converter.convert(v, limits).map_err(invalid)).collect::<Result<_>>()?
    } else {
        values
    };
    Ok(Some(Filter { attribute: at, values }))
}

fn short(text: &str) -> &str {
    text.char_indices().nth(64).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order_and_repeats_kept() -> Result<()> {
        let pairs = pairs("name=a%20b&name=c+d&x&=y")?;
        assert_eq!(pairs, [("name", "a b"), ("name", "c d"), ("x", ""), ("", "y")].map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert!(super::pairs("a=%ff").is_err());
        Ok(())
    }

    #[test]
    fn limit_is_capped_and_zero_means_none() -> Result<()> {
        assert_eq!(bounded(Some("5"), Some(3))?, Some(3));
        assert_eq!(bounded(Some("0"), Some(3))?, Some(3));
        assert_eq!(bounded(Some("0"), None)?, None);
        assert_eq!(bounded(None, None)?, None);
        assert!(bounded(Some("-1"), None).is_err());
        assert!(bounded(Some("x"), None).is_err());
        Ok(())
    }
}
