/* The sound model: log-mel, then convolutions, matrix products and means, step by step as
 * monitor/classifiers/network/ has laid them out. Maps lie in memory as (window, frame, band, channel).
 *
 * Other than the rest of the kernels these sums may be fused: as with any library of matrix products, the last bits
 * differ from one kind of machine to another.
 */
#include "transform.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#define UNROLLED _Pragma("clang loop unroll(full)")
#define SCALAR _Pragma("clang loop vectorize(disable) unroll(disable)")
#else
#define UNROLLED _Pragma("GCC unroll 32")
#define SCALAR
#endif

#if defined __AVX512F__
#define WIDTH 16 /* floats in a register */
#define ROWS 12  /* of a product that are added up at once, each PANEL wide: what the registers hold */
#define ROW_PANELS 4 /* the same of a single row */
#elif defined __AVX__
#define WIDTH 8
#define ROWS 6
#define ROW_PANELS 4
#elif defined __aarch64__
#define WIDTH 4
#define ROWS 6
#define ROW_PANELS 4
#else
#define WIDTH 4
#define ROWS 3
#define ROW_PANELS 2
#endif
#define PANEL (WIDTH > 8 ? 2 * WIDTH : 16) /* columns of a product that lie together */
#define VECTORS (PANEL / WIDTH)
#define FFT 512
#define FRAME 400
#define MOST_INNER 1024 /* of a product */
#if defined __F16C__ || defined __aarch64__
#define HALF _Float16 /* has instructions that widen it: half as much memory to read */
#endif

typedef float Vector __attribute__((vector_size(4 * WIDTH)));
typedef int32_t Whole __attribute__((vector_size(4 * WIDTH)));
typedef float Eight __attribute__((vector_size(32)));

enum { LOG_MEL, STEM, DEPTHWISE, PRODUCT, MEAN, SCALE, ACTIVATE };
enum { AS_IT_IS, RECTIFIED, HARD_SWISH, SIGMOID };

/* One step. What `n` means is written at each kind's function. */
typedef struct {
    int32_t kind, act;
    int32_t n[10];
    const void *weights;
    const float *bias;
    int64_t from, beside, to; /* places in the arena; -1: none */
} Step;

INLINE Vector loaded(const float *from)
{
    Vector x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

INLINE void store(float *to, Vector x)
{
    __builtin_memcpy(to, &x, sizeof x);
}

INLINE Vector chosen(Whole where, Vector a, Vector b)
{
    return (Vector)((where & (Whole)a) | (~where & (Whole)b));
}

INLINE Vector at_least(Vector x, float least)
{
    const Vector limit = (Vector){0} + least;
    return chosen(x > limit, x, limit);
}

INLINE Vector at_most(Vector x, float most)
{
    const Vector limit = (Vector){0} + most;
    return chosen(x < limit, x, limit);
}

/* e^x as in Cephes' expf. */
INLINE Vector exponential(Vector x)
{
    x = at_most(at_least(x, -87.0f), 87.0f);
    const Vector magic = (Vector){0} + 12582912.0f;
    const Vector shifted = x * 1.44269504f + magic, count = shifted - magic;
    x = x - count * 0.693359375f + count * 2.12194440e-4f;
    Vector p = x * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * x + 8.3334519073e-3f;
    p = p * x + 4.1665795894e-2f;
    p = p * x + 1.6666665459e-1f;
    p = p * x + 5.0000001201e-1f;
    p = p * x * x + x + 1.0f;
    const Whole power = (((Whole)shifted - 0x4b400000) + 127) << 23;
    return p * (Vector)power;
}

INLINE Vector activated(Vector x, int act)
{
    if (act == RECTIFIED)
        return at_least(x, 0.0f);
    if (act == HARD_SWISH)
        return x * at_most(at_least(x * (1.0f / 6.0f) + 0.5f, 0.0f), 1.0f);
    if (act == SIGMOID)
        return 1.0f / (1.0f + exponential(-x));
    return x;
}

/* Weights from number `at` on, of which `halves` says how they are kept. */
INLINE Vector weights_at(const void *weights, int64_t at, int halves)
{
#ifdef HALF
    if (halves) {
        typedef HALF Halves __attribute__((vector_size(2 * WIDTH)));
        Halves x;
        __builtin_memcpy(&x, (const HALF *)weights + at, sizeof x);
        return __builtin_convertvector(x, Vector);
    }
#else
    (void)halves;
#endif
    return loaded((const float *)weights + at);
}

/* Half a register. */
INLINE void store_eight(float *to, const float *from, const float *beside)
{
    Eight x, added;
    __builtin_memcpy(&x, from, sizeof x);
    if (beside) {
        __builtin_memcpy(&added, beside, sizeof added);
        x += added;
    }
    __builtin_memcpy(to, &x, sizeof x);
}

/* `rows` rows of a product with the first `vectors` of one panel. */
INLINE void product_tile(int rows, int vectors, int halves, const float *a, int inner, const void *panel, const float *bias,
                         int act, int columns, const float *beside, float *to, int wide)
{
    Vector sum[ROWS][VECTORS];
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++)
            sum[r][v] = loaded(bias + v * WIDTH);
    for (int k = 0; k < inner; k++) {
        Vector w[VECTORS];
        UNROLLED for (int v = 0; v < vectors; v++)
            w[v] = weights_at(panel, k * PANEL + v * WIDTH, halves);
        UNROLLED for (int r = 0; r < rows; r++)
            UNROLLED for (int v = 0; v < vectors; v++)
                sum[r][v] += a[r * inner + k] * w[v];
    }
    UNROLLED for (int r = 0; r < rows; r++)
        UNROLLED for (int v = 0; v < vectors; v++) {
            Vector y = activated(sum[r][v], act);
            const int at = r * wide + v * WIDTH;
            if (columns - v * WIDTH >= WIDTH) {
                store(to + at, beside ? y + loaded(beside + at) : y);
                continue;
            }
            int c = 0;
            for (; c + 8 <= columns - v * WIDTH; c += 8)
                store_eight(to + at + c, (const float *)&y + c, beside ? beside + at + c : 0);
            SCALAR for (; c < columns - v * WIDTH; c++)
                to[at + c] = y[c] + (beside ? beside[at + c] : 0.0f);
        }
}

#ifdef HALF
/* One panel widened, `count` times PANEL, while what lies behind it is fetched. */
INLINE void widen(const HALF *from, int count, float *to)
{
    for (int i = 0; i < count; i++, from += PANEL, to += PANEL) {
        __builtin_prefetch(from + count * PANEL);
        UNROLLED for (int v = 0; v < VECTORS; v++)
            store(to + v * WIDTH, weights_at(from, v * WIDTH, 1));
    }
}
#endif

/* A single row with several whole panels: of one alone each sum would wait for itself. */
INLINE void product_row(int halves, const float *a, int inner, const void *weights, int64_t first, const float *bias, int act,
                        const float *beside, float *to)
{
    Vector sum[ROW_PANELS][VECTORS];
    UNROLLED for (int p = 0; p < ROW_PANELS; p++)
        UNROLLED for (int v = 0; v < VECTORS; v++)
            sum[p][v] = loaded(bias + p * PANEL + v * WIDTH);
    for (int k = 0; k < inner; k++)
        UNROLLED for (int p = 0; p < ROW_PANELS; p++)
            UNROLLED for (int v = 0; v < VECTORS; v++)
                sum[p][v] += a[k] * weights_at(weights, (first + p * PANEL) * inner + k * PANEL + v * WIDTH, halves);
    UNROLLED for (int p = 0; p < ROW_PANELS; p++)
        UNROLLED for (int v = 0; v < VECTORS; v++) {
            const Vector y = activated(sum[p][v], act);
            const int at = p * PANEL + v * WIDTH;
            store(to + at, beside ? y + loaded(beside + at) : y);
        }
}

/* The rows of a product with one panel. */
INLINE void product_panel(int vectors, int halves, int rows, const float *a, int inner, const void *panel, const float *bias,
                          int act, int columns, const float *beside, float *to, int wide)
{
    int tiles = (rows + ROWS - 1) / ROWS;
    for (int row = 0, count; row < rows; row += count, tiles--) {
        count = (rows - row + tiles - 1) / tiles;
#define TILE(n) case n: product_tile(n, vectors, halves, a, inner, panel, bias, act, columns, beside, to, wide); break;
        switch (count) {
            TILE(1) TILE(2) TILE(3)
#if ROWS > 3
            TILE(4) TILE(5) TILE(6)
#endif
#if ROWS > 6
            TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#endif
        }
        a += count * inner;
        to += count * wide;
        beside = beside ? beside + count * wide : 0;
    }
}

/* n: rows, inner, columns, whether weights are kept as halves. Weights: panels of PANEL columns,
 * (panels, inner, PANEL); bias (panels * PANEL). */
static void put_product(const Step *step, const float *from, const float *beside, float *to)
{
    const int rows = step->n[0], inner = step->n[1], wide = step->n[2], halves = step->n[3];
    int first = 0;
    for (; rows == 1 && wide - first >= ROW_PANELS * PANEL; first += ROW_PANELS * PANEL) {
        const float *added = beside ? beside + first : 0;
        if (halves)
            product_row(1, from, inner, step->weights, first, step->bias + first, step->act, added, to + first);
        else
            product_row(0, from, inner, step->weights, first, step->bias + first, step->act, added, to + first);
    }
    for (; first < wide; first += PANEL) {
        const void *panel = (const float *)step->weights + (int64_t)first * inner;
        const float *added = beside ? beside + first : 0;
        const int columns = wide - first < PANEL ? wide - first : PANEL;
#define WITH_PANEL(vectors, halves) \
    product_panel(vectors, halves, rows, from, inner, panel, step->bias + first, step->act, columns, added, to + first, wide)
#ifdef HALF
        float widened[MOST_INNER * PANEL];
        if (halves) {
            panel = (const HALF *)step->weights + (int64_t)first * inner;
            if (rows <= ROWS || WIDTH > 8) { /* each weight is used once */
                if (columns <= PANEL / 2)
                    WITH_PANEL((VECTORS + 1) / 2, 1);
                else
                    WITH_PANEL(VECTORS, 1);
                continue;
            }
            widen(panel, inner, widened);
            panel = widened;
        }
#endif
        if (columns <= PANEL / 2)
            WITH_PANEL((VECTORS + 1) / 2, 0);
        else
            WITH_PANEL(VECTORS, 0);
    }
}

/* A map that is convolved channel by channel, of one window. */
typedef struct {
    int frames, bands, channels, kernel, stride, out_frames, out_bands, act;
    const float *weights, *bias;
} Depthwise;

#define MOST_OUTS 13
#define SHAPE(outs, kernel, stride, right) ((((outs) * 8 + (kernel)) * 4 + (stride)) * 4 + (right))

/* How many bands out of a frame are computed at once: they divide it. */
INLINE int outs_of(int bands)
{
    return bands <= MOST_OUTS ? bands : bands % MOST_OUTS ? 0 : MOST_OUTS;
}

/* How many taps of the last band out lie behind the map. */
INLINE int behind(const Depthwise *d)
{
    const int taps = (d->out_bands - 1) * d->stride - d->kernel / 2 + d->kernel - d->bands;
    return taps > 0 ? taps : 0;
}

#define Some Eight
#define NAMED(name) name##_eight
#include "depthwise.h"
#undef Some
#undef NAMED
#if WIDTH > 8
#define Some Vector
#define NAMED(name) name##_vector
#include "depthwise.h"
#undef Some
#undef NAMED
#endif

/* n: windows, frames, bands, channels, kernel, stride, frames out, bands out. Weights (kernel, kernel, channels), the
 * kernel's frames before its bands. */
static void put_depthwise(const Step *step, const float *from, float *to)
{
    const int32_t *n = step->n;
    const Depthwise d = {n[1], n[2], n[3], n[4], n[5], n[6], n[7], step->act, step->weights, step->bias};
    for (int window = 0; window < n[0]; window++) {
        int c = 0;
#if WIDTH > 8
        for (; d.channels - c >= WIDTH; c += WIDTH)
            put_map_vector(&d, from + c, d.weights + c, d.bias + c, to + c);
#endif
        for (; c < d.channels; c += 8)
            put_map_eight(&d, from + c, d.weights + c, d.bias + c, to + c);
        from += d.frames * d.bands * d.channels;
        to += d.out_frames * d.out_bands * d.channels;
    }
}

/* One channel in. n: windows, frames, bands, channels (eight), kernel (three), stride, frames out, bands out. */
static void put_stem(const Step *step, const float *from, float *to)
{
    const int32_t *n = step->n;
    const int frames = n[1], bands = n[2], stride = n[5];
    Eight bias, w[9];
    __builtin_memcpy(&bias, step->bias, sizeof bias);
    __builtin_memcpy(w, step->weights, sizeof w);
    for (int window = 0; window < n[0]; window++, from += frames * bands)
        for (int f = 0; f < n[6]; f++)
            for (int b = 0; b < n[7]; b++, to += 8) {
                Eight sum = bias;
                for (int i = 0; i < 3; i++) {
                    const int at = f * stride - 1 + i;
                    if (at < 0 || at >= frames)
                        continue;
                    for (int j = 0; j < 3; j++) {
                        const int band = b * stride - 1 + j;
                        if (band >= 0 && band < bands)
                            sum += from[at * bands + band] * w[3 * i + j];
                    }
                }
                sum = activated_eight(sum, step->act);
                __builtin_memcpy(to, &sum, sizeof sum);
            }
}

/* n: outer, count, channels: means over `count`. Channels are whole eights. */
static void put_mean(const Step *step, const float *from, float *to)
{
    const int count = step->n[1], channels = step->n[2];
    const float share = 1.0f / (float)count;
    for (int outer = 0; outer < step->n[0]; outer++, from += count * channels, to += channels)
        for (int c = 0; c < channels; c += 8) {
            Eight sum = {0}, x;
            for (int i = 0; i < count; i++) {
                __builtin_memcpy(&x, from + i * channels + c, sizeof x);
                sum += x;
            }
            sum *= share;
            __builtin_memcpy(to + c, &sum, sizeof sum);
        }
}

/* n: windows, places, channels: each channel of a window times one number, where it lies. */
static void scale(const Step *step, const float *factors, float *map)
{
    const int places = step->n[1], channels = step->n[2];
    for (int window = 0; window < step->n[0]; window++, factors += channels)
        for (int place = 0; place < places; place++, map += channels)
            for (int c = 0; c < channels; c += 8) {
                Eight x, y;
                __builtin_memcpy(&x, map + c, sizeof x);
                __builtin_memcpy(&y, factors + c, sizeof y);
                x *= y;
                __builtin_memcpy(map + c, &x, sizeof x);
            }
}

/* n: how many. Whole registers are written: every value has room for whole lines of the caches. */
static void activate(const Step *step, const float *from, float *to)
{
    for (int i = 0; i < step->n[0]; i += WIDTH)
        store(to + i, activated(loaded(from + i), step->act));
}

/* Natural logarithm of positive numbers, in place. */
static void put_logarithms(float *values, int count, float scale, float shift)
{
    for (int i = 0; i < count; i++) {
        float power;
        const float logarithm = mantissa_logarithm(values[i], &power);
        values[i] = (logarithm + 0.693147181f * power) * scale + shift;
    }
}

/* The sum of many numbers: eight at a time, as far as single precision is good for, then in double. */
static double sum_of(const float *values, int count)
{
    double sum = 0;
    int i = 0;
    while (count - i >= 8) {
        const int end = count - i < 1024 ? count - 7 : i + 1024;
        Eight some = {0}, x;
        for (; i < end; i += 8) {
            __builtin_memcpy(&x, values + i, sizeof x);
            some += x;
        }
        for (int l = 0; l < 8; l++)
            sum += some[l];
    }
    for (; i < count; i++)
        sum += values[i];
    return sum;
}

/* What a filter of the mel scale takes: bins from `first` on, `count` of them. */
typedef struct { int32_t first, count; } Span;

/* Mel power of up to twice WAYS frames, of which `real` and `imaginary` hold half each. */
static void put_mels(const float *wave, float offset, int frame, int frames, const float *hann, const float *turns,
                     const Span *spans, const float *filters, int mels, float *to)
{
    Cell first[FFT], second[FFT];
    Lanes power[2][FFT / 2 + 1];
    int begins[2 * WAYS];
    for (int l = 0; l < 2 * WAYS; l++)
        begins[l] = HOP * (frame + l < frames ? frame + l : frames - 1);
    for (int i = 0; i < FRAME; i++) {
        for (int l = 0; l < WAYS; l++) {
            first[i].re[l] = wave[begins[l] + i];
            first[i].im[l] = wave[begins[WAYS + l] + i];
        }
        first[i].re = (first[i].re - offset) * hann[i];
        first[i].im = (first[i].im - offset) * hann[i];
    }
    for (int i = FRAME; i < FFT; i++)
        first[i] = (Cell){{0}, {0}};
    const Cell *z = transformed(first, second, FFT, turns);
    for (int k = 0; k <= FFT / 2; k++) {
        const Cell a = z[k], b = z[(FFT - k) % FFT];
        const Lanes ar = a.re + b.re, ai = a.im - b.im, br = a.im + b.im, bi = b.re - a.re;
        power[0][k] = 0.25f * (ar * ar + ai * ai);
        power[1][k] = 0.25f * (br * br + bi * bi);
    }
    for (int m = 0; m < mels; m++) {
        Lanes sum[2] = {{0}, {0}};
        for (int i = 0; i < spans[m].count; i++, filters++) {
            sum[0] += *filters * power[0][spans[m].first + i];
            sum[1] += *filters * power[1][spans[m].first + i];
        }
        for (int l = 0; l < 2 * WAYS && frame + l < frames; l++)
            to[(frame + l) * mels + m] = sum[l / WAYS][l % WAYS];
    }
}

/* n: windows, samples, frames, mels. Weights: Hann (FRAME), turns (3 / 2 * FFT), filters one after the other; `bias`:
 * absolute floor, one by the mean power, relative floor, scale, shift, and the filters' spans. */
static void put_log_mel(const Step *step, const float *wave, float *to)
{
    const int samples = step->n[1], frames = step->n[2], mels = step->n[3];
    const float *hann = step->weights, *turns = hann + FRAME, *filters = turns + 3 * FFT / 2, *numbers = step->bias;
    for (int window = 0; window < step->n[0]; window++, wave += samples, to += frames * mels) {
        const float offset = (float)(sum_of(wave, samples) / samples);
        for (int frame = 0; frame < frames; frame += 2 * WAYS)
            put_mels(wave, offset, frame, frames, hann, turns, (const Span *)(numbers + 5), filters, mels, to);
        const float level = ((float)(sum_of(to, frames * mels) / (frames * mels)) + numbers[0]) * numbers[1];
        for (int i = 0; i < frames * mels; i++)
            to[i] = to[i] / level + numbers[2];
        put_logarithms(to, frames * mels, numbers[3], numbers[4]);
    }
}

/* Columns of a product that lie together. */
EXPORT int32_t panel_columns(void)
{
    return PANEL;
}

/* Whether weights of products can be kept as halves. */
EXPORT int32_t takes_halves(void)
{
#ifdef HALF
    return 1;
#else
    return 0;
#endif
}

/* All steps, one after the other, over the `arena` in which they have their places. */
EXPORT void hear(const Step *steps, int32_t count, float *arena)
{
    for (const Step *step = steps; step < steps + count; step++) {
        const float *from = arena + step->from, *beside = step->beside < 0 ? 0 : arena + step->beside;
        float *to = arena + step->to;
        switch (step->kind) {
        case LOG_MEL: put_log_mel(step, from, to); break;
        case STEM: put_stem(step, from, to); break;
        case DEPTHWISE: put_depthwise(step, from, to); break;
        case PRODUCT: put_product(step, from, beside, to); break;
        case MEAN: put_mean(step, from, to); break;
        case SCALE: scale(step, from, to); break;
        case ACTIVATE: activate(step, from, to); break;
        }
    }
}
