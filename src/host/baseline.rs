//! The baseline: interpolated n-gram models with Witten–Bell smoothing, of every order up to N.
//!
//! ```text
//! p_0(w)     = 1 / V
//! p_n(w | h) = (c(h w) + t(h) · p_{n−1}(w | h')) / (c(h) + t(h))     if h was seen
//!            = p_{n−1}(w | h')                                       if it was not
//! ```
//!
//! h is the context, the n − 1 symbols before w; h' is h without its oldest symbol. c(h w) is how often w
//! followed h in the training text, c(h) is the sum of c(h w) over w, and t(h) is the number of different
//! symbols that followed h. (Bell, Cleary and Witten, *Text Compression*, 1990, method C; interpolated as in
//! Chen and Goodman, 1999.)
//!
//! An n-gram model is what a recurrent network replaces: it would take V^(n−1) contexts to know them all, and
//! [`OrderReport`] sets those that a text really has beside that number.
//!
//! # Conventions
//! Perplexity is exp(−1/m Σ ln p) over the m tokens of the held-out text that have one before it: all but its
//! first. Contexts never reach back into the training text; near the start of the held-out text they are
//! shorter, and a model of order n is then the model of the highest order whose context is there. All
//! arithmetic is `f64`.
//!
//! # Example
//! ```
//! use recurve::host::baseline::NGram;
//!
//! // 0 1 0 1 0: 1 followed 0 twice, 0 followed 1 twice.
//! let model = NGram::train(&[0, 1, 0, 1, 0], 2, 2)?;
//! // c(0) = 3 and t() = 2, so p_1(0) = (3 + 2/2) / (5 + 2); c(1 0) = 2 and t(1) = 1.
//! let p_1 = 4.0 / 7.0;
//! assert!((model.probability(&[1], 0) - (2.0 + p_1) / 3.0).abs() < 1e-12);
//! # Ok::<(), recurve::host::baseline::BaselineError>(())
//! ```

use core::iter;
use std::vec::Vec;

/// The highest order that [`NGram::train`] accepts. Memory is at most about 26 bytes per training token and
/// order.
pub const MAX_ORDER: usize = 64;

/// Why there is no n-gram model, or no perplexity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BaselineError {
    /// The order is 0 or above [`MAX_ORDER`].
    Order {
        /// The order asked for.
        order: usize,
    },
    /// A token is not below the size of the vocabulary.
    Token {
        /// Index of the token in its slice.
        position: usize,
        /// The token.
        token: u16,
        /// The size of the vocabulary.
        symbols: usize,
    },
    /// The held-out text has no token with one before it.
    TooShort {
        /// Tokens in the held-out text, 0 or 1.
        tokens: usize,
    },
}

impl core::fmt::Display for BaselineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::Order { order } => write!(f, "order {order} is out of range: choose 1 to {MAX_ORDER}"),
            Self::Token { position, token, symbols } => write!(
                f,
                "token {token} at position {position} is outside the vocabulary of {symbols} symbols: \
                 encode the text with the same vocabulary"
            ),
            Self::TooShort { tokens } => write!(
                f,
                "the held-out text has {tokens} tokens and needs 2: use a longer text or hold out more of it"
            ),
        }
    }
}

impl core::error::Error for BaselineError {}

/// What one order achieves on a held-out text, and what it had to store for it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct OrderReport {
    /// The order n: a symbol is predicted from the n − 1 before it.
    pub order: usize,
    /// exp(−1/m Σ ln `p_n`) over the held-out text; see the [conventions](self#conventions).
    pub perplexity: f64,
    /// Different contexts of n − 1 symbols that the training text has (one, the empty context, for order 1).
    pub contexts: usize,
    /// Contexts that there could be: V^(n−1).
    pub possible_contexts: f64,
}

/// Trains on `train` and measures every order from 1 to `order` on `valid`; one report per order, ascending.
///
/// `symbols` is V, the size of the vocabulary: all tokens are below it.
///
/// # Errors
/// Those of [`NGram::train`] and [`NGram::perplexities`].
pub fn perplexities(
    train: &[u16],
    valid: &[u16],
    symbols: usize,
    order: usize,
) -> Result<Vec<OrderReport>, BaselineError> {
    let model = NGram::train(train, symbols, order)?;
    let report = |(perplexity, order)| OrderReport {
        order,
        perplexity,
        contexts: model.contexts(order),
        possible_contexts: (1..order).map(|_| symbols as f64).product(),
    };
    Ok(model.perplexities(valid)?.into_iter().zip(1..).map(report).collect())
}

/// Interpolated Witten–Bell models of all orders up to N, from one pass over one text.
///
/// Contexts form a tree: a context's parent is the context without its oldest symbol. So the contexts of one
/// prediction, from the empty one to the longest, are a path from the root, in the order in which the formula
/// needs them. The tree is kept as one sorted table per length.
#[derive(Clone, Debug)]
pub struct NGram {
    symbols: usize,
    order: usize,
    /// `levels[n]`: the contexts of n symbols. Ends early when the training text has no longer ones.
    levels: Vec<Level>,
}

/// All contexts of one length; a context's id is its index in `keys`.
#[derive(Clone, Debug)]
struct Level {
    /// Parent and oldest symbol of each context, as [`key`] packs them; ascending.
    keys: Vec<u64>,
    /// The symbols that followed context `id` are `next[starts[id]..starts[id + 1]]`, so t(h) is a
    /// difference.
    starts: Vec<usize>,
    /// The symbols that followed each context, ascending within it.
    next: Vec<u16>,
    /// Σ c over the entries of `next` before this one; one more at the end, so c(h w) and c(h) are
    /// differences.
    before: Vec<usize>,
}

/// A context's id and a symbol in one number that sorts by context first.
fn key(id: u64, symbol: u16) -> u64 {
    id << 16 | u64::from(symbol)
}

impl NGram {
    /// Counts all contexts of `tokens` for the orders up to `order`; `symbols` is the size of the vocabulary.
    ///
    /// An empty text is allowed; every order is then uniform.
    ///
    /// # Errors
    /// [`BaselineError::Order`] if `order` is 0 or above [`MAX_ORDER`], [`BaselineError::Token`] if a token
    /// is not below `symbols`.
    pub fn train(tokens: &[u16], symbols: usize, order: usize) -> Result<Self, BaselineError> {
        if order == 0 || order > MAX_ORDER {
            return Err(BaselineError::Order { order });
        }
        check(tokens, symbols)?;
        Ok(Self { symbols, order, levels: levels(tokens, order) })
    }

    /// The highest order.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// The size of the vocabulary.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.symbols
    }

    /// Different contexts of the training text that a model of this order stores for itself: those of `order`
    /// − 1 symbols. 0 for orders that are not there.
    #[must_use]
    pub fn contexts(&self, order: usize) -> usize {
        order.checked_sub(1).and_then(|n| self.levels.get(n)).map_or(0, |level| level.keys.len())
    }

    /// `p_N(token | context)`, of the highest order N.
    ///
    /// `context` is the text so far, oldest token first; only its last N − 1 tokens count, and it may be
    /// shorter. Over the vocabulary the probabilities sum to one; a token outside it has probability 0.
    #[must_use]
    pub fn probability(&self, context: &[u16], token: u16) -> f64 {
        self.probabilities(context, token).fold(0.0, |_, p| p)
    }

    /// `p_n(token | context)` for n = 0, 1, …, N: N + 1 numbers, the arguments as for
    /// [`probability`](Self::probability).
    pub fn probabilities(&self, context: &[u16], token: u16) -> impl Iterator<Item = f64> {
        let inside = usize::from(token) < self.symbols;
        let mut p = if inside { 1.0 / self.symbols as f64 } else { 0.0 };
        let mut older = context.iter().rev();
        let mut id = Some(0);
        iter::once(p).chain((0..self.order).map(move |n| {
            let level = self.levels.get(n);
            if n > 0 {
                id =
                    id.zip(older.next()).zip(level).and_then(|((id, &symbol), level)| level.find(id, symbol));
            }
            if let (Some(level), Some(id), true) = (level, id, inside) {
                p = level.interpolate(id, token, p);
            }
            p
        }))
    }

    /// The perplexity of every order, from 1 to N, on `text`; see the [conventions](self#conventions).
    ///
    /// # Errors
    /// [`BaselineError::TooShort`] if `text` has fewer than two tokens, [`BaselineError::Token`] if one is
    /// outside the vocabulary.
    pub fn perplexities(&self, text: &[u16]) -> Result<Vec<f64>, BaselineError> {
        check(text, self.symbols)?;
        if text.len() < 2 {
            return Err(BaselineError::TooShort { tokens: text.len() });
        }
        let mut log_p = std::vec![0.0; self.order];
        for (t, &token) in text.iter().enumerate().skip(1) {
            for (sum, p) in log_p.iter_mut().zip(self.probabilities(&text[..t], token).skip(1)) {
                *sum += p.ln();
            }
        }
        let m = (text.len() - 1) as f64;
        Ok(log_p.into_iter().map(|sum: f64| (-sum / m).exp()).collect())
    }
}

/// That every token is below `symbols`.
fn check(tokens: &[u16], symbols: usize) -> Result<(), BaselineError> {
    match tokens.iter().position(|&token| usize::from(token) >= symbols) {
        Some(position) => Err(BaselineError::Token { position, token: tokens[position], symbols }),
        None => Ok(()),
    }
}

/// The tables of all context lengths below `order`: positions are sorted by the empty context, then by one
/// symbol more to the past at a time.
fn levels(tokens: &[u16], order: usize) -> Vec<Level> {
    let mut levels = Vec::new();
    // A context and a position that it precedes.
    let mut places: Vec<(u64, usize)> = (0..tokens.len()).map(|i| (0, i)).collect();
    for n in 0..order.min(tokens.len()) {
        if n > 0 {
            places.retain(|&(_, i)| i >= n);
            for (id, i) in &mut places {
                *id = key(*id, tokens[*i - n]);
            }
            places.sort_unstable_by_key(|&(key, _)| key);
        }
        let keys = rank(&mut places);
        let mut pairs: Vec<u64> = places.iter().map(|&(id, i)| key(id, tokens[i])).collect();
        pairs.sort_unstable();
        levels.push(Level::new(keys, &pairs));
    }
    levels
}

/// Replaces sorted keys by their ranks among the different ones, which it returns.
fn rank(places: &mut [(u64, usize)]) -> Vec<u64> {
    let mut keys = Vec::new();
    for (id, same) in (0..).zip(places.chunk_by_mut(|a, b| a.0 == b.0)) {
        keys.push(same[0].0);
        same.iter_mut().for_each(|place| place.0 = id);
    }
    keys
}

impl Level {
    /// `pairs` are (context, symbol that followed it), once for each time it did, packed by [`key`] and
    /// sorted.
    fn new(keys: Vec<u64>, pairs: &[u64]) -> Self {
        let (mut starts, mut next, mut before) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = 0;
        for of_context in pairs.chunk_by(|a, b| a >> 16 == b >> 16) {
            starts.push(next.len());
            for same in of_context.chunk_by(|a, b| a == b) {
                next.push(same[0] as u16);
                before.push(seen);
                seen += same.len();
            }
        }
        starts.push(next.len());
        before.push(seen);
        Self { keys, starts, next, before }
    }

    /// The id of the context that has this parent and this oldest symbol.
    fn find(&self, parent: u64, oldest: u16) -> Option<u64> {
        self.keys.binary_search(&key(parent, oldest)).ok().map(|id| id as u64)
    }

    /// `p_n(token | id)` from `lower`, the probability of the order below.
    fn interpolate(&self, id: u64, token: u16, lower: f64) -> f64 {
        let (start, end) = (self.starts[id as usize], self.starts[id as usize + 1]);
        let c_hw = match self.next[start..end].binary_search(&token) {
            Ok(j) => self.before[start + j + 1] - self.before[start + j],
            Err(_) => 0,
        };
        let (c_h, t_h) = ((self.before[end] - self.before[start]) as f64, (end - start) as f64);
        (c_hw as f64 + t_h * lower) / (c_h + t_h)
    }
}

#[cfg(test)]
mod tests;
