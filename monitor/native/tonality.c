/* How tonal ten frames are: see monitor/gate/tonality.py. Windows of 480 samples are transformed side by side, one lane
 * each; the window of ten frames is ten of them, of every tenth sample, put together. */
#include "transform.h"

#define FRAMES 10
#define LONG (FRAMES * FRAME_SAMPLES)
#define BANDS 8 /* that flatness is taken in */
#define SHORT_BINS (FRAME_SAMPLES / 2 + 1)
#define ROW (SHORT_BINS + 7)
#define WHOLE_BINS (LONG / 2 + 1)
#define TINY 1e-20f /* so that silence has a logarithm */
#define PARTS 8 /* sums taken side by side */

/* Between the steps of one call: all sources share one. */
typedef struct {
    Cell first[2 * ROW], second[FRAME_SAMPLES];
    float re[FRAMES + 2][ROW], im[FRAMES + 2][ROW]; /* of the ten transforms; with room for whole fours */
    float power[WHOLE_BINS + PARTS], logarithm[WHOLE_BINS + PARTS];
} Scratch;

struct Tonality {
    const float *short_shape, *long_shape; /* windows of both lengths */
    const float *circle;                   /* e^(-2 pi i k / LONG), real and imaginary parts in turn */
    Scratch *scratch;
    double noise_flatness;
};

/* Sums over some spectra, and over their bands: all power, that of the bands, means and geometric means. */
typedef struct { double all, high, means, flats; } Sums;

EXPORT int32_t tonality_bytes(void) { return sizeof(Scratch); }

/* e^(-2 pi i k / FRAME_SAMPLES) */
INLINE const float *turn_of(const float *circle, int k) { return circle + 2 * FRAMES * (k % FRAME_SAMPLES); }

INLINE Cell turned(Lanes re, Lanes im, const float *by)
{
    return (Cell){by[0] * re - by[1] * im, by[0] * im + by[1] * re};
}

/* A pass of Stockham's transform of an odd radix: sums and differences of what lies alike from either end. */
INLINE void odd_pass(int radix, const Cell *x, Cell *y, int left, int stride, const float *circle)
{
    const int m = left / radix, apart = stride * m;
    for (int p = 0; p < m; p++)
        for (int q = 0; q < stride; q++) {
            const Cell *from = x + q + stride * p;
            Cell *to = y + q + stride * radix * p;
            Cell whole = from[0];
            for (int j = 1; j < radix; j++)
                whole = (Cell){whole.re + from[j * apart].re, whole.im + from[j * apart].im};
            to[0] = whole;
            for (int i = 1; i <= radix / 2; i++) {
                Lanes re = from[0].re, im = from[0].im, across_re = {0}, across_im = {0};
                for (int j = 1; j <= radix / 2; j++) {
                    const Cell a = from[j * apart], b = from[(radix - j) * apart];
                    const float *by = turn_of(circle, FRAME_SAMPLES / radix * (i * j % radix));
                    re += by[0] * (a.re + b.re);
                    im += by[0] * (a.im + b.im);
                    across_re -= by[1] * (a.im - b.im);
                    across_im += by[1] * (a.re - b.re);
                }
                to[i * stride] = turned(re + across_re, im + across_im, turn_of(circle, p * i * stride));
                to[(radix - i) * stride] =
                    turned(re - across_re, im - across_im, turn_of(circle, p * (radix - i) * stride));
            }
        }
}

/* 480 = 4 * 4 * 2 * 3 * 5. The result is in `y`. */
static void transform(Cell *x, Cell *y, const float *circle)
{
    int left = FRAME_SAMPLES, stride = 1;
    for (int pass = 0; pass < 2; pass++, left /= 4, stride *= 4) {
        const int m = left / 4;
        for (int p = 0; p < m; p++) {
            float w[6];
            for (int j = 1; j < 4; j++)
                __builtin_memcpy(w + 2 * (j - 1), turn_of(circle, p * j * stride), 2 * sizeof *w);
            butterflies(x + stride * p, stride * m, y + stride * 4 * p, stride, w);
        }
        Cell *swap = x;
        x = y;
        y = swap;
    }
    for (int p = 0; p < left / 2; p++)
        for (int q = 0; q < stride; q++) {
            const Cell a = x[q + stride * p], b = x[q + stride * (p + left / 2)];
            y[q + stride * 2 * p] = (Cell){a.re + b.re, a.im + b.im};
            y[q + stride * (2 * p + 1)] = turned(a.re - b.re, a.im - b.im, turn_of(circle, p * stride));
        }
    odd_pass(3, y, x, left / 2, stride * 2, circle);
    odd_pass(5, x, y, left / 6, stride * 6, circle);
}

/* The lanes of a cell, real and then imaginary ones, are windows: so many. */
#define TOGETHER (2 * WAYS)

/* Spectra of the windows that the first cells hold, from number `first` on. */
static void put_spectra(Scratch *s, const float *circle, int first, int count)
{
    Cell *x = s->first, *z = s->second;
    transform(x, z, circle);
    for (int k = 0; k < SHORT_BINS; k++) {
        const Cell a = z[k], b = z[(FRAME_SAMPLES - k) % FRAME_SAMPLES];
        x[k] = (Cell){0.5f * (a.re + b.re), 0.5f * (a.im + b.im)};
        x[ROW + k] = (Cell){0.5f * (a.im - b.im), 0.5f * (b.re - a.re)};
    }
    for (int k = 0; k < SHORT_BINS; k += 4)
        for (int l = 0; l < TOGETHER && first + l < count; l += 4) {
            turn((float *)(x + k) + l, TOGETHER, s->re[first + l] + k, ROW);
            turn((float *)(x + ROW + k) + l, TOGETHER, s->im[first + l] + k, ROW);
        }
}

/* Four samples of a frame, shaped; nothing where there is no such frame. */
INLINE Four shaped(const Tonality *t, const float *samples, int i, int frame, int count)
{
    return frame < count ? four(samples + frame * FRAME_SAMPLES + i) * four(t->short_shape + i) : (Four){0};
}

/* Spectra of up to FRAMES frames, one by one. */
static void put_frames(const Tonality *t, const float *samples, int count)
{
    for (int first = 0; first < count; first += TOGETHER) {
        for (int i = 0; i < FRAME_SAMPLES; i += 4)
            for (int l = 0; l < TOGETHER; l += 4) {
                const int f = first + l;
                put_turned_four(shaped(t, samples, i, f, count), shaped(t, samples, i, f + 1, count),
                                shaped(t, samples, i, f + 2, count), shaped(t, samples, i, f + 3, count),
                                (float *)(t->scratch->first + i) + l, TOGETHER);
            }
        put_spectra(t->scratch, t->circle, first, count);
    }
}

/* Spectra of every tenth sample of a block, from each of its first ten on. */
static void put_tenths(const Tonality *t, const float *samples)
{
    for (int first = 0; first < FRAMES; first += TOGETHER) {
        for (int i = 0; i < FRAME_SAMPLES; i++) {
            float *into = (float *)(t->scratch->first + i);
            const float *from = samples + i * FRAMES + first, *shape = t->long_shape + i * FRAMES + first;
            for (int l = 0; l < TOGETHER; l++)
                into[l] = first + l < FRAMES ? from[l] * shape[l] : 0;
        }
        put_spectra(t->scratch, t->circle, first, FRAMES);
    }
}

/* The sum of `count` numbers. */
INLINE double sum_of(const float *values, int count)
{
    float parts[PARTS] = {0};
    int i = 0;
    for (; i + PARTS <= count; i += PARTS)
        for (int j = 0; j < PARTS; j++)
            parts[j] += values[i + j];
    double sum = 0;
    for (; i < count; i++)
        sum += values[i];
    for (int j = 0; j < PARTS; j++)
        sum += parts[j];
    return sum;
}

/* e^x, x up to 80: as in Cephes' expf. */
INLINE float exponential(float x)
{
    const float count = (float)(int)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
    x = x - count * 0.693359375f + count * 2.12194440e-4f;
    float p = x * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * x + 8.3334519073e-3f;
    p = p * x + 4.1665795894e-2f;
    p = p * x + 1.6666665459e-1f;
    p = p * x + 5.0000001201e-1f;
    p = p * x * x + x + 1.0f;
    const int32_t bits = ((int32_t)count + 127) << 23;
    float power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* Add the spectrum in `scratch->power` to the sums: what is above 100 Hz, and eight bands above 400 Hz. */
static void add_spectrum(Scratch *s, int bins, int lowest, int first, Sums *sums)
{
    const int width = (bins - first) / BANDS;
    for (int k = 0; k < bins; k++) {
        float power;
        const float logarithm = mantissa_logarithm(s->power[k], &power);
        s->logarithm[k] = logarithm + 0.693147181f * power;
    }
    sums->all += sum_of(s->power + lowest, bins - lowest);
    for (int band = 0; band < BANDS; band++, first += width) {
        const double high = sum_of(s->power + first, width);
        sums->high += high;
        sums->means += high / width;
        sums->flats += exponential((float)(sum_of(s->logarithm + first, width) / width));
    }
}

/* Frames one by one, up to FRAMES of them. */
static void add_frames(const Tonality *t, const float *samples, int count, Sums *sums)
{
    Scratch *s = t->scratch;
    put_frames(t, samples, count);
    for (int frame = 0; frame < count; frame++) {
        for (int k = 0; k < SHORT_BINS; k++)
            s->power[k] = s->re[frame][k] * s->re[frame][k] + s->im[frame][k] * s->im[frame][k] + TINY;
        add_spectrum(s, SHORT_BINS, 3, 12, sums);
    }
}

/* All frames as one: bin k + 480 q of the whole is the sum of the ten transforms' bins k, each turned. The upper half mirrors
 * the lower one. */
static void add_whole(const Tonality *t, const float *samples, Sums *sums)
{
    Scratch *s = t->scratch;
    put_tenths(t, samples);
    for (int r = 1; r < FRAMES; r++)
        for (int k = 0; k < SHORT_BINS; k++) {
            const float *by = t->circle + 2 * r * k, re = s->re[r][k], im = s->im[r][k];
            s->re[r][k] = by[0] * re - by[1] * im;
            s->im[r][k] = by[0] * im + by[1] * re;
        }
    for (int q = 0; q < FRAMES; q++) {
        float re[SHORT_BINS], im[SHORT_BINS];
        for (int k = 0; k < SHORT_BINS; k++) {
            re[k] = s->re[0][k];
            im[k] = s->im[0][k];
        }
        for (int r = 1; r < FRAMES; r++) {
            const float *by = t->circle + 2 * (LONG / FRAMES) * (q * r % FRAMES);
            const float c = by[0], d = by[1];
            for (int k = 0; k < SHORT_BINS; k++) {
                re[k] += c * s->re[r][k] - d * s->im[r][k];
                im[k] += c * s->im[r][k] + d * s->re[r][k];
            }
        }
        for (int k = 0; k < SHORT_BINS; k++) {
            const int bin = k + FRAME_SAMPLES * q;
            s->power[bin < WHOLE_BINS ? bin : LONG - bin] = re[k] * re[k] + im[k] * im[k] + TINY;
        }
    }
    add_spectrum(s, WHOLE_BINS, 30, 120, sums);
}

EXPORT double tonal_share(const Tonality *t, const float *block)
{
    Sums frames = {0}, whole = {0};
    add_frames(t, block, FRAMES, &frames);
    add_whole(t, block, &whole);
    const double a = frames.flats / frames.means, b = whole.flats / whole.means;
    const double flatness = (a < b ? a : b) / t->noise_flatness;
    return frames.high / frames.all * (1 - (flatness < 1 ? flatness : 1));
}

/* Of any number of frames. */
EXPORT double flatness(const Tonality *t, const float *samples, int32_t count)
{
    Sums sums = {0};
    for (int first = 0; first < count; first += FRAMES)
        add_frames(t, samples + first * FRAME_SAMPLES, count - first < FRAMES ? count - first : FRAMES, &sums);
    return sums.flats / sums.means;
}
