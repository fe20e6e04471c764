// SPDX-License-Identifier: Apache-2.0
//! `api-paste.ini`: files of real releases, mistakes and how they are named, and texts that nobody would write.

use std::sync::Arc;

use http::Method;
use neutrino_api::app::{App, Request};
use neutrino_api::paste::ini::IniFile;
use neutrino_api::paste::{PasteError, PasteSource, Pipeline, PipelineOptions, build};
use proptest::prelude::*;
use serde_json::Value;

use crate::harness::{Echo, contract};

fn load(text: &str, auth_strategy: &str) -> Result<Pipeline, PasteError> {
    let source = PasteSource::Text { name: "api-paste.ini".to_owned(), text: text.to_owned() };
    build(source, auth_strategy, Arc::new(Echo::default()), PipelineOptions::default())
}

/// The text of a file whose sections the contract lists.
fn written(sections: &Value) -> String {
    let mut text = String::new();
    for (name, entries) in sections.as_object().unwrap() {
        text.push_str(&format!("[{name}]\n"));
        for (key, value) in entries.as_object().unwrap() {
            let delimiter = if key.starts_with('/') { ": " } else { " = " };
            text.push_str(&format!("{key}{delimiter}{}\n", value.as_str().unwrap()));
        }
        text.push('\n');
    }
    text
}

async fn get(pipeline: &Pipeline, target: &str) -> u16 {
    pipeline.call(Request::new(Method::GET, target, "")).await.status.as_u16()
}

#[tokio::test]
async fn the_files_of_ocata_and_of_today_are_obeyed() {
    let config = contract("config.json");
    for (name, has_healthcheck) in [("api_paste", true), ("api_paste_ocata_10.0.5", false)] {
        let text = written(&config[name]);
        let pipeline = load(&text, "noauth").unwrap();
        assert_eq!((get(&pipeline, "/").await, get(&pipeline, "/v2.0/networks").await), (200, 200), "{name}");
        assert_eq!(get(&pipeline, "/healthcheck").await == 200, has_healthcheck, "{name}");
        let message = load(&text, "keystone").unwrap_err().to_string();
        assert!(message.contains("needs auth_strategy = keystone") && message.contains("[filter:authtoken]"), "{message}");
    }
}

#[test]
fn our_file_has_the_mounts_and_pipelines_of_todays() {
    let text = include_str!("../../etc/api-paste.ini");
    let ours = IniFile::parse("ours", text).unwrap();
    let theirs = IniFile::parse("theirs", &written(&contract("config.json")["api_paste"])).unwrap();
    let value = |file: &IniFile, section: &str, key: &str| {
        let section = file.section(section).unwrap();
        section.entries.iter().find(|entry| entry.key == key).unwrap().value.clone()
    };
    for mount in ["/", "/v2.0"] {
        for strategy in ["noauth", "keystone"] {
            let pipeline = |file| value(file, &format!("composite:{}", value(file, "composite:neutron", mount)), strategy);
            assert_eq!(pipeline(&ours), pipeline(&theirs), "{mount} {strategy}");
        }
    }
    assert_eq!(value(&ours, "app:healthcheck", "backends"), value(&theirs, "app:healthcheck", "backends"));
}

#[tokio::test]
async fn an_operators_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api-paste.ini");
    std::fs::write(&path, written(&contract("config.json")["api_paste"])).unwrap();
    let app: Arc<dyn App> = Arc::new(Echo::default());
    let pipeline = build(PasteSource::File(path.clone()), "noauth", Arc::clone(&app), PipelineOptions::default()).unwrap();
    assert_eq!(get(&pipeline, "/v2.0/").await, 200);
    std::fs::write(&path, "[composite:neutron\n").unwrap();
    let error = build(PasteSource::File(path.clone()), "noauth", Arc::clone(&app), PipelineOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}, line 1: ", path.display())), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(build(PasteSource::File(path), "noauth", app, PipelineOptions::default()).unwrap_err().to_string().contains("cannot be read"));
}

const HEAD: &str = "[composite:neutron]\nuse = egg:Paste#urlmap\n/v2.0 = api\n";
const END: &str = "[app:end]\npaste.app_factory = neutron.api.v2.router:APIRouter.factory\n";

#[test]
fn mistakes_are_named_with_their_line_and_the_choices() {
    let cases: &[(&str, usize, &str)] = &[
        ("[pipeline:api]\npipeline = nofilter end\n", 5, "filter \"nofilter\" ([filter:nofilter]). There are: cors"),
        ("[pipeline:api]\npipeline = cors nowhere\n", 5, "application \"nowhere\" ([app:nowhere]). There are: neutron, api, end"),
        ("[pipeline:api]\npipeline =\n", 5, "is empty"),
        ("[pipeline:api]\npipe = cors end\n", 4, "needs a \"pipeline = ...\""),
        ("[pipeline:api]\npipeline = end\nextra = 1\n", 6, "may not have \"extra\""),
        ("[pipeline:api]\npipeline = api\n", 5, "refers to itself"),
        (
            "[pipeline:api]\npipeline = x end\n[filter:x]\npaste.filter_factory = some.where:Filter.factory\n",
            6,
            "not a known filter. Known are: oslo_middleware",
        ),
        ("[pipeline:api]\npipeline = x end\n[filter:x]\nmax_age = 1\n", 6, "paste.filter_factory"),
        (
            "[pipeline:api]\npipeline = x end\n[filter:x]\nuse = cors\nmax_ages = 1\n",
            8,
            "max_ages is not a setting of this section. It takes: allowed_origin",
        ),
        ("[pipeline:api]\npipeline = x end\n[filter:x]\nuse = cors\nmax_age = soon\n", 8, "whole number"),
        ("[pipeline:api]\npipeline = x end\n[filter:x]\nuse = cors\nallow_credentials = maybe\n", 8, "true or false"),
        ("[pipeline:api]\npipeline = x end\n[filter:x]\nuse = config:other.ini\n", 7, "other files are not read"),
        ("[pipeline:api]\npipeline = x end\n[filter:x]\nuse = y\n[filter:y]\nuse = x\n", 9, "refers to itself"),
        ("[app:api]\npaste.app_factory = some.where:App.factory\n", 4, "not a known application. Known are: egg:paste#urlmap"),
        ("[app:api]\nuse = egg:oslo.middleware#healthcheck\nbackends = hope\n", 6, "Known are: disable_by_file"),
        (
            "[composite:api]\nuse = call:neutron.auth:pipeline_factory\nkeystone = end\n",
            4,
            "no pipeline for auth_strategy = noauth. There are: keystone",
        ),
        ("[composite:api]\nuse = call:neutron.auth:other_factory\n", 4, "not a known application"),
        ("[composite:api]\nuse = egg:Paste#urlmap\nv2.0 = end\n", 6, "starts with \"/\""),
        ("[composite:api]\nuse = egg:Paste#urlmap\n/a = end\n/a/ = end\n", 7, "taken already"),
        ("[app:api]\npaste.app_factory = a:b\npaste.composite_factory = c:d\n", 6, "more than one factory"),
        ("[app:api]\nuse = end\n[composite:api]\nuse = egg:Paste#urlmap\n", 3, "may mean [app:api] (line 4) or [composite:api] (line 6)"),
        ("[filter-app:api]\nuse = cors\n", 4, "needs a \"next = ...\""),
    ];
    for (body, line, part) in cases {
        let text = format!("{HEAD}{body}{END}[filter:cors]\npaste.filter_factory = oslo_middleware.cors:filter_factory\n");
        let error = load(&text, "noauth").unwrap_err();
        assert!(error.message.contains(part), "{body}: {error}");
        assert_eq!(error.line, Some(*line), "{body}: {error}");
    }
    assert!(load("[composite:other]\n", "noauth").unwrap_err().message.contains("[app:neutron]"));
}

#[tokio::test]
async fn the_rest_of_paste_deploys_language_is_obeyed() {
    let text = "[DEFAULT]\nlimit = 5\n\
        [composite:neutron]\nuse = egg:Paste#urlmap\n/a = piped\n/b: filtered\n/c = with\n/d = base\nnot_found_app = end\ndomain other.example /a = end\n\
        [pipeline:piped]\npipeline =\n    small\n    # in between\n    end\n\
        [filter-app:filtered]\nuse = small\nnext = end\nmax_request_body_size = 7\n\
        [app:with]\nuse = end\nfilter-with = small\n\
        [composite:base]\npaste.composite_factory = paste.urlmap:urlmap_factory\n/ = end\n\
        [app:end]\npaste.app_factory = neutron.api.v2.router:APIRouter.factory\n\
        [filter:small]\nuse = egg:oslo.middleware#sizelimit\nget max_request_body_size = limit\n";
    let pipeline = load(text, "noauth").unwrap();
    let post = async |host: &str, target: &str| {
        let mut request = Request::new(Method::POST, target, "123456");
        request.info.host = host.to_owned();
        pipeline.call(request).await.status.as_u16()
    };
    assert_eq!((post("h", "/a/x").await, post("other.example:1", "/a/x").await), (413, 200));
    assert_eq!((post("h", "/b").await, post("h", "/c").await, post("h", "/d/e").await, post("h", "/nowhere").await), (200, 413, 200, 200));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the text, the answer is a pipeline or an error that names the file.
    #[test]
    fn no_text_makes_the_loader_panic(text in lines()) {
        if let Err(error) = load(&text, "noauth") {
            prop_assert!(error.to_string().starts_with("api-paste.ini"));
            prop_assert!(error.line.is_none_or(|line| line >= 1 && line <= text.lines().count().max(1)));
        }
    }

    #[test]
    fn no_bytes_make_the_parser_panic(text in ".{0,200}") {
        let _ = IniFile::parse("f", &text);
    }

    /// What is written by the rules is read back.
    #[test]
    fn values_are_read_as_written(sections in proptest::collection::btree_map("[a-z]{1,8}:[a-z0-9_ .]{1,8}", proptest::collection::btree_map("[a-zA-Z/][a-zA-Z0-9_./]{0,10}", "[!-$&-~]([ -$&-~]{0,20}[!-$&-~])?", 0..5), 0..5)) {
        let mut text = String::new();
        for (name, entries) in &sections {
            text.push_str(&format!("[{name}]\n"));
            for (key, value) in entries {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        let file = IniFile::parse("f", &text).unwrap();
        prop_assert_eq!(file.sections.len(), sections.len());
        for (name, entries) in &sections {
            let section = file.section(name).unwrap();
            for (entry, (key, value)) in section.entries.iter().zip(entries) {
                prop_assert_eq!((&entry.key, &file.resolve(Some(section), entry, &[]).unwrap()), (key, value));
            }
        }
    }
}

/// Texts of lines that are nearly right.
fn lines() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["neutron", "api", "end", "cors", "x", "main", ""]);
    let kind = prop::sample::select(vec!["composite", "app", "pipeline", "filter", "filter-app", "server", ""]);
    let word = prop::sample::select(vec![
        "egg:Paste#urlmap",
        "call:neutron.auth:pipeline_factory",
        "egg:oslo.middleware#cors",
        "egg:oslo.middleware#healthcheck",
        "config:x.ini",
        "oslo_middleware:RequestId.factory",
        "neutron.api.v2.router:APIRouter.factory",
        "%(x)s",
        "%(here)s",
        "%",
        "api",
        "end",
        "cors",
        "cors api end",
        "",
    ]);
    let key = prop::sample::select(vec![
        "use",
        "paste.app_factory",
        "paste.filter_factory",
        "pipeline",
        "next",
        "filter-with",
        "noauth",
        "/",
        "/v2.0",
        "set x",
        "get x",
        "x",
        "not_found_app",
        "require",
    ]);
    let line = prop_oneof![
        3 => (kind, name).prop_map(|(kind, name)| format!("[{kind}:{name}]")),
        1 => Just("[DEFAULT]".to_owned()),
        8 => (key, word.clone(), prop::sample::select(vec![" = ", ": ", "=", " "])).prop_map(|(key, word, mark)| format!("{key}{mark}{word}")),
        1 => word.prop_map(|word| format!("    {word}")),
        1 => "\\PC{0,20}",
    ];
    proptest::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n"))
}
