//! Which modules, crates, macros and keywords a source names.

use super::tokens::{Token, tokens};
use super::{Kind, RESERVED, Reserved, Source};

/// What a source names, with lines.
#[derive(Default)]
pub struct Names {
    /// Top-level modules of the crate.
    pub modules: Vec<(usize, String)>,
    /// Reserved names, and whether in test code.
    pub reserved: Vec<(usize, &'static Reserved, bool)>,
    /// Modules in files of their own that are declared under `#[cfg(test)]`.
    pub test_modules: Vec<String>,
}

/// Reads a source.
pub fn names(source: &Source) -> Names {
    let tokens = tokens(&source.text);
    let word = |index: usize| tokens.get(index).map_or("", |(_, token)| token.as_str());
    let file_depth = source
        .module
        .split('/')
        .filter(|part| !part.is_empty())
        .count();
    let mut names = Names::default();
    let mut depth = 0; // of braces
    let mut inline_modules = Vec::new(); // the depths at which they opened
    let mut test_item = false; // between `#[cfg(test)]` and the `{` or `;` of its item
    let mut test_until = None; // the depth at which the test code ends
    for index in 0..tokens.len() {
        let (line, token) = &tokens[index];
        match token.as_str() {
            "#" if is_cfg_test(&tokens[index..]) => test_item = true,
            "{" => {
                if index >= 2 && word(index - 2) == "mod" {
                    inline_modules.push(depth);
                }
                if std::mem::take(&mut test_item) && test_until.is_none() {
                    test_until = Some(depth);
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                inline_modules.pop_if(|opened| *opened == depth);
                if test_until == Some(depth) {
                    test_until = None;
                }
            }
            ";" => {
                if std::mem::take(&mut test_item) && index >= 2 && word(index - 2) == "mod" {
                    let path = format!("{}/{}", source.module, word(index - 1));
                    names.test_modules.push(path.trim_start_matches('/').into());
                }
            }
            "crate" if word(index + 1) == "::" => {
                names.modules.extend(first_segments(&tokens, index + 2));
            }
            "super" if index == 0 || word(index - 1) != "::" => {
                let steps = (0..tokens.len())
                    .take_while(|n| word(index + 2 * n) == "super")
                    .count();
                if steps == file_depth + inline_modules.len() {
                    names
                        .modules
                        .extend(first_segments(&tokens, index + 2 * steps));
                }
            }
            token => {
                let before = if index == 0 { "" } else { word(index - 1) };
                let after = word(index + 1);
                let found = RESERVED.iter().find(|reserved| {
                    reserved.name == token
                        && match reserved.is {
                            Kind::Crate => {
                                before == "use"
                                    || (after == "::" && before != "::" && before != ".")
                            }
                            Kind::Macro => after == "!",
                            Kind::Keyword => true,
                        }
                });
                if let Some(reserved) = found {
                    let in_test = test_item || test_until.is_some();
                    names.reserved.push((*line, reserved, in_test));
                }
            }
        }
    }
    names
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens
        .iter()
        .map(|(_, token)| token.as_str())
        .take_while(|token| *token != "]")
        .collect();
    words.starts_with(&["#", "[", "cfg"]) && words.contains(&"test") && !words.contains(&"not")
}

/// The first names of a path or of a group of paths: `a` and `d` of `{a::{b, c}, d}`.
fn first_segments(tokens: &[Token], start: usize) -> Vec<Token> {
    let Some((_, first)) = tokens.get(start) else {
        return Vec::new();
    };
    if first != "{" {
        return vec![tokens[start].clone()];
    }
    let mut segments = Vec::new();
    let mut depth = 0;
    for pair in tokens[start..].windows(2) {
        match pair[0].1.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(pair[0].1.as_str(), "{" | ",") && pair[1].1 != "}" {
            segments.push(pair[1].clone());
        }
    }
    segments
}
