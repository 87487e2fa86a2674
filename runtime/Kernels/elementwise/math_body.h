/* Elementary functions in the vectors of vector.h, about 1 ulp, for every input. */

/* 2^n, n = -151 ... 128, in two factors so that results round once into subnormals and infinity. */
#if WH_LANES == 16
WH_INLINE vf v_scale(vf x, vi n) {
  return (vf)_mm512_scalef_ps((__m512)x, _mm512_cvtepi32_ps((__m512i)n));
}
#else
WH_INLINE vf v_scale(vf x, vi n) {
  vi half = n >> 1;
  x = x * (vf)((half + 127) << 23);
  return x * (vf)((n - half + 127) << 23);
}
#endif

/* x = n ln 2 + r: r + r^2 q(r) = e^r - 1. */
WH_INLINE vf v_exp_parts(vf x, vi *n) {
  x = v_at_most(v_all(89.0f), v_at_least(v_all(-105.0f), x));
  vf shifted = x * 1.44269504f + 12582912.0f;
  vf whole = shifted - 12582912.0f;
  *n = (vi)shifted - 0x4B400000;
  vf r = x - whole * 0.693359375f - whole * -2.12194440e-4f;
  vf q = v_all(1.9875691500e-4f);
  q = q * r + 1.3981999507e-3f;
  q = q * r + 8.3334519073e-3f;
  q = q * r + 4.1665795894e-2f;
  q = q * r + 1.6666665459e-1f;
  q = q * r + 5.0000001201e-1f;
  return q * (r * r) + r;
}

WH_INLINE vf v_exp(vf x) {
  vi n;
  vf part = v_exp_parts(x, &n);
  return v_scale(part + 1.0f, n);
}

/* From e = v_exp(2 |x|). */
WH_INLINE vf v_tanh_of(vf x, vf e) {
  vf z = x * x;
  vf p = v_all(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  vf near = p * z * x + x;
  vf far = 1.0f - 2.0f / (e + 1.0f);
  return v_select(v_abs(x) < 0.625f, near, v_sign_of(far, x));
}

/* Two minimax polynomials, split at 475/512; the outer one is of -ln(1 - erf). */
WH_INLINE vf v_erf_exponent(vf x) {
  vf t = v_abs(x), s = x * x;
  vf r = t * -1.72853470e-5f + 3.83197126e-4f;
  vf u = t * -3.88396438e-3f + 2.42546219e-2f;
  r = r * s + u;
  r = r * t - 1.06777877e-1f;
  r = r * t - 6.34846687e-1f;
  r = r * t - 1.28717512e-1f;
  r = r * t - t;
  return v_select(t > 10.0f, v_all(-100.0f), r);
}

/* From e = v_exp(v_erf_exponent(x)). */
WH_INLINE vf v_erf_of(vf x, vf e) {
  vf s = x * x, far = v_sign_of(1.0f - e, x);
  vf p = v_all(-5.96761703e-4f);
  p = p * s + 4.99119423e-3f;
  p = p * s - 2.67681349e-2f;
  p = p * s + 1.12819925e-1f;
  p = p * s - 3.76125336e-1f;
  p = p * s + 1.28379166e-1f;
  vf near = p * x + x;
  return v_select(v_abs(x) > 0.927734375f, far, v_select(x == x, near, x));
}

/* x times the normal distribution's cumulative share below it, 1/2 + t P(t^2) / Q(t^2): minimax
 * within 7e-9 on -5.5 ... 5.5, where it ends in exactly 0 and 1. */
WH_INLINE vf v_gelu(vf x) {
  vf t = v_at_most(v_all(5.5f), v_at_least(v_all(-5.5f), x)), s = t * t;
  vf p = s * 2.27495391e-08f + 6.35211018e-06f;
  vf q = s * 1.19750837e-06f + 7.36470174e-05f;
  p = p * s + 1.68824103e-04f;
  q = q * s + 1.88443565e-03f;
  p = p * s + 4.67725098e-03f;
  q = q * s + 2.86457799e-02f;
  p = p * s + 3.38524915e-02f;
  q = q * s + 2.51521528e-01f;
  p = p * s + 3.98942262e-01f;
  q = q * s + 1.0f;
  return x * (t * p / q + 0.5f);
}
