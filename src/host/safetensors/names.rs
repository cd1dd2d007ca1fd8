//! What a file's tensors belong to, by their names: the prefixes of the recurrent layers, of the output layer and of the
//! embedding.

use std::{borrow::ToOwned, collections::BTreeSet, format, string::String, vec::Vec};

use super::WeightsError;

/// The shape of a tensor, if there is one of that name.
pub(super) type Shapes<'a> = &'a dyn Fn(&str) -> Option<Vec<usize>>;

/// Prefixes of names, such as `rnn.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) rnn: String,
    pub(super) head: String,
    pub(super) embedding: Option<String>,
}

/// Prefixes as they were given.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) rnn: Option<&'a str>,
    pub(super) head: Option<&'a str>,
    pub(super) embedding: Option<&'a str>,
}

/// What the names of a recurrent layer's tensors begin with, after the prefix and before the layer's number.
const STEMS: [&str; 4] = ["weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"];

impl Names {
    /// Those that are written.
    pub(super) fn usual(embedding: bool) -> Self {
        Self { rnn: "rnn.".into(), head: "head.".into(), embedding: embedding.then(|| "embedding.".into()) }
    }

    /// Those of a file, and its layers.
    pub(super) fn find(
        names: &[String],
        given: Given<'_>,
        shapes: Shapes<'_>,
    ) -> Result<(Self, usize), WeightsError> {
        let rnn = match given.rnn {
            Some(prefix) => there("rnn", prefix, &rnns(names))?,
            None => rnn(names)?,
        };
        // Tensors of recurrent layers that are not meant will be too many.
        let others: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| layer_number(name).is_none()).collect();
        let all: Vec<&str> = others
            .iter()
            .filter_map(|name| name.strip_suffix("weight"))
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .collect();
        let embedding = given.embedding.map(|prefix| there("embedding", prefix, &all)).transpose()?;
        let (with_bias, without): (Vec<_>, Vec<_>) = all
            .iter()
            .filter(|&&prefix| embedding.as_deref() != Some(prefix))
            .partition(|prefix| others.contains(&format!("{prefix}bias").as_str()));
        let head = match given.head {
            Some(prefix) => there("head", prefix, &all)?,
            None => {
                head(&with_bias, &without, without.len() + usize::from(embedding.is_some()), &rnn, shapes)?
            }
        };
        let without: Vec<_> = without.into_iter().filter(|prefix| *prefix != head).collect();
        let embedding = match embedding {
            Some(prefix) => Some(prefix),
            None => one("embedding", "embedding.", &without)?,
        };
        let numbers = names.iter().filter_map(|name| layer_number(name.strip_prefix(rnn.as_str())?));
        let layers = numbers.max().map_or(1, |last| last.saturating_add(1));
        Ok((Self { rnn, head, embedding }, layers))
    }

    /// A tensor of the recurrent layers that only other networks have: those that read both ways, or project.
    pub(super) fn other_networks<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        let is_other = |name: &str| name.ends_with("_reverse") || name.starts_with("weight_hr_l");
        names.iter().find(|name| name.strip_prefix(self.rnn.as_str()).is_some_and(is_other))
    }
}

/// The prefix of the recurrent layers: what stands in front of the first one's names.
fn rnn(names: &[String]) -> Result<String, WeightsError> {
    one("rnn", "rnn.", &rnns(names))?.ok_or(WeightsError::NoCell)
}

/// All prefixes of recurrent layers.
fn rnns(names: &[String]) -> Vec<&str> {
    let prefix = |name| {
        STEMS.iter().find_map(|stem| str::strip_suffix(name, "0").and_then(|name| name.strip_suffix(stem)))
    };
    let prefixes: BTreeSet<&str> = names.iter().map(String::as_str).filter_map(prefix).collect();
    prefixes.into_iter().collect()
}

/// The prefix of the output layer: the part with a weight and a bias, or of those without a bias, `of` with the embedding's, one
/// that has its usual name or its shape.
fn head(
    with_bias: &[&str],
    without: &[&str],
    of: usize,
    rnn: &str,
    shapes: Shapes<'_>,
) -> Result<String, WeightsError> {
    if let Some(head) = one("head", "head.", with_bias)? {
        return Ok(head);
    }
    let usual: Vec<_> = without.iter().copied().filter(|prefix| prefix.ends_with("head.")).collect();
    let by_shape = || without.iter().copied().filter(|prefix| is_head(prefix, of, rnn, shapes)).collect();
    let bare: Vec<_> = if usual.is_empty() { by_shape() } else { usual };
    Ok(one("head", "head.", &bare)?.unwrap_or_else(|| "head.".to_owned()))
}

/// Whether the one of so many weights without a bias makes outputs of hidden units, rather than vectors of symbols.
fn is_head(prefix: &str, of: usize, rnn: &str, shapes: Shapes<'_>) -> bool {
    let shape = |name: String| <[usize; 2]>::try_from(shapes(&name)?).ok();
    let sizes = (
        shape(format!("{prefix}weight")),
        shape(format!("{rnn}weight_ih_l0")),
        shape(format!("{rnn}weight_hh_l0")),
    );
    match sizes {
        (Some([_, columns]), Some([_, inputs]), Some([_, hidden])) => {
            // One that is as wide as what the cell reads could be an embedding.
            let is_clear = inputs != hidden || of > 1;
            columns == hidden && is_clear && !is_embedding(prefix)
        }
        _ => false,
    }
}

/// Whether the name says so. One that only has the word in it may be the other way round, such as `unembed`.
fn is_embedding(prefix: &str) -> bool {
    let name = prefix.trim_end_matches('.').rsplit('.').next();
    matches!(name, Some("emb" | "embed" | "embedding" | "embeddings"))
}

/// The only prefix there is, or the usual one if there are several.
fn one(part: &'static str, usual: &str, prefixes: &[&str]) -> Result<Option<String>, WeightsError> {
    match prefixes {
        [] => Ok(None),
        [only] => Ok(Some((*only).to_owned())),
        several if several.contains(&usual) => Ok(Some(usual.to_owned())),
        several => {
            let prefixes = several.iter().map(|prefix| (*prefix).to_owned()).collect();
            Err(WeightsError::Ambiguous { part, prefixes })
        }
    }
}

/// A prefix as it was given, or with the dot that was left out, if there is one like that.
fn there(part: &'static str, given: &str, prefixes: &[&str]) -> Result<String, WeightsError> {
    let candidates = [given.to_owned(), format!("{given}.")];
    let found = candidates.into_iter().find(|prefix| prefixes.contains(&prefix.as_str()));
    found.ok_or_else(|| WeightsError::Prefix {
        part,
        given: given.to_owned(),
        prefixes: prefixes.iter().map(|prefix| (*prefix).to_owned()).collect(),
    })
}

/// The number of the layer that a tensor belongs to, if its name, with any prefix, is that of a recurrent layer's.
fn layer_number(name: &str) -> Option<usize> {
    let from = STEMS.iter().filter_map(|stem| Some(name.rfind(stem)? + stem.len())).max()?;
    name.get(from..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Given<'_> = Given { rnn: None, head: None, embedding: None };

    fn found(names: &[&str], given: Given<'_>) -> Result<(Names, usize), WeightsError> {
        Names::find(&names.iter().map(|&name| name.into()).collect::<Vec<_>>(), given, &|_| None)
    }

    fn prefixes(names: &[&str]) -> (String, String, Option<String>, usize) {
        let (names, layers) = found(names, NONE).unwrap();
        (names.rnn, names.head, names.embedding, layers)
    }

    #[test]
    fn prefixes_are_found() {
        let plain = ["weight_ih_l0", "weight_hh_l0", "fc.weight", "fc.bias"];
        assert_eq!(prefixes(&plain), (String::new(), "fc.".into(), None, 1));
        let deep = ["a.b.weight_ih_l0", "a.b.bias_hh_l2", "0.weight", "1.weight", "1.bias"];
        assert_eq!(prefixes(&deep), ("a.b.".into(), "1.".into(), Some("0.".into()), 3));
        // The usual name decides between several, and a lost bias is missed where it should be.
        let several = ["rnn.bias_ih_l0", "x.weight_ih_l0", "head.weight", "head.bias", "y.weight", "y.bias"];
        assert_eq!(prefixes(&several), ("rnn.".into(), "head.".into(), None, 1));
        assert_eq!(prefixes(&["r.weight_hh_l0", "m.head.weight"]).1, "m.head.");
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        assert!(matches!(found(&["head.weight"], NONE), Err(WeightsError::NoCell)));
        let two = ["a.weight_ih_l0", "b.weight_ih_l0", "x.weight", "x.bias", "y.weight", "y.bias"];
        let part = |given| match found(&two, given) {
            Err(WeightsError::Ambiguous { part, .. }) => part,
            other => panic!("{other:?}"),
        };
        assert_eq!((part(NONE), part(Given { rnn: Some("a"), ..NONE })), ("rnn", "head"));
        let (names, _) = found(&two, Given { rnn: Some("b."), head: Some("y"), ..NONE }).unwrap();
        assert_eq!((names.rnn.as_str(), names.head.as_str()), ("b.", "y."));
    }

    #[test]
    fn numbers_of_layers() {
        assert_eq!(layer_number("rnn.weight_ih_l12"), Some(12));
        assert_eq!(layer_number("weight_ih_l0_reverse"), None);
        assert_eq!(layer_number("head.weight"), None);
        assert_eq!(layer_number("weight_ih_l99999999999999999999999"), None);
    }
}
