/* Rows of the rhythm detector: how much each pitch stands out of its surroundings, every 10 ms. The arithmetic is
 * explained in monitor/rhythm/spectrum.py, and written out a second time, in numpy, in testkit/plain_spectrum.py.
 *
 * A block's twelve hops are computed side by side: one lane each.
 */
#include "transform.h"

#define EACH_LANE for (int l = 0; l < HOPS; l++)
#define KEPT 6           /* rows of a hop's samples that the next block's windows begin with */
#define LONG_BEGINS 96   /* sample of these at which the first hop's longer window begins */
#define SHORT_BEGINS 608 /* and its shorter one: both end where the hop does */
#define TURNED (KEPT + HOPS + 6) /* whole registers of hops are read, also of the last ones */
#define OWN_WIDE 280     /* OWN, filled up to whole fours */

/* Power of one bin in a block's hops, with room for whole registers. */
typedef float Row[HOPS + 4];

/* Between the steps of one call. Nothing in it outlives the call: all sources share one. */
typedef struct {
    Cell first[LONG_WINDOW / 2], second[LONG_WINDOW / 2];
    float turned[HOP][TURNED]; /* samples of the block and before it: one column for each hop */
    Row power[WIDE];
    float wide_db[WIDE][HOPS];
    float boxes[SHORT_WIDE][HOPS], standing[SHORT_WIDE][HOPS];
    float level_db[HOPS][OWN_WIDE], standing_db[HOPS][OWN_WIDE];
    int32_t steps[BINS];
} Scratch;

/* Two samples of the windows of some hops, multiplied by the window: a cell that the transform begins with. */
INLINE Cell windowed(const float (*turned)[TURNED], int at, int row, const float *shape)
{
    Cell x;
    __builtin_memcpy(&x.re, turned[at] + row, sizeof x.re);
    __builtin_memcpy(&x.im, turned[at + 1] + row, sizeof x.im);
    return (Cell){x.re * shape[0], x.im * shape[1]};
}

/* The first pass of a transform over the windows of some hops, `hop` and the following: what is left are four transforms of
 * a quarter each, of every fourth bin. The first hop's window begins at sample `begins` of `turned`. */
INLINE void put_quarters(const float (*turned)[TURNED], int hop, int begins, int window, const float *shape,
                         const float *turns, Cell *quarters)
{
    const int apart = window / 8;
    for (int p = 0; p < apart; p++) {
        Cell x[4];
        for (int j = 0; j < 4; j++) {
            const int i = 2 * (p + j * apart), at = begins + i;
            x[j] = windowed(turned, at % HOP, at / HOP + hop, shape + i);
        }
        butterfly(x, x + 1, x + 2, x + 3, quarters + p, apart, p ? turns + 6 * p : 0);
    }
}

/* Power of bins 1 to `bins` of the real transform of the windows of some hops. */
static void put_some_power(Scratch *scratch, int hop, int begins, int window, const float *shape, const float *turns,
                           const float *unpack, int bins, Row *power)
{
    const int half = window / 2, quarter = half / 4;
    const Cell *z[4];
    put_quarters(scratch->turned, hop, begins, window, shape, turns, scratch->first);
    for (int j = 0; j < 4; j++)
        z[j] = transformed_by(scratch->first + j * quarter, scratch->second + j * quarter, quarter, turns, 4);
    for (int k = 1; k <= bins; k++, power++) {
        const int from_end = half - k;
        const Cell a = z[k % 4][k / 4], b = z[from_end % 4][from_end / 4];
        const float c = unpack[2 * k], s = unpack[2 * k + 1];
        const Lanes odd_re = a.im + b.im, odd_im = b.re - a.re;
        const Lanes re = (a.re + b.re) + (c * odd_re - s * odd_im), im = (a.im - b.im) + (c * odd_im + s * odd_re);
        const Lanes both = re * re + im * im;
        __builtin_memcpy(*power + hop, &both, sizeof both);
    }
}

/* The same of all hops, with the first bin `before` times more in front. */
static void put_power(Scratch *scratch, int begins, int window, const float *shape, const float *turns,
                      const float *unpack, int bins, int before, Row *power)
{
    for (int hop = 0; hop < HOPS; hop += WAYS)
        put_some_power(scratch, hop, begins, window, shape, turns, unpack, bins, power + before);
    for (int i = 0; i < before; i++)
        EACH_LANE power[i][l] = power[before][l];
}

/* 10 log10 of positive numbers, in place. */
static void put_decibels(float *values, int count)
{
    for (int i = 0; i < count; i++) {
        float power;
        const float logarithm = mantissa_logarithm(values[i], &power);
        values[i] = 4.342944819f * logarithm + 3.010299957f * power;
    }
}

INLINE float pair(const float *x) { return x[0] + x[HOPS]; }

INLINE float quartet(const float *x) { return pair(x) + pair(x + 2 * HOPS); }

/* Sums of `side` (7 or 13) neighbours from each of `count` columns on. */
static void put_sums(const float *x, int count, int side, float *restrict out)
{
    if (side == 7)
        for (int i = 0; i < count * HOPS; i++, x++)
            out[i] = quartet(x) + pair(x + 4 * HOPS) + x[6 * HOPS];
    else
        for (int i = 0; i < count * HOPS; i++, x++)
            out[i] = quartet(x) + (quartet(x + 4 * HOPS) + quartet(x + 8 * HOPS)) + x[12 * HOPS];
}

/* Levels of a bank's own bins, and by how much they are above their surroundings: the mean of both sides, or, where
 * one is far above the other, `tilt_db` less than the higher. From column `at` on. */
static void put_standing(Scratch *scratch, const float (*wide_db)[HOPS], int bins, int near, int far, float tilt_db,
                         int at)
{
    const int side = far - near + 1;
    put_sums(wide_db[0], bins + far + near, side, scratch->boxes[0]);
    const float *below = scratch->boxes[0], *above = scratch->boxes[far + near], *own = wide_db[far];
    float *restrict standing = scratch->standing[0];
    const float each = 1.0f / side;
    for (int i = 0; i < bins * HOPS; i++) {
        const float mean = (below[i] + above[i]) * (each / 2);
        const float higher = (below[i] > above[i] ? below[i] : above[i]) * each - tilt_db;
        standing[i] = own[i] - (mean > higher ? mean : higher);
    }
    for (int k = 0; k < bins; k += 4)
        for (int l = 0; l < HOPS; l += 4) {
            turn(own + k * HOPS + l, HOPS, scratch->level_db[l] + at + k, OWN_WIDE);
            turn(standing + k * HOPS + l, HOPS, scratch->standing_db[l] + at + k, OWN_WIDE);
        }
}

typedef struct {
    const float *short_shape, *short_turns, *short_unpack, *long_shape, *long_turns, *long_unpack;
    const int32_t *bands; /* first and past-last bin of each */
    int32_t band_count;
    float floor, tilt_db, fade_db, range_db, highest_db;
    float level_steps, prominence_steps; /* of the integers that are kept, per decibel */
} Tables;

typedef struct {
    float kept[HOP][KEPT];           /* the last samples of the block before, one column for each hop */
    float power[WIDE][4];            /* of its last hops */
    float loudest_db[OWN];           /* how loud each pitch lately was */
} Memory;

EXPORT int32_t memory_bytes(void) { return sizeof(Memory); }

EXPORT int32_t scratch_bytes(void) { return sizeof(Scratch); }

static void put_turned(Memory *memory, Scratch *scratch, const float *block)
{
    for (int i = 0; i < HOP; i += 4)
        for (int hop = 0; hop < HOPS; hop += 4)
            turn(block + hop * HOP + i, HOP, scratch->turned[i] + KEPT + hop, TURNED);
    for (int i = 0; i < HOP; i++) {
        float *row = scratch->turned[i], *kept = memory->kept[i];
        for (int r = 0; r < KEPT; r++) {
            row[r] = kept[r];
            kept[r] = row[HOPS + r];
        }
    }
}

/* Power of each bin summed over the last SMOOTHED hops: those of four hops and, shifted, of those before them. */
static void put_smoothed(Memory *memory, Scratch *scratch, float floor)
{
    for (int k = 0; k < WIDE; k++) {
        Four before = four(memory->power[k]);
        for (int l = 0; l < HOPS; l += 4) {
            const Four now = four(scratch->power[k] + l);
            const Four sum = ((now + floor) + __builtin_shufflevector(before, now, 3, 4, 5, 6)) +
                             __builtin_shufflevector(before, now, 2, 3, 4, 5);
            __builtin_memcpy(scratch->wide_db[k] + l, &sum, sizeof sum);
            before = now;
        }
        __builtin_memcpy(memory->power[k], &before, sizeof before);
    }
}

static void put_levels(Memory *memory, Scratch *scratch, const float *block, const Tables *t)
{
    Row *power = scratch->power;
    put_turned(memory, scratch, block);
    put_power(scratch, SHORT_BEGINS, SHORT_WINDOW, t->short_shape, t->short_turns, t->short_unpack, SHORT_WIDE - 1, 1,
              power);
    put_power(scratch, LONG_BEGINS, LONG_WINDOW, t->long_shape, t->long_turns, t->long_unpack, LONG_WIDE - 2, 2,
              power + SHORT_WIDE);
    put_smoothed(memory, scratch, t->floor);
    put_decibels(scratch->wide_db[0], WIDE * HOPS);
}

/* One row as integers: levels, and sums of prominences on top of those of the row before. The most prominent bin. */
static int32_t put_row(const float *level_db, const float *standing_db, const Tables *t, int32_t *restrict steps,
                       int16_t *restrict levels, const int32_t *before, int32_t *restrict sums)
{
    for (int k = 0; k < BINS; k++) {
        const float level = level_db[k] < t->highest_db ? level_db[k] : t->highest_db;
        levels[k] = (int16_t)(level * t->level_steps);
        steps[k] = (int32_t)(standing_db[k] * t->prominence_steps);
    }
    /* Each low bin has its own fine bin and shares one with either neighbour. */
    for (int k = 0; k < LOW_BINS; k++) {
        const float *fine = standing_db + BINS + 2 * k;
        float most = fine[0] > fine[1] ? fine[0] : fine[1];
        most = most > fine[2] ? most : fine[2];
        steps[k] = (int32_t)(most * t->prominence_steps);
    }
    int32_t peak = 0;
    for (int k = 0; k < BINS; k++) {
        sums[k] = (int32_t)((uint32_t)before[k] + (uint32_t)steps[k]);
        peak = peak > steps[k] ? peak : steps[k];
    }
    for (int b = 0; b < t->band_count; b++) {
        int32_t most = 0;
        for (int k = t->bands[2 * b]; k < t->bands[2 * b + 1]; k++)
            most = most > steps[k] ? most : steps[k];
        sums[BINS + b] = (int32_t)((uint32_t)before[BINS + b] + (uint32_t)most);
    }
    return peak;
}

/* No prominence is above `range_db`, less what the pitch faded by since it was loudest; none is below 0. */
static void limit(const float *restrict level_db, float faded, float range_db, float *restrict loudest, float *restrict standing)
{
    for (int k = 0; k < OWN; k++) {
        const float level = level_db[k] + faded;
        loudest[k] = loudest[k] > level ? loudest[k] : level;
        const float unfaded = level - loudest[k] + range_db;
        const float least = standing[k] < unfaded ? standing[k] : unfaded;
        standing[k] = least > 0 ? least : 0;
    }
}

/* One block of samples into `HOPS` rows: `levels` of BINS columns, `sums` of BINS + bands, which go on from the row
 * `before`. The block's highest prominence of a bin, in steps. */
EXPORT int32_t put_rows(Memory *memory, Scratch *scratch, const float *block, const Tables *t, int16_t *levels,
                        int32_t *sums, const int32_t *before)
{
    put_levels(memory, scratch, block, t);
    put_standing(scratch, scratch->wide_db, BINS, 4, 10, t->tilt_db, 0);
    put_standing(scratch, scratch->wide_db + SHORT_WIDE, LONG_BINS, 8, 20, t->tilt_db, BINS);
    const int channels = BINS + t->band_count;
    int32_t peak = 0;
    for (int hop = 0; hop < HOPS; hop++) {
        limit(scratch->level_db[hop], t->fade_db * (hop + 1), t->range_db, memory->loudest_db, scratch->standing_db[hop]);
        const int32_t most =
            put_row(scratch->level_db[hop], scratch->standing_db[hop], t, scratch->steps, levels + hop * BINS, before, sums + hop * channels);
        before = sums + hop * channels;
        peak = peak > most ? peak : most;
    }
    for (int k = 0; k < OWN; k++)
        memory->loudest_db[k] -= t->fade_db * HOPS;
    return peak;
}
