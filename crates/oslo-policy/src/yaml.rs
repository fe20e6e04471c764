// SPDX-License-Identifier: Apache-2.0
//! One policy file: a YAML (so also JSON) mapping of names to check strings or to lists.
//!
//! YAML itself is `saphyr-parser`'s; here its events become rules. What YAML allows and a policy has no use for (tags, anchors, several
//! documents, nested mappings) is refused, because PyYAML gives some of it a surprising meaning: `!` without quotes is an empty text
//! there, which allows everything.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

use crate::files::RuleText;

#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub name: String,
    pub text: RuleText,
    pub line: Option<usize>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Error {
    pub line: Option<usize>,
    pub rule: Option<String>,
    pub message: String,
}

/// JSON may be written in ways that are no YAML (tabs), so what looks like JSON and is no YAML is tried as such.
pub(crate) fn read(text: &str) -> (Vec<Entry>, Vec<Error>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let events = Parser::new_from_str(text);
    let mut reader = Reader { events, entries: Vec::new(), errors: Vec::new(), line: 1, is_yaml: true };
    // The reason is among the errors.
    let _: Result<(), Abort> = reader.stream();
    if !reader.is_yaml
        && text.trim_start().starts_with('{')
        && let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text)
    {
        return from_json(map);
    }
    (reader.entries, reader.errors)
}

enum Value {
    Text(String),
    List(Vec<Value>),
    /// Already complained of.
    Broken,
}

struct Reader<'a> {
    events: Parser<'a, StrInput<'a>>,
    entries: Vec<Entry>,
    errors: Vec<Error>,
    /// Of the last event.
    line: usize,
    is_yaml: bool,
}

/// The rest of the file cannot be read.
struct Abort;

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, Abort> {
        match self.events.next_event() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(e)) => {
                self.line = e.marker().line();
                self.is_yaml = false;
                self.complain(None, format!("not YAML: {}", e.info()));
                Err(Abort)
            }
            None => Err(Abort),
        }
    }

    fn complain(&mut self, rule: Option<&str>, message: String) {
        self.errors.push(Error { line: Some(self.line), rule: rule.map(str::to_owned), message });
    }

    fn stream(&mut self) -> Result<(), Abort> {
        let mut documents = 0;
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(()),
                Event::DocumentStart(_) => {
                    documents += 1;
                    if documents > 1 {
                        self.complain(None, "a second document, after ---; a policy file has one".to_owned());
                        return Err(Abort);
                    }
                }
                Event::MappingStart(anchor, tag) => {
                    self.is_plain(anchor, tag.is_some(), None);
                    self.mapping()?;
                }
                // A file of comments only.
                Event::Scalar(text, ScalarStyle::Plain, 0, None) if is_null(&text) => {}
                Event::Scalar(..) | Event::SequenceStart(..) | Event::Alias(_) => {
                    self.complain(None, "a policy file is a mapping: \"name\": \"check\"".to_owned());
                    return Err(Abort);
                }
                _ => {}
            }
        }
    }

    /// Anchors and tags have no place here.
    fn is_plain(&mut self, anchor: usize, tagged: bool, rule: Option<&str>) -> bool {
        if tagged {
            self.complain(rule, "YAML takes ! as the start of a tag; put quotes around it".to_owned());
        } else if anchor != 0 {
            self.complain(rule, "anchors (&) are not used in policy files; put quotes around the text".to_owned());
        }
        !tagged && anchor == 0
    }

    fn mapping(&mut self) -> Result<(), Abort> {
        loop {
            let event = self.next()?;
            let line = self.line;
            let name = match event {
                Event::MappingEnd => return Ok(()),
                Event::Scalar(name, _, anchor, tag) => self.is_plain(anchor, tag.is_some(), None).then(|| name.into_owned()),
                other => {
                    self.complain(None, "a rule's name is a text".to_owned());
                    self.skip(&other)?;
                    None
                }
            };
            let event = self.next()?;
            let value = self.value(event, name.as_deref(), 0)?;
            let Some(name) = name else { continue };
            if name.is_empty() {
                self.complain(None, "a rule has an empty name".to_owned());
                continue;
            }
            match rule_text(value) {
                Ok(Some(text)) => self.entries.push(Entry { name, text, line: Some(line) }),
                Ok(None) => {}
                Err(message) => self.complain(Some(&name), message),
            }
        }
    }

    fn value(&mut self, event: Event<'a>, rule: Option<&str>, depth: usize) -> Result<Value, Abort> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if !self.is_plain(anchor, tag.is_some(), rule) {
                    return Ok(Value::Broken);
                }
                if style == ScalarStyle::Plain && is_null(&text) {
                    self.complain(rule, "has no value; write \"!\" to allow nobody or \"@\" to allow everybody".to_owned());
                    return Ok(Value::Broken);
                }
                if style == ScalarStyle::Plain && is_no_text(&text) {
                    self.complain(rule, format!("{text} is no check; a check is a text"));
                    return Ok(Value::Broken);
                }
                Ok(Value::Text(text.into_owned()))
            }
            Event::SequenceStart(anchor, tag) if depth < 2 => {
                let plain = self.is_plain(anchor, tag.is_some(), rule);
                let mut list = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => list.push(self.value(event, rule, depth + 1)?),
                    }
                }
                Ok(if plain { Value::List(list) } else { Value::Broken })
            }
            other => {
                let message = match &other {
                    Event::Alias(_) => "aliases (*) are not used in policy files; put quotes around the text",
                    Event::MappingStart(..) => "a check is a text, not a mapping; put quotes around it",
                    _ => TOO_DEEP,
                };
                self.complain(rule, message.to_owned());
                self.skip(&other)?;
                Ok(Value::Broken)
            }
        }
    }

    /// Past the end of what this event began.
    fn skip(&mut self, first: &Event<'a>) -> Result<(), Abort> {
        let step = |event: &Event<'_>| match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => 1_i64,
            Event::MappingEnd | Event::SequenceEnd => -1,
            _ => 0,
        };
        let mut depth = step(first);
        while depth > 0 {
            depth += step(&self.next()?);
        }
        Ok(())
    }
}

const TOO_DEEP: &str = "lists nest at most two deep";

/// `None` where something was complained of already.
fn rule_text(value: Value) -> Result<Option<RuleText>, String> {
    let outer = match value {
        Value::Text(text) => return Ok(Some(RuleText::Text(text))),
        Value::Broken => return Ok(None),
        Value::List(outer) => outer,
    };
    let mut lists = Vec::new();
    for part in outer {
        match part {
            Value::Broken => return Ok(None),
            // An empty text counts as an empty list.
            Value::Text(text) if text.is_empty() => lists.push(Vec::new()),
            Value::Text(text) => lists.push(vec![text]),
            Value::List(inner) => {
                let mut all = Vec::new();
                for part in inner {
                    match part {
                        Value::Text(text) => all.push(text),
                        Value::Broken => return Ok(None),
                        Value::List(_) => return Err(TOO_DEEP.to_owned()),
                    }
                }
                lists.push(all);
            }
        }
    }
    Ok(Some(RuleText::Lists(lists)))
}

fn from_json(map: serde_json::Map<String, serde_json::Value>) -> (Vec<Entry>, Vec<Error>) {
    fn value(json: serde_json::Value) -> Result<Value, String> {
        match json {
            serde_json::Value::String(text) => Ok(Value::Text(text)),
            serde_json::Value::Array(list) => list.into_iter().map(value).collect::<Result<_, _>>().map(Value::List),
            other => Err(format!("{other} is no check; a check is a text")),
        }
    }
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    for (name, json) in map {
        match value(json).and_then(rule_text) {
            Ok(Some(text)) => entries.push(Entry { name, text, line: None }),
            Ok(None) => {}
            Err(message) => errors.push(Error { line: None, rule: Some(name), message }),
        }
    }
    (entries, errors)
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Plain words and numbers that YAML does not take for texts.
fn is_no_text(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off") || text.parse::<f64>().is_ok()
}
