//! The name of a camera from its maker and model.

/// Maker and model, without naming the maker twice: for "Canon" and "Canon EOS 5D", or "NIKON CORPORATION" and
/// "NIKON D3100", the model alone.
pub fn camera_name(maker: Option<&str>, model: Option<&str>) -> Option<String> {
    let not_blank = |text: Option<&str>| {
        let text = text?.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    };
    let (maker, model) = match (not_blank(maker), not_blank(model)) {
        (Some(maker), Some(model)) => (maker, model),
        (maker, model) => return model.or(maker),
    };
    let first = model
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut words = maker.split(' ');
    if words.any(|word| word.eq_ignore_ascii_case(first)) {
        Some(model)
    } else {
        Some(format!("{maker} {model}"))
    }
}
