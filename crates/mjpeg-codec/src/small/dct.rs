//! The forward DCT, with the quantization.

use crate::jpeg::quantization::{self, ZIGZAG};

/// One block: 8 rows of 8.
pub(super) type Block = [f32; 64];

/// Quantizes what [`transform`] returns.
#[derive(Debug)]
pub(super) struct Quantizer {
    /// As a DQT segment has it, in zigzag order.
    pub(super) table: [u8; 64],
    /// By what a coefficient in natural order is multiplied, given in zigzag order.
    factors: [f32; 64],
}

impl Quantizer {
    /// Scales a table of T.81 annex K to quality 35, as libjpeg does.
    const fn new(base: &[u8; 64]) -> Self {
        let mut table = [0; 64];
        let mut factors = [0.0; 64];
        let mut at = 0;
        while at < 64 {
            let natural = ZIGZAG[at] as usize;
            let step = (base[natural] as u32 * SCALE_PERCENT + 50) / 100;
            table[at] = step as u8;
            let scale = AAN_SCALE[natural / 8] * AAN_SCALE[natural % 8];
            factors[at] = 1.0 / (step as f32 * scale * 8.0);
            at += 1;
        }
        Self { table, factors }
    }

    /// Quantizes a transformed block to zigzag order.
    pub(super) fn quantize(&self, block: &Block) -> [i16; 64] {
        std::array::from_fn(|at| {
            let value = block[usize::from(ZIGZAG[at])] * self.factors[at];
            // Rounds without a call: the sum is positive.
            ((value + 16_384.5) as i32 - 16_384) as i16
        })
    }
}

/// Transforms a block of samples around 0, by the method of Arai, Agui and Nakajima, which leaves
/// each coefficient scaled.
pub(super) fn transform(block: &mut Block) {
    for row in block.as_chunks_mut::<8>().0 {
        *row = transform_8(*row);
    }
    for column in 0..8 {
        let samples = std::array::from_fn(|row| block[8 * row + column]);
        for (row, value) in transform_8(samples).into_iter().enumerate() {
            block[8 * row + column] = value;
        }
    }
}

/// Transforms eight samples.
#[inline(always)]
fn transform_8(s: [f32; 8]) -> [f32; 8] {
    let (sum_07, difference_07) = (s[0] + s[7], s[0] - s[7]);
    let (sum_16, difference_16) = (s[1] + s[6], s[1] - s[6]);
    let (sum_25, difference_25) = (s[2] + s[5], s[2] - s[5]);
    let (sum_34, difference_34) = (s[3] + s[4], s[3] - s[4]);

    let (even_0, even_3) = (sum_07 + sum_34, sum_07 - sum_34);
    let (even_1, even_2) = (sum_16 + sum_25, sum_16 - sum_25);
    let rotated = (even_2 + even_3) * COS_4;

    let odd_0 = difference_34 + difference_25;
    let odd_1 = (difference_25 + difference_16) * COS_4;
    let odd_2 = difference_16 + difference_07;
    let common = (odd_0 - odd_2) * COS_6;
    let low = COS_2_MINUS_6 * odd_0 + common;
    let high = COS_2_PLUS_6 * odd_2 + common;
    let (near, far) = (difference_07 + odd_1, difference_07 - odd_1);

    [
        even_0 + even_1,
        near + high,
        even_3 + rotated,
        far - low,
        even_0 - even_1,
        far + low,
        even_3 - rotated,
        near - high,
    ]
}

/// For brightness, and RGB.
pub(super) static LUMINANCE: Quantizer = Quantizer::new(&quantization::LUMINANCE);

pub(super) static CHROMINANCE: Quantizer = Quantizer::new(&quantization::CHROMINANCE);

/// Of quality 35: 5000 / 35. So a hundred pictures of 1080p frames twice a second, which is what a
/// wall of small tiles shows, take less than 1 MB per second (docs/small.md).
const SCALE_PERCENT: u32 = 142;

/// The scale that the transform leaves in each row and column: 1 for the first, else the square
/// root of 2 times the cosine of so many sixteenths of pi.
const AAN_SCALE: [f32; 8] = [
    1.0,
    1.387_039_8,
    1.306_563,
    1.175_875_6,
    1.0,
    0.785_694_96,
    0.541_196_1,
    0.275_899_38,
];

/// The cosines of 4 and 6 sixteenths of pi; those of 2 and 6 subtracted and added.
const COS_4: f32 = std::f32::consts::FRAC_1_SQRT_2;
const COS_6: f32 = 0.382_683_43;
const COS_2_MINUS_6: f32 = 0.541_196_1;
const COS_2_PLUS_6: f32 = 1.306_563;

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// The transform by its definition (T.81 A.3.3).
    fn slow(block: &Block, v: usize, u: usize) -> f64 {
        let norm = |frequency| if frequency == 0 { 0.5f64.sqrt() } else { 1.0 };
        let cosine = |at: usize, frequency: usize| {
            ((2 * at + 1) as f64 * frequency as f64 * PI / 16.0).cos()
        };
        let mut sum = 0.0;
        for (at, &sample) in block.iter().enumerate() {
            sum += f64::from(sample) * cosine(at / 8, v) * cosine(at % 8, u);
        }
        sum * norm(u) * norm(v) / 4.0
    }

    #[test]
    fn coefficients_are_those_of_the_definition() {
        for seed in 0..50u32 {
            let sample = |at| (seed * 977 + at as u32 * (seed * 31 + 7919)) % 256;
            let block: Block = std::array::from_fn(|at| sample(at) as f32 - 128.0);
            let mut transformed = block;
            transform(&mut transformed);
            let quantized = LUMINANCE.quantize(&transformed);
            for (at, &natural) in ZIGZAG.iter().enumerate() {
                let natural = usize::from(natural);
                let exact = slow(&block, natural / 8, natural % 8);
                let expected = exact / f64::from(LUMINANCE.table[at]);
                let got = f64::from(quantized[at]);
                assert!(
                    (got - expected).abs() < 0.501,
                    "{seed} {at}: {got} {expected}"
                );
            }
        }
    }
}
