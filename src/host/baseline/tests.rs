//! Probabilities by hand, by the plain formula, and at the edges.

use super::*;
use proptest::prelude::*;
use std::string::ToString;

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

#[test]
fn hand_computed() {
    // a b a c a b: c(a) = 3, c(b) = 2, c(c) = 1; after a: b, c, b; after b: a; after c: a.
    let model = NGram::train(&[0, 1, 0, 2, 0, 1], 4, 3).unwrap();
    let p_1 = |c: f64| (c + 3.0 / 4.0) / 9.0;
    close(model.probability(&[], 0), p_1(3.0));
    close(model.probability(&[], 3), p_1(0.0));
    let p_2 = (2.0 + 2.0 * p_1(2.0)) / 5.0;
    close(model.probability(&[0], 1), p_2);
    // "b a" was seen before c only, "c a" before b only, "d a" never.
    close(model.probability(&[1, 0], 1), (0.0 + p_2) / 2.0);
    close(model.probability(&[2, 0], 1), (1.0 + p_2) / 2.0);
    close(model.probability(&[3, 0], 1), p_2);
    // Only the last two symbols count.
    close(model.probability(&[3, 1, 2, 0], 1), (1.0 + p_2) / 2.0);
    assert_eq!([0, 1, 2, 3, 4].map(|n| model.contexts(n)), [0, 1, 3, 4, 0]);
}

#[test]
fn order_zero_and_an_empty_text_are_uniform() {
    let model = NGram::train(&[0, 1, 0], 5, 2).unwrap();
    assert_eq!(model.probabilities(&[0], 4).next(), Some(0.2));
    let empty = NGram::train(&[], 5, 3).unwrap();
    assert!(empty.probabilities(&[0, 1], 4).eq([0.2; 4]));
    empty.perplexities(&[4, 1, 2]).unwrap().into_iter().for_each(|x| close(x, 5.0));
}

#[test]
fn a_cycle_is_learnt() {
    let cycle: Vec<u16> = (0..30_000).map(|i| i % 3).collect();
    let reports = perplexities(&cycle, &cycle[..999], 3, 4).unwrap();
    close(reports[0].perplexity, 3.0);
    assert!(reports[1..].iter().all(|r| r.perplexity > 1.0 && r.perplexity < 1.001));
    assert!(reports.iter().map(|r| (r.order, r.contexts)).eq([(1, 1), (2, 3), (3, 3), (4, 3)]));
    assert!(reports.iter().map(|r| r.possible_contexts).eq([1.0, 3.0, 9.0, 27.0]));
}

#[test]
fn the_first_held_out_token_is_only_context() {
    let train = [0, 1, 0, 1, 1];
    let model = NGram::train(&train, 2, 3).unwrap();
    let reports = perplexities(&train, &[1, 0], 2, 3).unwrap();
    close(reports[0].perplexity, 1.0 / model.probability(&[], 0));
    close(reports[2].perplexity, 1.0 / model.probability(&[1], 0));
}

#[test]
fn the_largest_vocabulary() {
    let model = NGram::train(&[65_535, 0, 65_534, 65_535, 0], 65_536, 3).unwrap();
    let total: f64 = (0..=u16::MAX).map(|w| model.probability(&[65_535, 0], w)).sum();
    assert!((total - 1.0).abs() < 1e-9, "{total}");
    assert!(model.probability(&[65_535, 0], 65_534) > 0.5);
}

#[test]
fn errors_say_what_to_do() {
    let order = |n| NGram::train(&[0], 1, n).map(|_| ());
    assert_eq!(order(0), Err(BaselineError::Order { order: 0 }));
    assert_eq!(order(MAX_ORDER), Ok(()));
    assert!(order(MAX_ORDER + 1).is_err());
    let outside = perplexities(&[0, 1], &[1, 2], 2, 1).unwrap_err();
    assert_eq!(outside, BaselineError::Token { position: 1, token: 2, symbols: 2 });
    assert!(outside.to_string().contains("token 2 at position 1"));
    assert_eq!(perplexities(&[0], &[0], 1, 1), Err(BaselineError::TooShort { tokens: 1 }));
}

/// The formula by counting, without tables.
fn naive(tokens: &[u16], symbols: usize, context: &[u16], w: u16, order: usize) -> f64 {
    let Some(n) = order.checked_sub(1) else { return 1.0 / symbols as f64 };
    let lower = naive(tokens, symbols, context, w, n);
    let Some(h) = context.len().checked_sub(n).map(|from| &context[from..]) else { return lower };
    let after: Vec<u16> = tokens.windows(n + 1).filter(|g| &g[..n] == h).map(|g| g[n]).collect();
    if after.is_empty() {
        return lower;
    }
    let t_h = (0..symbols as u16).filter(|s| after.contains(s)).count() as f64;
    let c_hw = after.iter().filter(|&&s| s == w).count() as f64;
    (c_hw + t_h * lower) / (after.len() as f64 + t_h)
}

proptest! {
    #[test]
    fn sums_to_one_and_equals_the_formula(
        tokens in prop::collection::vec(0u16..4, 0..60),
        context in prop::collection::vec(0u16..6, 0..8),
        order in 1usize..6,
    ) {
        let model = NGram::train(&tokens, 5, order).unwrap();
        let p: Vec<f64> = (0..5).map(|w| model.probability(&context, w)).collect();
        prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (w, &p) in (0..).zip(&p) {
            prop_assert!((p - naive(&tokens, 5, &context, w, order)).abs() < 1e-12);
        }
        prop_assert_eq!(model.probability(&context, 5), 0.0);
        prop_assert_eq!(model.probability(&context, u16::MAX), 0.0);
    }
}
