/* Depthwise windows in the vectors of vector.h. */
WH_INLINE void block_of(const wh_depthwise *d, const int pixels, ptrdiff_t c, const int64_t part) {
  vf sum[WH_DEPTHWISE_PIXELS];
  vf bias = {0};
  if (d->bias) bias = part ? v_load_part(d->bias + c, part) : v_load(d->bias + c);
  WH_UNROLL
  for (int i = 0; i < pixels; i++) sum[i] = bias;
  for (int32_t kd = 0; kd < d->taps[0]; kd++) {
    for (int32_t kh = 0; kh < d->taps[1]; kh++) {
      const float *x = d->x + kd * d->x_tap[0] + kh * d->x_tap[1] + c;
      const float *w = d->w + kd * d->w_tap[0] + kh * d->w_tap[1] + c;
      for (int32_t kw = 0; kw < d->taps[2]; kw++, x += d->x_tap[2], w += d->w_tap[2]) {
        vf weight = part ? v_load_part(w, part) : v_load(w);
        WH_UNROLL
        for (int i = 0; i < pixels; i++) {
          const float *at = x + i * d->x_pixel;
          sum[i] = v_fma(part ? v_load_part(at, part) : v_load(at), weight, sum[i]);
        }
      }
    }
  }
  const vf low = v_all(d->low), high = v_all(d->high);
  WH_UNROLL
  for (int i = 0; i < pixels; i++) {
    const ptrdiff_t at = i * d->channels + c;
    vf y = sum[i];
    if (d->residual) y += part ? v_load_part(d->residual + at, part) : v_load(d->residual + at);
    y = v_at_most(high, v_at_least(low, y));
    if (part)
      v_store_part(d->y + at, y, part);
    else
      v_store(d->y + at, y);
  }
}

WH_INLINE void run_of(const wh_depthwise *d, const int pixels) {
  ptrdiff_t c = 0;
  for (; c + WH_LANES <= d->channels; c += WH_LANES) block_of(d, pixels, c, 0);
  if (c == d->channels) return;
  if (WH_LANES > 4) { /* masked, so as fast as whole vectors */
    block_of(d, pixels, c, d->channels - c);
    return;
  }
  wh_depthwise one = *d;
  for (int i = 0; i < pixels; i++) {
    block_of(&one, 1, c, d->channels - c);
    one.x += d->x_pixel;
    one.y += d->channels;
    if (one.residual) one.residual += d->channels;
  }
}

WH_INLINE void any_run(const wh_depthwise *d) {
  if (d->pixels == WH_DEPTHWISE_PIXELS) {
    run_of(d, WH_DEPTHWISE_PIXELS);
    return;
  }
  wh_depthwise one = *d;
  for (int i = 0; i < d->pixels; i++) {
    run_of(&one, 1);
    one.x += d->x_pixel;
    one.y += d->channels;
    if (one.residual) one.residual += d->channels;
  }
}
