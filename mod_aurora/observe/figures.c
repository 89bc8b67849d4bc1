/* figures.c - see aurora/figures.h. */
#include "aurora/figures.h"

#include <string.h>

#define SOURCES_MAX 4

static const aur_figures_source_t *sources[SOURCES_MAX];
static int nsources;

static const char *const works[AUR_WORK_COUNT] = {
#define AUR_X(id, name) [id] = name,
    AUR_WORKS(AUR_X)
#undef AUR_X
};

static const char *const states[] = {
#define AUR_X(id, name) [id] = name,
    AUR_TASK_STATES(AUR_X)
#undef AUR_X
};

void aur_figures_register(const aur_figures_source_t *source)
{
    int i;

    for (i = 0; i < nsources && sources[i] != source; i++) {
    }
    if (i == nsources && nsources < SOURCES_MAX) {
        sources[nsources++] = source;
    }
}

void aur_figures_get(aur_figures_t *figures)
{
    int i;

    memset(figures, 0, sizeof(*figures));
    figures->version = "";
    for (i = 0; i < nsources; i++) {
        sources[i]->fill(figures);
    }
}

void aur_figures_tasks(aur_task_view_fn *show, void *ctx)
{
    int i;

    for (i = 0; i < nsources; i++) {
        if (sources[i]->tasks) {
            sources[i]->tasks(show, ctx);
        }
    }
}

const char *aur_figures_work_name(aur_work_e work)
{
    return (unsigned)work < AUR_WORK_COUNT ? works[work] : "";
}

const char *aur_figures_state_name(aur_work_state_e state)
{
    return (unsigned)state < sizeof(states) / sizeof(states[0]) ? states[state] : "";
}
