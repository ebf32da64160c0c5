//! Finds the modules of the crate and the reserved crates that a source file names.

use super::tokens::{Token, tokens};
use super::{RESERVED, Reserved, Source};

/// The names in a source file, with their lines.
#[derive(Default)]
pub struct Names {
    /// Top-level modules of the crate.
    pub modules: Vec<(usize, String)>,
    /// Reserved crates.
    pub reserved: Vec<(usize, &'static Reserved)>,
}

/// Finds the names in a source file.
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
    for index in 0..tokens.len() {
        let (line, token) = &tokens[index];
        match token.as_str() {
            "{" => {
                if index >= 2 && word(index - 2) == "mod" {
                    inline_modules.push(depth);
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                inline_modules.pop_if(|opened| *opened == depth);
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
                let is_path = word(index + 1) == "::" && before != "::" && before != ".";
                let found = RESERVED.iter().find(|reserved| reserved.name == token);
                if let Some(reserved) = found
                    && (before == "use" || is_path)
                {
                    names.reserved.push((*line, reserved));
                }
            }
        }
    }
    names
}

/// The first segments of a path or of a group of paths: `a` and `d` for `{a::{b, c}, d}`.
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
