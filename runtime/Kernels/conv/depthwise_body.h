/* Depthwise windows in the vectors of vector.h, up to WH_PIXELS at once. */
#define WH_PIXELS (WH_LANES > 4 ? 8 : 4)

WH_INLINE vf load_some(const float *p, int64_t part) {
  return part ? v_load_part(p, part) : v_load(p);
}

/* Windows of so many pixels at one vector of channels; part, unless 0: its first ones. Lines of
 * three taps whose pixels are stride taps apart load each x once; stride 0: any taps. */
WH_INLINE void block_of(const wh_depthwise *d, const int pixels, const int stride, ptrdiff_t first,
                        ptrdiff_t c, const int64_t part) {
  vf sum[WH_PIXELS];
  const vf bias = d->bias ? load_some(d->bias + c, part) : (vf){0};
  WH_UNROLL
  for (int i = 0; i < pixels; i++) sum[i] = bias;
  WH_ROLLED
  for (int32_t kd = 0; kd < d->taps[0]; kd++) {
    WH_ROLLED
    for (int32_t kh = 0; kh < d->taps[1]; kh++) {
      const float *x = d->x + first * d->x_pixel + kd * d->x_tap[0] + kh * d->x_tap[1] + c;
      const float *w = d->w + kd * d->w_tap[0] + kh * d->w_tap[1] + c;
      /* Else compilers keep a pointer for every column, and spill them. */
      __asm__("" : "+r"(x), "+r"(w));
      if (stride) {
        const vf weight[3] = {load_some(w, part), load_some(w + d->w_tap[2], part),
                              load_some(w + 2 * d->w_tap[2], part)};
        WH_UNROLL
        for (int j = 0; j < (pixels - 1) * stride + 3; j++, x += d->x_tap[2]) {
          const vf v = load_some(x, part);
          WH_UNROLL
          for (int k = 2; k >= 0; k--) {
            const int i = j - k;
            if (i >= 0 && i % stride == 0 && i / stride < pixels)
              sum[i / stride] = v_fma(v, weight[k], sum[i / stride]);
          }
        }
        continue;
      }
      WH_ROLLED
      for (int32_t kw = 0; kw < d->taps[2]; kw++, x += d->x_tap[2], w += d->w_tap[2]) {
        const vf weight = load_some(w, part);
        const float *at = x;
        WH_UNROLL
        for (int i = 0; i < pixels; i++, at += d->x_pixel)
          sum[i] = v_fma(load_some(at, part), weight, sum[i]);
      }
    }
  }
  const vf low = v_all(d->low), high = v_all(d->high);
  if (d->residual) {
    const float *from = d->residual + first * d->y_pixel + c;
    WH_UNROLL
    for (int i = 0; i < pixels; i++, from += d->y_pixel) sum[i] += load_some(from, part);
  }
  float *to = d->y + first * d->y_pixel + c;
  WH_UNROLL
  for (int i = 0; i < pixels; i++, to += d->y_pixel) {
    const vf y = v_at_most(high, v_at_least(low, sum[i]));
    if (part)
      v_store_part(to, y, part);
    else
      v_store(to, y);
  }
}

/* Whole vectors of channels: by most pixels, then by four, of which the last may be done twice so
 * as to end with the line. */
WH_INLINE void by_groups(const wh_depthwise *whole, const int most, const int stride) {
  wh_depthwise d = *whole;
  for (int32_t line = d.lines; line > 0; line--) {
    for (ptrdiff_t c = 0; c + WH_LANES <= d.channels; c += WH_LANES) {
      ptrdiff_t i = 0;
      if (most > 4) {
        for (; i + most <= d.pixels; i += most) block_of(&d, most, stride, i, c, 0);
      }
      WH_ROLLED
      while (i < d.pixels) {
        if (i + 4 > d.pixels) i = d.pixels - 4;
        block_of(&d, 4, stride, i, c, 0);
        i += 4;
      }
    }
    d.x += d.x_line;
    d.y += d.y_line;
    if (d.residual) d.residual += d.y_line;
  }
}

/* Pixel by pixel; part: fewer channels than a vector. */
WH_INLINE void by_pixels(const wh_depthwise *whole, const bool part) {
  wh_depthwise d = *whole;
  for (int32_t line = d.lines; line > 0; line--) {
    for (ptrdiff_t c = 0; part ? c == 0 : c + WH_LANES <= d.channels; c += WH_LANES) {
      WH_ROLLED
      for (ptrdiff_t i = 0; i < d.pixels; i++) block_of(&d, 1, 0, i, c, part ? d.channels : 0);
    }
    d.x += d.x_line;
    d.y += d.y_line;
    if (d.residual) d.residual += d.y_line;
  }
}

WH_INLINE void lines_of(const wh_depthwise *lines) {
  wh_depthwise d = *lines;
  const int32_t few = d.channels % WH_LANES, whole = (int32_t)(d.channels - few);
  /* Pixels that groups leave: one is quicker by itself, and y in place of a residual is done once.
   */
  const int32_t rest = d.pixels < 4 ? d.pixels : d.residual || d.pixels % 4 == 1 ? d.pixels % 4 : 0;
  d.channels = whole;
  d.pixels -= rest;
  if (d.pixels && whole) {
    if (d.taps[2] == 3 && d.x_pixel == d.x_tap[2])
      by_groups(&d, WH_PIXELS, 1);
    else if (WH_PIXELS > 4 && d.taps[2] == 3 && d.x_pixel == 2 * d.x_tap[2])
      by_groups(&d, 4, 2);
    else
      by_groups(&d, 4, 0);
  }
  if (rest && whole) {
    const ptrdiff_t y = d.pixels * d.y_pixel;
    wh_depthwise last = d;
    last.x += d.pixels * d.x_pixel;
    last.y += y;
    if (d.residual) last.residual += y;
    last.pixels = rest;
    by_pixels(&last, false);
  }
  if (few) {
    wh_depthwise last = *lines;
    last.x += whole;
    last.w += whole;
    last.y += whole;
    if (last.bias) last.bias += whole;
    if (last.residual) last.residual += whole;
    last.channels = few;
    by_pixels(&last, true);
  }
}
