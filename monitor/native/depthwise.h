/* A map convolved channel by channel, some channels at a time. Included once for each width of register, `Some`: the
 * names of its functions end in NAMED. */

INLINE Some NAMED(activated)(Some x, int act)
{
    typedef __typeof__(x > x) Bits;
    const Some zero = {0};
    if (act == RECTIFIED)
        return (Some)((Bits)x & (x > zero));
    if (act == HARD_SWISH) {
        Some gate = x * (1.0f / 6.0f) + 0.5f;
        const Some one = zero + 1.0f;
        gate = (Some)((Bits)gate & (gate > zero));
        const Bits below = gate < one;
        return x * (Some)((below & (Bits)gate) | (~below & (Bits)one));
    }
    return x;
}

/* All bands out of one frame of a map of any shape: `from` is where the first tap would lie. */
static void NAMED(put_any_frame)(const Depthwise *d, int count, const float *from, const float *weights, const float *bias,
                                 float *to)
{
    for (int b = 0; b < d->out_bands; b++, to += d->channels) {
        const int before = d->kernel / 2 - b * d->stride, left = d->bands + before;
        const int first = before > 0 ? before : 0, end = left < d->kernel ? left : d->kernel;
        Some sum, x, w;
        __builtin_memcpy(&sum, bias, sizeof sum);
        for (int i = 0; i < count; i++)
            for (int tap = first; tap < end; tap++) {
                __builtin_memcpy(&x, from + (i * d->bands + b * d->stride + tap) * d->channels, sizeof x);
                __builtin_memcpy(&w, weights + (i * d->kernel + tap) * d->channels, sizeof w);
                sum += x * w;
            }
        sum = NAMED(activated)(sum, d->act);
        __builtin_memcpy(to, &sum, sizeof sum);
    }
}

/* `outs` successive bands of one frame out, of which the kernel's first `left` taps lie before the map and its last `right`
 * behind it: `from` is where the first tap would lie, `count` frames of the kernel are in the map. */
INLINE void NAMED(put_bands)(const Depthwise *d, int outs, int kernel, int stride, int left, int right, int count,
                             const float *from, const float *weights, const float *bias, float *to)
{
    Some sum[MOST_OUTS];
    UNROLLED for (int o = 0; o < outs; o++)
        __builtin_memcpy(&sum[o], bias, sizeof(Some));
    for (; count > 0; count--) {
        UNROLLED for (int at = left; at < (outs - 1) * stride + kernel - right; at++) {
            Some x, w;
            __builtin_memcpy(&x, from + at * d->channels, sizeof x);
            UNROLLED for (int tap = 0; tap < kernel; tap++) {
                const int o = (at - tap) / stride;
                if (at < tap || (at - tap) % stride || o >= outs)
                    continue;
                __builtin_memcpy(&w, weights + tap * d->channels, sizeof w);
                sum[o] += x * w;
            }
        }
        from += d->bands * d->channels;
        weights += kernel * d->channels;
    }
    UNROLLED for (int o = 0; o < outs; o++) {
        const Some y = NAMED(activated)(sum[o], d->act);
        __builtin_memcpy(to + o * d->channels, &y, sizeof y);
    }
}

/* All bands out of one frame, in blocks of `outs`. `right`: taps of the last one that lie behind the map. */
INLINE void NAMED(put_frame)(const Depthwise *d, int outs, int kernel, int stride, int right, int count, const float *from,
                             const float *weights, const float *bias, float *to)
{
    const int left = kernel / 2, step = outs * stride * d->channels, blocks = d->out_bands / outs;
    if (blocks == 1) {
        NAMED(put_bands)(d, outs, kernel, stride, left, right, count, from, weights, bias, to);
        return;
    }
    NAMED(put_bands)(d, outs, kernel, stride, left, 0, count, from, weights, bias, to);
    for (int block = 1; block < blocks - 1; block++)
        NAMED(put_bands)(d, outs, kernel, stride, 0, 0, count, from + block * step, weights, bias, to + block * outs * d->channels);
    from += (blocks - 1) * step;
    NAMED(put_bands)(d, outs, kernel, stride, 0, right, count, from, weights, bias, to + (blocks - 1) * outs * d->channels);
}

/* Every frame of some channels. */
static void NAMED(put_map)(const Depthwise *d, const float *from, const float *weights, const float *bias, float *to)
{
    const int pad = d->kernel / 2, wide = d->bands * d->channels, right = behind(d);
    for (int f = 0; f < d->out_frames; f++, to += d->out_bands * d->channels) {
        const int f0 = f * d->stride - pad, first = f0 < 0 ? -f0 : 0;
        const int count = (d->frames - f0 < d->kernel ? d->frames - f0 : d->kernel) - first;
        const float *x = from + (f0 + first) * wide - pad * d->channels, *w = weights + first * d->kernel * d->channels;
#define MAPS(outs, kernel, stride, right) \
    case SHAPE(outs, kernel, stride, right): NAMED(put_frame)(d, outs, kernel, stride, right, count, x, w, bias, to); break;
        switch (SHAPE(outs_of(d->out_bands), d->kernel, d->stride, right)) {
            MAPS(13, 3, 1, 1) MAPS(13, 3, 2, 0) MAPS(13, 5, 2, 1) MAPS(13, 5, 1, 2)
            MAPS(7, 3, 2, 1) MAPS(7, 3, 1, 1) MAPS(4, 5, 2, 2) MAPS(4, 5, 1, 2)
        default: NAMED(put_any_frame)(d, count, x, w, bias, to);
        }
#undef MAPS
    }
}
