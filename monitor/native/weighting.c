/* The A-weighted energy of blocks of sound: see monitor/loudness/weighting.py. A lane for each block. */
#include "transform.h"

#define BLOCK 4096
#define STEP 3584      /* samples from one block to the next */
#define TOGETHER 32    /* lines summed before they are added to the sum of all: single precision is enough then */

/* Between the steps of one call: all sources share one. */
typedef struct { Cell first[BLOCK / 2], second[BLOCK / 2]; } Weighing;

EXPORT int32_t weighing_bytes(void) { return sizeof(Weighing); }

/* Some blocks, multiplied by the window, side by side; the last one again where there are not enough. */
static void put_windows(const float *samples, int32_t count, const float *window, float *into)
{
    const float *from[WAYS];
    for (int l = 0; l < WAYS; l++)
        from[l] = samples + STEP * (l < count ? l : count - 1);
    for (int i = 0; i < BLOCK; i += 4) {
        const Four w = four(window + i);
        for (int l = 0; l < WAYS; l += 4)
            put_turned_four(four(from[l] + i) * w, four(from[l + 1] + i) * w, four(from[l + 2] + i) * w,
                            four(from[l + 3] + i) * w, into + i * WAYS + l, WAYS);
    }
}

/* `weights` of the lines from 0 Hz on; the energies of `count` blocks. */
EXPORT void weigh(Weighing *scratch, const float *samples, int32_t count, const float *window, const float *turns,
                  const float *unpack, const float *weights, float *energies)
{
    for (; count > 0; count -= WAYS, samples += STEP * WAYS, energies += WAYS) {
        put_windows(samples, count, window, (float *)scratch->first);
        const Cell *z = transformed(scratch->first, scratch->second, BLOCK / 2, turns);
        const Lanes first = 2 * (z->re + z->im), last = 2 * (z->re - z->im);
        Lanes sum = weights[0] * (first * first) + weights[BLOCK / 2] * (last * last);
        for (int begin = 1; begin < BLOCK / 2; begin += TOGETHER) {
            Lanes some = {0};
            for (int k = begin; k < begin + TOGETHER && k < BLOCK / 2; k++) {
                const Cell a = z[k], b = z[BLOCK / 2 - k];
                const float c = unpack[2 * k], s = unpack[2 * k + 1];
                const Lanes odd_re = a.im + b.im, odd_im = b.re - a.re;
                const Lanes re = (a.re + b.re) + (c * odd_re - s * odd_im);
                const Lanes im = (a.im - b.im) + (c * odd_im + s * odd_re);
                some += weights[k] * (re * re + im * im);
            }
            sum += some;
        }
        for (int l = 0; l < WAYS && l < count; l++)
            energies[l] = sum[l];
    }
}
