/* Where a sound repeats itself: one buffer again and again (monitor/gate/loops.py), or the periods of a voice
 * (monitor/gate/voice.py). */
#include "kernel.h"

#define NEEDLE 64     /* samples looked for */
#define PLACES 16     /* looked at together */
#define DECIMATION 4  /* to 4 kHz */
#define SLOW 240      /* samples of two frames at 4 kHz */
#define LONGEST 57    /* of a period, at 4 kHz: a deep voice at 70 Hz (men speak at 85 to 180 Hz) */
#define WINDOW (SLOW - LONGEST) /* what is compared with itself a period later */
#define LAGS (LONGEST + 1)
#define WAYS 8 /* partial sums, in lanes */

typedef float Lanes __attribute__((vector_size(4 * WAYS)));
typedef int32_t Whole __attribute__((vector_size(4 * WAYS)));

INLINE Lanes lanes(const float *from)
{
    Lanes x;
    __builtin_memcpy(&x, from, sizeof x);
    return x;
}

/* Of each lane that of `a` where the mask is set, else that of `b`. */
INLINE Lanes chosen(Whole mask, Lanes a, Lanes b) { return (Lanes)((mask & (Whole)a) | (~mask & (Whole)b)); }

INLINE float apart(float a, float b) { return a > b ? a - b : b - a; }

/* Whether the first three samples of the needle may be at any of `PLACES` places. Of quiet sound every other sixteen have
 * its first, for there are few steps; hardly any its first three. */
INLINE int may_be_at_any(const float *hay, const float *needle, float tolerance)
{
    Whole near = {0};
    int any = 0;
    for (int i = 0; i < PLACES; i += WAYS) {
        Whole all = (Whole){0} - 1;
        for (int j = 0; j < 3; j++)
            all &= (Lanes)((Whole)(lanes(hay + i + j) - needle[j]) & 0x7fffffff) <= tolerance;
        near |= all;
    }
    for (int j = 0; j < WAYS; j++)
        any |= near[j];
    return any;
}

/* Places of `hay` where all of the needle is, within the tolerance: how many are in `found`, at most `most`, the last
 * one first. `count` places can be one. */
EXPORT int32_t find_needle(const float *hay, int32_t count, const float *needle, float tolerance, int32_t *found,
                           int32_t most)
{
    int32_t places = 0;
    for (int32_t block = (count - 1) / PLACES * PLACES; block >= 0 && places < most; block -= PLACES) {
        const int last = count - block < PLACES ? count - block : PLACES;
        if (last == PLACES && !may_be_at_any(hay + block, needle, tolerance))
            continue;
        for (int i = last - 1; i >= 0 && places < most; i--) {
            int j = 0;
            while (j < NEEDLE && apart(hay[block + i + j], needle[j]) <= tolerance)
                j++;
            if (j == NEEDLE)
                found[places++] = block + i;
        }
    }
    return places;
}

/* Which of some frames has the widest swing; the first of those that have. */
EXPORT int32_t widest_frame(const float *samples, int32_t frames)
{
    int32_t widest = 0;
    float most = -1;
    for (int32_t frame = 0; frame < frames; frame++, samples += FRAME_SAMPLES) {
        Lanes low = lanes(samples), high = low;
        for (int i = WAYS; i < FRAME_SAMPLES; i += WAYS) {
            const Lanes x = lanes(samples + i);
            low = chosen(x < low, x, low);
            high = chosen(x > high, x, high);
        }
        for (int j = 1; j < WAYS; j++) {
            low[0] = low[j] < low[0] ? low[j] : low[0];
            high[0] = high[j] > high[0] ? high[j] : high[0];
        }
        if (high[0] - low[0] > most) {
            most = high[0] - low[0];
            widest = frame;
        }
    }
    return widest;
}

/* Normalised autocorrelation at 4 kHz, squared with its sign: no root is needed to compare. */
static void put_similarity(const float *samples, double *similarity)
{
    float slow[SLOW], mean = 0;
    for (int i = 0; i < SLOW; i++, samples += DECIMATION) {
        slow[i] = ((samples[0] + samples[1]) + (samples[2] + samples[3])) * 0.25f;
        mean += slow[i];
    }
    mean /= SLOW;
    for (int i = 0; i < SLOW; i++)
        slow[i] -= mean;
    double energy = 0;
    for (int i = 0; i < WINDOW; i++)
        energy += (double)slow[i] * slow[i];
    const double own = energy;
    for (int lag = 0; lag < LAGS; lag++) {
        Lanes sums = {0};
        float rest = 0;
        int i = 0;
        for (; i + WAYS <= WINDOW; i += WAYS)
            sums += lanes(slow + i) * lanes(slow + lag + i);
        for (; i < WINDOW; i++)
            rest += slow[i] * slow[lag + i];
        const double sum =
            rest + (((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])));
        similarity[lag] = (sum < 0 ? -sum : sum) * sum / (energy * own + 1e-20);
        if (lag + 1 < LAGS)
            energy += (double)slow[lag + WINDOW] * slow[lag + WINDOW] - (double)slow[lag] * slow[lag];
    }
}

/* The shortest period of two frames, in samples at 4 kHz, nearly as good as the best; 0 where even that is too unlike.
 * `periodic` and `as_good` are squares of correlations. */
EXPORT int32_t find_period(const float *samples, float periodic, float as_good)
{
    double similarity[LAGS], best = periodic;
    int32_t is_peak[LAGS] = {0}, any = 0;
    put_similarity(samples, similarity);
    for (int lag = 1; lag + 1 < LAGS; lag++) {
        is_peak[lag] = similarity[lag] > similarity[lag - 1] && similarity[lag] >= similarity[lag + 1];
        if (is_peak[lag] && similarity[lag] >= best) {
            best = similarity[lag];
            any = 1;
        }
    }
    for (int lag = 1; any && lag + 1 < LAGS; lag++)
        if (is_peak[lag] && similarity[lag] >= as_good * best)
            return lag;
    return 0;
}
