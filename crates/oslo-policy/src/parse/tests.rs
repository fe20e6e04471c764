// SPDX-License-Identifier: Apache-2.0
//! The parser by itself: trees as text, positions of errors, and what random text must not do.

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> Result<String, (usize, String)> {
    parse(text, &Language::new()).map(|check| check.to_string()).map_err(|e| (e.position, e.message))
}

#[test]
fn precedence_and_grouping() {
    for (text, tree) in [
        ("", "@"),
        ("@", "@"),
        ("!", "!"),
        ("role:a", "role:a"),
        ("role:a or role:b and role:c", "(role:a or (role:b and role:c))"),
        ("role:a and role:b or role:c", "((role:a and role:b) or role:c)"),
        ("(role:a or role:b) and role:c", "((role:a or role:b) and role:c)"),
        ("not role:a and not (role:b or @)", "(not role:a and not (role:b or @))"),
        ("NOT not role:a", "not not role:a"),
        ("((role:a))", "role:a"),
        ("role:a or (role:b and role:c) and role:d", "(role:a or (role:b and role:c and role:d))"),
        ("(role:a and role:b) and role:c", "((role:a and role:b) and role:c)"),
        ("'m':%(role.name)s or None:%(x)s", "('m':%(role.name)s or None:%(x)s)"),
        ("project_id:%(a(b))s", "project_id:%(a(b))s"),
        ("rule:a\u{1f}and\trule:b\u{a0}", "(rule:a and rule:b)"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(tree), "{text}");
    }
}

#[test]
fn errors_name_the_place() {
    for (text, position) in [
        (" ", 2),
        ("role:a role:b", 8),
        ("role:a or", 10),
        ("and role:a", 1),
        ("(role:a", 1),
        ("role:a)", 7),
        ("role:a and ()", 13),
        ("é:x or role", 8),
        ("'quoted'", 1),
        ("role:a or project_id:%(x)d", 22),
        ("role:%x", 6),
        ("http://%(x", 8),
        ("1a:x", 1),
        ("not", 4),
    ] {
        assert_eq!(shown(text).unwrap_err().0, position, "{text}");
    }
    assert!(shown(&format!("{}@", "(".repeat(10_000))).unwrap_err().1.contains("nested"));
    assert!(shown(&format!("{}@", "not ".repeat(10_000))).unwrap_err().1.contains("nested"));
    assert!(shown(&"x".repeat(100_000)).unwrap_err().1.contains("bytes"));
}

#[test]
fn lenient_lets_a_broken_check_fail_alone() {
    let (check, errors) = parse_lenient("nonsense or role:a", &Language::new());
    assert_eq!((check.to_string().as_str(), errors.len()), ("(! or role:a)", 1));
    let (check, errors) = parse_lenient("1a:x or not role:%", &Language::new());
    assert_eq!((check.to_string().as_str(), errors.len()), ("(1a:x or not role:%)", 2));
    let (check, errors) = parse_lenient("nonsense role:a", &Language::new());
    assert_eq!((check.to_string().as_str(), errors.len()), ("!", 2));
}

#[test]
fn lists() {
    let lists = |lists: &[&[&str]]| {
        let owned: Vec<Vec<String>> = lists.iter().map(|l| l.iter().map(|s| (*s).to_owned()).collect()).collect();
        let (check, errors) = parse_lists(&owned, &Language::new());
        (check.to_string(), errors.len())
    };
    assert_eq!(lists(&[]), ("@".to_owned(), 0));
    assert_eq!(lists(&[&[]]), ("!".to_owned(), 0));
    assert_eq!(lists(&[&["role:a"], &[], &["role:b", "rule:c"]]), ("(role:a or (role:b and rule:c))".to_owned(), 0));
    assert_eq!(lists(&[&["nonsense"]]), ("!".to_owned(), 1));
}

/// Trees as the parser makes them: no list of one, and after an `or` no conjunction that begins with a conjunction.
fn tree() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("@".to_owned()),
        Just("!".to_owned()),
        "role:[a-z_]{1,6}",
        "rule:[a-z_:]{1,6}[a-z]",
        "[a-z]{1,4}_id:%\\([a-z:.]{1,6}\\)s",
        "'[a-z]{0,4}':%\\([a-z]{1,6}\\)s-x",
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|part| format!("not {part}")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" and "))),
            prop::collection::vec(inner, 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = parse(&text, &Language::new());
    }

    #[test]
    fn words_of_the_language_in_any_order(words in prop::collection::vec(prop::sample::select(vec![
        "and", "or", "not", "(", ")", "@", "!", "role:a", "rule:b)", "(x:%(y)s", "x:%(y", "'q'", "None:%(z)s", "nonsense", "",
    ]), 0..24)) {
        let text = words.join(" ");
        let (check, errors) = parse_lenient(&text, &Language::new());
        prop_assert_eq!(parse(&text, &Language::new()).is_ok(), errors.is_empty());
        for error in &errors {
            prop_assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
        }
        let printed = check.to_string();
        prop_assert_eq!(parse_lenient(&printed, &Language::new()).0.to_string(), printed);
    }

    #[test]
    fn a_printed_tree_reads_back(text in tree()) {
        let once = shown(&text).map_err(|(_, message)| TestCaseError::fail(message))?;
        prop_assert_eq!(shown(&once), Ok(once));
    }
}
