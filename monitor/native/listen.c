/* The frames of one source as they come: levels, the room's floor, and what stands out. See monitor/gate/listening.py,
 * and monitor/gate/floor.py for the floor. */
#include "kernel.h"

#define WINDOW 100 /* frames that the floor comes from */
#define BLOCK 10   /* that it learns at a time */
#define RANK 10    /* among the sorted levels of the window */
#define MOST 33    /* heard in one call, and of a second */

enum { OPENS = 1, SOUNDS = 2, LOUD = 4, SILENT = 8, STUCK = 16, CLIPPED = 32, OFFSET = 64 };

typedef struct {
    double quietest_dbfs, silence_below_dbfs, checked_above_db, tonal_above_share, creep_db;
    double dbfs;
    double window[WINDOW];
    double levels_dbfs[BLOCK];
    float block[BLOCK * FRAME_SAMPLES];
    int32_t at, heard, count; /* next in the window; frames learned; frames of the block */
} Floor;

typedef struct {
    double highest_dbfs; /* the loudest frame */
    double power;        /* sums of the frames' powers above 100 Hz, and of all without offset */
    double moving, least, most;
    int32_t frames;
} Second;

typedef struct {
    const float *cosines;
    const Tonality *tonality;
    double mostly_slow;
    double open_db, close_db, loud_db, loud_dbfs, least_loud_db;
    double step, clipped_from, offset_from;
    Floor floor;
    Second second;
    double power; /* what one call found */
    double levels_dbfs[MOST], floors_dbfs[MOST];
    uint8_t marks[MOST + 1];
} Listening;

INLINE double middle(const double *levels_dbfs)
{
    double sorted[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        int j = i;
        for (; j > 0 && sorted[j - 1] > levels_dbfs[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = levels_dbfs[i];
    }
    return (sorted[BLOCK / 2 - 1] + sorted[BLOCK / 2]) / 2;
}

/* The level that RANK others are not above. */
INLINE double ranked(const double *window)
{
    double lowest[RANK + 1];
    int count = 0;
    for (int i = 0; i < WINDOW; i++) {
        if (count > RANK && window[i] >= lowest[RANK])
            continue;
        int j = count > RANK ? RANK : count++;
        for (; j > 0 && lowest[j - 1] > window[i]; j--)
            lowest[j] = lowest[j - 1];
        lowest[j] = window[i];
    }
    return lowest[RANK];
}

static void learn(Floor *f, const Tonality *tonality)
{
    if (middle(f->levels_dbfs) > f->dbfs + f->checked_above_db && tonal_share(tonality, f->block) > f->tonal_above_share) {
        for (int i = 0; i < WINDOW; i++)
            f->window[i] += f->creep_db;
    } else {
        for (int i = 0; i < BLOCK; i++)
            f->window[f->at + i] = f->levels_dbfs[i];
        f->at = (f->at + BLOCK) % WINDOW;
        f->heard += f->heard < WINDOW ? BLOCK : 0;
    }
    const double l90 = ranked(f->window);
    f->dbfs = l90 > f->quietest_dbfs ? l90 : f->quietest_dbfs;
}

/* Digital silence changes nothing. */
static void push_floor(Floor *f, const Tonality *tonality, double level_dbfs, const float *samples)
{
    if (level_dbfs < f->silence_below_dbfs)
        return;
    float *into = f->block + f->count * FRAME_SAMPLES;
    for (int i = 0; i < FRAME_SAMPLES; i++)
        into[i] = samples[i];
    f->levels_dbfs[f->count++] = level_dbfs;
    if (f->count == BLOCK) {
        learn(f, tonality);
        f->count = 0;
    }
}

INLINE int is_loud(const Listening *l, double above_db)
{
    const double to_loud_db = l->loud_dbfs - l->floor.dbfs;
    const double asked_db = to_loud_db > l->least_loud_db ? to_loud_db : l->least_loud_db;
    return above_db >= (asked_db < l->loud_db ? asked_db : l->loud_db);
}

INLINE int marks_of(const Listening *l, const Measure *m)
{
    const double above_db = m->level_dbfs - l->floor.dbfs, offset = m->mean < 0 ? -m->mean : m->mean;
    int marks = above_db >= l->open_db ? OPENS : 0;
    marks |= above_db >= l->close_db ? SOUNDS : 0;
    marks |= l->floor.heard >= WINDOW && is_loud(l, above_db) ? LOUD : 0;
    if (m->highest - m->lowest < l->step)
        marks |= offset < l->step ? SILENT : STUCK;
    marks |= m->highest >= l->clipped_from || -m->lowest >= l->clipped_from ? CLIPPED : 0;
    return marks | (offset > l->offset_from ? OFFSET : 0);
}

INLINE void push_second(Second *s, const Measure *m)
{
    const double without_offset = m->power - m->mean * m->mean, moving = without_offset > 0 ? without_offset : 0;
    if (s->frames == MOST || !s->frames)
        *s = (Second){.highest_dbfs = m->level_dbfs, .least = moving, .most = moving};
    s->highest_dbfs = m->level_dbfs > s->highest_dbfs ? m->level_dbfs : s->highest_dbfs;
    s->least = moving < s->least ? moving : s->least;
    s->most = moving > s->most ? moving : s->most;
    s->power += m->fast_power;
    s->moving += moving;
    s->frames++;
}

/* Up to MOST frames. What any of them is marked with. */
EXPORT int32_t listen(Listening *l, const float *samples, int32_t count)
{
    Measure measured[MOST];
    int seen = 0;
    measure(samples, count, l->cosines, l->mostly_slow, measured);
    l->power = 0;
    for (int i = 0; i < count; i++) {
        const Measure *m = measured + i;
        push_floor(&l->floor, l->tonality, m->level_dbfs, samples + i * FRAME_SAMPLES);
        l->levels_dbfs[i] = m->level_dbfs;
        l->floors_dbfs[i] = l->floor.dbfs;
        l->marks[i] = (uint8_t)marks_of(l, m);
        seen |= l->marks[i];
        l->power += m->fast_power;
        push_second(&l->second, m);
    }
    return seen;
}
