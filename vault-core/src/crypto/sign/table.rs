//! Multiples of a public key, made once, so that its many signatures cost additions and no doublings.
//!
//! [`RFC 8032`](https://www.rfc-editor.org/rfc/rfc8032) asks for `R = sB - kA`. With `j * 2^(W i) * P` at hand for every
//! window `i` of `W` bits and every digit `j`, a product with P is one addition a window (the fixed-base windowing method:
//! Brickell, Gordon, McCurley and Wilson, EUROCRYPT '92). Everything here is public, so nothing runs in constant time.

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use std::sync::OnceLock;

/// Bits of a window over a device's key: 43 windows of 32 points, 215 KiB a key.
const KEY_WINDOW: u32 = 6;

/// Bits of a window over the base point: 32 windows of 128 points, 640 KiB once.
const BASE_WINDOW: u32 = 8;

/// The multiples of one point.
pub(super) struct Table {
    window: u32,
    /// By window, then by digit from 1 to half of 2^window.
    multiples: Vec<EdwardsPoint>,
}

impl Table {
    /// Makes the table of a public key.
    pub(super) fn of_key(point: EdwardsPoint) -> Self {
        Self::new(point, KEY_WINDOW)
    }

    fn new(point: EdwardsPoint, window: u32) -> Self {
        let half = 1usize << (window - 1);
        let mut multiples = Vec::with_capacity(half * windows(window));
        let mut first = point;
        for _ in 0..windows(window) {
            let mut multiple = first;
            multiples.push(multiple);
            for _ in 1..half {
                multiple += first;
                multiples.push(multiple);
            }
            first = multiple + multiple;
        }
        Self { window, multiples }
    }

    /// Adds `scalar * P` to `sum`, or takes it away.
    fn add_to(&self, mut sum: EdwardsPoint, scalar: &Scalar, negative: bool) -> EdwardsPoint {
        let half = 1usize << (self.window - 1);
        let rows = self.multiples.chunks_exact(half);
        for (row, digit) in rows.zip(digits(scalar, self.window)) {
            let Some(multiple) = usize::from(digit.unsigned_abs())
                .checked_sub(1)
                .and_then(|at| row.get(at))
            else {
                continue;
            };
            if (digit < 0) == negative {
                sum += multiple;
            } else {
                sum -= multiple;
            }
        }
        sum
    }
}

/// Returns `sB - kA`, A being the table's point.
pub(super) fn expected(key: &Table, k: &Scalar, s: &Scalar) -> EdwardsPoint {
    static BASE: OnceLock<Table> = OnceLock::new();
    let base = BASE.get_or_init(|| Table::new(ED25519_BASEPOINT_POINT, BASE_WINDOW));
    let sum = base.add_to(EdwardsPoint::identity(), s, false);
    key.add_to(sum, k, true)
}

/// How many windows a scalar, below 2^253, has.
const fn windows(window: u32) -> usize {
    256_u32.div_ceil(window) as usize
}

/// Takes a scalar apart into signed digits, from `-half` to `half - 1`, the lowest first.
fn digits(scalar: &Scalar, window: u32) -> impl Iterator<Item = i16> {
    let bytes = scalar.to_bytes();
    let bits = move |from: usize| {
        let low = bytes.get(from / 8).copied().unwrap_or(0);
        let high = bytes.get(from / 8 + 1).copied().unwrap_or(0);
        u16::from_le_bytes([low, high]) >> (from % 8)
    };
    let mask = (1u16 << window) - 1;
    let half = 1i16 << (window - 1);
    let mut carry = 0;
    // The highest digit is below half, because the scalar is below 2^253: no carry is left over.
    (0..windows(window)).map(move |at| {
        let digit = (bits(at * window as usize) & mask).cast_signed() + carry;
        carry = i16::from(digit >= half);
        digit - (carry << window)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scalars() -> impl Strategy<Value = Scalar> {
        let highest = Scalar::ZERO - Scalar::ONE;
        prop_oneof![
            8 => any::<[u8; 32]>().prop_map(Scalar::from_bytes_mod_order),
            1 => (0u64..300).prop_map(Scalar::from),
            1 => (0u64..300).prop_map(move |n| highest - Scalar::from(n)),
            1 => (0u8..=255).prop_map(|byte| Scalar::from_bytes_mod_order([byte; 32])),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_sum_of_digits_is_the_product(s in scalars(), k in scalars(), key in scalars()) {
            let point = ED25519_BASEPOINT_POINT * key;
            let table = Table::of_key(point);
            let wanted = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-k, &point, &s);
            prop_assert_eq!(expected(&table, &k, &s), wanted);
        }
    }

    #[test]
    fn a_key_with_a_part_of_small_order_is_multiplied_by_the_very_integer() {
        // For such a key k and k - l differ: -k must be taken as a subtraction, never as a scalar.
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT * Scalar::from(9u8) + torsion;
            let k = Scalar::from_bytes_mod_order([0xa7; 32]);
            let wanted = EdwardsPoint::vartime_double_scalar_mul_basepoint(&k, &-point, &Scalar::from(5u8));
            assert_eq!(expected(&Table::of_key(point), &k, &Scalar::from(5u8)), wanted);
        }
    }
}
