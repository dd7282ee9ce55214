/** Arithmetic that is quick rather than exact. */

const MANTISSA: u32 = 0x007f_ffff;
const ONE: u32 = 0x3f80_0000;

/** Base 2, of a positive number; off by less than 0.01. */
export function log2(x: f32): f32 {
  const bits = reinterpret<u32>(x);
  const exponent = <f32>(<i32>(bits >> 23) - 127);
  const m = reinterpret<f32>((bits & MANTISSA) | ONE);
  return exponent + ((-0.33582878 as f32) * m + (2.0 as f32)) * m - (1.65871759 as f32);
}

/** The same of four. */
export function log2x4(x: v128): v128 {
  const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(x, 23), i32x4.splat(127)));
  const m = v128.or(v128.and(x, i32x4.splat(MANTISSA)), i32x4.splat(ONE));
  const slope = f32x4.add(f32x4.mul(m, f32x4.splat(-0.33582878)), f32x4.splat(2.0));
  return f32x4.add(exponent, f32x4.sub(f32x4.mul(slope, m), f32x4.splat(1.65871759)));
}

/** Of the four parts of a vector. */
export function sum4(v: v128): f32 {
  const halves = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(halves, 0) + f32x4.extract_lane(halves, 1);
}

export function max4(v: v128): f32 {
  const halves = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return max(f32x4.extract_lane(halves, 0), f32x4.extract_lane(halves, 1));
}

export function reversed(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 3, 2, 1, 0);
}
