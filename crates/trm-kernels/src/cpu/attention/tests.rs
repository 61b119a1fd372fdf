//! Attention and its gradients against their formulas in f64.

use half::bf16;
use proptest::prelude::*;

use super::*;
use crate::cpu::{Isa, Scratch, testing::numbers};

/// By the book, in f64: the answer, and the gradients of queries, keys and values.
fn plain(head: &Head, qkv: &[f64], angles: Option<&[f64]>, grad: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let Head { len, width, stride, first } = *head;
    let half = width / 2;
    let turn = |rows: &mut Vec<f64>, direction: f64| {
        let Some(angles) = angles else { return };
        for (row, angles) in rows.chunks_mut(width).zip(angles.chunks(half)) {
            for (i, angle) in angles.iter().enumerate() {
                let (sin, cos) = (direction * angle).sin_cos();
                (row[i], row[half + i]) =
                    (row[i] * cos - row[half + i] * sin, row[half + i] * cos + row[i] * sin);
            }
        }
    };
    let part = |index: usize| -> Vec<f64> {
        (0..len).flat_map(|row| qkv[row * stride + first[index]..][..width].to_vec()).collect()
    };
    let (mut query, mut key, value) = (part(0), part(1), part(2));
    turn(&mut query, 1.0);
    turn(&mut key, 1.0);
    let scale = 1.0 / (width as f64).sqrt();
    let dot = |a: &[f64], i: usize, b: &[f64], j: usize| -> f64 {
        (0..width).map(|f| a[i * width + f] * b[j * width + f]).sum()
    };
    let mut out = vec![0.0; len * width];
    let (mut d_query, mut d_key, mut d_value) = (out.clone(), out.clone(), out.clone());
    for i in 0..len {
        let scores: Vec<f64> = (0..len).map(|j| (dot(&query, i, &key, j) * scale).exp()).collect();
        let sum: f64 = scores.iter().sum();
        let shares: Vec<f64> = scores.iter().map(|score| score / sum).collect();
        let d_shares: Vec<f64> = (0..len).map(|j| dot(grad, i, &value, j)).collect();
        let along: f64 = shares.iter().zip(&d_shares).map(|(share, d_share)| share * d_share).sum();
        for j in 0..len {
            let d_score = shares[j] * (d_shares[j] - along) * scale;
            for f in 0..width {
                out[i * width + f] += shares[j] * value[j * width + f];
                d_value[j * width + f] += shares[j] * grad[i * width + f];
                d_query[i * width + f] += d_score * key[j * width + f];
                d_key[j * width + f] += d_score * query[i * width + f];
            }
        }
    }
    turn(&mut d_query, -1.0);
    turn(&mut d_key, -1.0);
    (out, [d_query, d_key, d_value].concat())
}

fn agrees<T: Element>(len: usize, width: usize, heads: usize, rotated: bool, tolerance: f64) {
    let stride = 3 * heads * width;
    let head = Head::new(heads - 1, heads, len, width);
    let qkv = numbers::<T>(len * stride, 1);
    let grad = numbers::<T>(len * width, 2);
    let angles: Vec<f64> = (0..len * width / 2).map(|i| (i * i) as f64 * 0.37).collect();
    let table = |f: fn(f64) -> f64| -> Vec<f32> {
        angles.chunks(width / 2).flat_map(|row| [row, row].concat()).map(|angle| f(angle) as f32).collect()
    };
    let (cos, sin) = (table(f64::cos), table(f64::sin));
    let rotation = rotated.then_some(Rotation { cos: &cos, sin: &sin });
    let exact = |numbers: &[T]| -> Vec<f64> { numbers.iter().map(|x| f64::from(x.to_f32())).collect() };
    let (expected, d_parts) = plain(&head, &exact(&qkv), rotated.then_some(&angles[..]), &exact(&grad));

    let d_expected: Vec<f64> = (0..len)
        .flat_map(|row| (0..3).flat_map(move |part| (0..width).map(move |i| (part * len + row) * width + i)))
        .map(|index| d_parts[index])
        .collect();

    for isa in Isa::all() {
        let mut out = vec![T::default(); len * width];
        let mut log_sums = vec![f32::NAN; len];
        attention(isa, &head, &qkv, rotation, (&mut out, width), &mut log_sums, &mut Scratch::default());
        let (mut d_qkv, d_place) = (vec![T::from_f32(7.0); 3 * len * width], Head::new(0, 1, len, width));
        let rows = |numbers| Rows::contiguous(numbers, len, width);
        let answer = Answer { out: rows(&out), log_sums: &log_sums, grad: rows(&grad) };
        attention_backward(
            isa,
            &head,
            &qkv,
            rotation,
            answer,
            (&mut d_qkv, &d_place),
            &mut Scratch::default(),
        );
        for (ours, expected) in exact(&out).iter().zip(&expected) {
            assert!((ours - expected).abs() < tolerance, "{isa:?}: {ours} {expected}");
        }
        for (ours, expected) in exact(&d_qkv).iter().zip(&d_expected) {
            assert!((ours - expected).abs() < tolerance, "{isa:?} backward: {ours} {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn attention_agrees(len in 1usize..320, half in 1usize..40, heads in 1usize..3, rotated: bool) {
        agrees::<f32>(len, 2 * half, heads, rotated, 2e-5);
        agrees::<bf16>(len, 2 * half, heads, rotated, 0.1);
    }
}
