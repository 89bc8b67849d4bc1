/* tasks.c - see aurora/tasks.h.
 *
 * A task is in two places: what admission counts by is small and lies close together, so that a count reads a
 * few cache lines; what is shown of it lies elsewhere, under the same index. */
#include "board_private.h"

#include <string.h>
#include <unistd.h>

#include "aurora/text.h"

#define ID_LEN (AUR_TASK_ID_MAX - 1)
/* How long one waits for the lock who only wants to show something. */
#define SHOW_WAIT apr_time_from_msec(200)

enum { FREE = 0, TAKEN, DEAD };

/* Written under the lock; but `state` goes from TAKEN to DEAD without it. */
typedef struct place_t {
    apr_uint64_t hi, lo; /* the owner */
    apr_uint32_t state;  /* atomic; the last to be written */
    apr_uint32_t work;   /* atomic */
    apr_uint32_t pid;    /* atomic */
    apr_uint32_t unused;
} place_t;

typedef struct task_t {
    char id[ID_LEN]; /* id[0] 0: not filled */
    aur_key_t owner;
    apr_int64_t started;      /* wall clock */
    apr_int64_t begun, ended; /* the board's clock */
    apr_int64_t asked;        /* atomic; the board's clock; 0: nobody asked to stop it */
    apr_uint64_t rows, bytes; /* atomic */
    apr_uint64_t truncated;
    apr_uint32_t work;
    apr_uint32_t state; /* atomic; aur_work_state_e */
    apr_uint32_t code;
    apr_uint32_t cancel; /* atomic */
    apr_uint32_t has_sha256;
    unsigned char sha256[AUR_TASK_SHA256];
    char user[AUR_TASK_NAME_MAX], dataset[AUR_TASK_NAME_MAX];
} task_t;

apr_uint64_t aur_tasks_places_bytes(int tasks)
{
    return (apr_uint64_t)tasks * sizeof(place_t);
}

apr_uint64_t aur_tasks_bytes(int tasks)
{
    return (apr_uint64_t)tasks * sizeof(task_t);
}

apr_uint64_t aur_tasks_ended_bytes(void)
{
    return (apr_uint64_t)AUR_WORK_COUNT * AUR_TASKS_ENDED * sizeof(task_t);
}

static place_t *places_of(const aur_board_t *board)
{
    return aur_board_part(board, board->parts.places);
}

static task_t *task_at(const aur_board_t *board, int place)
{
    return (task_t *)aur_board_part(board, board->parts.tasks) + place;
}

static task_t *ended_at(const aur_board_t *board, apr_uint32_t work, apr_uint32_t i)
{
    task_t *all = aur_board_part(board, board->parts.ended);

    return all + work * AUR_TASKS_ENDED + i % AUR_TASKS_ENDED;
}

static apr_uint32_t get(const apr_uint32_t *field)
{
    return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void put(apr_uint32_t *field, apr_uint32_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static apr_uint64_t get64(const apr_uint64_t *field)
{
    return __atomic_load_n(field, __ATOMIC_RELAXED);
}

static void put64(apr_uint64_t *field, apr_uint64_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static int same_key(apr_uint64_t hi, apr_uint64_t lo, const aur_key_t *key)
{
    return hi == key->hi && lo == key->lo;
}

static void copy_name(char *to, const char *name)
{
    apr_size_t len = aur_utf8_clip(name, strlen(name), AUR_TASK_NAME_MAX - 1);

    memcpy(to, name, len);
    to[len] = '\0';
}

/* --- those that have ended; under the lock ------------------------------------------------------- */

/* The id is wiped first and written last: what a dying writer leaves is not found. */
static void remember(aur_board_t *board, const task_t *task)
{
    apr_uint32_t n = board->nended[task->work];
    task_t *to = ended_at(board, task->work, n);
    task_t made = *task;

    memset(made.id, 0, ID_LEN);
    memset(to->id, 0, ID_LEN);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    *to = made;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(to->id, task->id, ID_LEN);
    board->nended[task->work] = n + 1;
}

static task_t *find_ended(const aur_board_t *board, const char *id)
{
    apr_uint32_t work, i;

    for (work = 0; work < AUR_WORK_COUNT; work++) {
        for (i = 0; i < AUR_TASKS_ENDED; i++) {
            task_t *task = ended_at(board, work, board->nended[work] + AUR_TASKS_ENDED - 1 - i);
            if (!memcmp(task->id, id, ID_LEN)) {
                return task;
            }
        }
    }
    return NULL;
}

/* A task whose worker is gone. It may be remembered already, if it died while it was doing just that. */
static void bury(aur_board_t *board, apr_uint32_t i)
{
    place_t *place = places_of(board) + i;
    task_t *task = task_at(board, (int)i);

    if (!find_ended(board, task->id)) {
        task->ended = aur_board_clock();
        task->code = AUR_E_INTERNAL;
        put(&task->state, AUR_WORK_FAILED);
        remember(board, task);
    }
    put(&place->state, FREE);
}

/* --- counting; under the lock --------------------------------------------------------------------- */

typedef struct count_t {
    apr_int64_t user, exports;
    int free; /* a place; -1: none */
} count_t;

static void count(count_t *out, aur_board_t *board, const aur_key_t *owner)
{
    place_t *place = places_of(board);
    apr_uint32_t i, top = get(&board->top), last = 0;

    out->user = out->exports = 0;
    out->free = -1;
    for (i = 0; i < top; i++, place++) {
        apr_uint32_t state = get(&place->state);
        if (state == DEAD) {
            bury(board, i);
            state = FREE;
        }
        if (state == FREE) {
            out->free = out->free < 0 ? (int)i : out->free;
            continue;
        }
        out->user += same_key(place->hi, place->lo, owner);
        out->exports += place->work != AUR_WORK_PREVIEW;
        last = i + 1;
    }
    if (out->free < 0 && top < board->ntasks) {
        out->free = (int)top;
    }
    put(&board->top, last);
}

/* --- taking a place --------------------------------------------------------------------------------- */

static aur_admit_e judge(const count_t *now, const aur_task_want_t *want)
{
    if (want->user_max > 0 && now->user >= want->user_max) {
        return AUR_ADMIT_USER_TASKS;
    }
    if (want->work != AUR_WORK_PREVIEW && want->queue_max > 0 && now->exports >= want->queue_max) {
        return AUR_ADMIT_QUEUE_FULL;
    }
    return AUR_ADMITTED;
}

static void fill_task(task_t *task, const task_t *made)
{
    put64(&task->rows, 0);
    put64(&task->bytes, 0);
    put(&task->cancel, 0);
    put(&task->state, AUR_WORK_WAITING);
    __atomic_store_n(&task->asked, 0, __ATOMIC_RELAXED);
    memcpy(task->id, made->id, ID_LEN);
    memcpy(task->user, made->user, sizeof(task->user));
    memcpy(task->dataset, made->dataset, sizeof(task->dataset));
    task->owner = made->owner;
    task->started = made->started;
    task->begun = made->begun;
    task->work = made->work;
    task->code = AUR_E_NONE;
    task->truncated = 0;
    task->has_sha256 = 0;
}

/* The place's state is written last: before that it is free, whatever becomes of the writer. */
static void take(aur_board_t *board, int i, const aur_task_want_t *want, const task_t *made,
                 apr_uint32_t pid)
{
    place_t *place = places_of(board) + i;

    if ((apr_uint32_t)i >= get(&board->top)) {
        put(&board->top, (apr_uint32_t)i + 1);
    }
    fill_task(task_at(board, i), made);
    place->hi = want->owner.hi;
    place->lo = want->owner.lo;
    put(&place->work, (apr_uint32_t)want->work);
    put(&place->pid, pid);
    put(&place->state, TAKEN);
}

aur_admit_e aur_tasks_begin(int *place, aur_board_t *board, const aur_task_want_t *want)
{
    apr_uint32_t pid = (apr_uint32_t)getpid();
    aur_admit_e verdict;
    task_t made;
    count_t now;

    /* All that takes time is done before the lock. */
    memset(&made, 0, sizeof(made));
    memcpy(made.id, want->id, strnlen(want->id, ID_LEN));
    copy_name(made.user, want->user);
    copy_name(made.dataset, want->dataset);
    made.owner = want->owner;
    made.work = (apr_uint32_t)want->work;
    made.started = apr_time_now();
    made.begun = aur_board_clock();

    *place = -1;
    if (!aur_shared_lock(&board->lock)) {
        return AUR_ADMIT_NO_PLACE;
    }
    count(&now, board, &want->owner);
    verdict = judge(&now, want);
    if (verdict == AUR_ADMITTED || want->only_tell) {
        if (now.free >= 0) {
            take(board, now.free, want, &made, pid);
            *place = now.free;
        }
        else if (!want->only_tell) {
            verdict = AUR_ADMIT_NO_PLACE;
        }
    }
    aur_shared_unlock(&board->lock);
    return verdict;
}

/* --- the holder --------------------------------------------------------------------------------------- */

void aur_tasks_running(aur_board_t *board, int place)
{
    if (place >= 0) {
        put(&task_at(board, place)->state, AUR_WORK_RUNNING);
    }
}

void aur_tasks_progress(aur_board_t *board, int place, apr_uint64_t rows, apr_uint64_t bytes)
{
    if (place >= 0) {
        put64(&task_at(board, place)->rows, rows);
        put64(&task_at(board, place)->bytes, bytes);
    }
}

const apr_uint32_t *aur_tasks_cancel_flag(const aur_board_t *board, int place)
{
    return place >= 0 ? &task_at(board, place)->cancel : NULL;
}

apr_time_t aur_tasks_cancel_asked(const aur_board_t *board, int place)
{
    return place >= 0 ? __atomic_load_n(&task_at(board, place)->asked, __ATOMIC_RELAXED) : 0;
}

void aur_tasks_end(aur_board_t *board, int place, const aur_task_end_t *end)
{
    task_t *task;

    if (place < 0) {
        return;
    }
    if (!aur_shared_lock(&board->lock)) {
        aur_tasks_abandon(board, place);
        return;
    }
    task = task_at(board, place);
    task->ended = aur_board_clock();
    task->code = (apr_uint32_t)end->code;
    task->truncated = end->truncated_cells;
    task->has_sha256 = end->sha256 != NULL;
    if (end->sha256) {
        memcpy(task->sha256, end->sha256, AUR_TASK_SHA256);
    }
    put64(&task->rows, end->rows);
    put64(&task->bytes, end->bytes);
    put(&task->state, (apr_uint32_t)end->state);
    remember(board, task);
    put(&(places_of(board) + place)->state, FREE);
    aur_shared_unlock(&board->lock);
}

static void mark_dead(place_t *place)
{
    apr_uint32_t taken = TAKEN;

    __atomic_compare_exchange_n(&place->state, &taken, DEAD, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void aur_tasks_abandon(aur_board_t *board, int place)
{
    if (place >= 0) {
        mark_dead(places_of(board) + place);
    }
}

void aur_tasks_parent_ended(aur_board_t *board, pid_t pid)
{
    place_t *place = places_of(board);
    apr_uint32_t i;

    /* All of them: `top` may just be growing. */
    for (i = 0; i < board->ntasks; i++, place++) {
        if (get(&place->state) == TAKEN && get(&place->pid) == (apr_uint32_t)pid) {
            mark_dead(place);
        }
    }
}

void aur_tasks_amend(aur_board_t *board, const char *id, aur_work_state_e state, aur_code_e code)
{
    task_t *task;

    if (!aur_shared_lock(&board->lock)) {
        return;
    }
    task = find_ended(board, id);
    if (task) {
        task->code = (apr_uint32_t)code;
        put(&task->state, (apr_uint32_t)state);
    }
    aur_shared_unlock(&board->lock);
}

/* --- looking; under the lock ---------------------------------------------------------------------------- */

static void show_task(aur_task_view_t *view, const task_t *task)
{
    apr_int64_t until = task->ended;

    memset(view, 0, sizeof(*view));
    memcpy(view->id, task->id, ID_LEN);
    memcpy(view->user, task->user, sizeof(view->user));
    memcpy(view->dataset, task->dataset, sizeof(view->dataset));
    view->work = (aur_work_e)task->work;
    view->state = (aur_work_state_e)get(&task->state);
    view->code = (aur_code_e)task->code;
    view->started = task->started;
    if (view->state == AUR_WORK_WAITING || view->state == AUR_WORK_RUNNING) {
        until = aur_board_clock();
    }
    view->elapsed = until - task->begun;
    view->rows = get64(&task->rows);
    view->bytes = get64(&task->bytes);
    view->truncated_cells = task->truncated;
    view->has_sha256 = task->has_sha256 != 0;
    memcpy(view->sha256, task->sha256, AUR_TASK_SHA256);
}

static int find_running(aur_board_t *board, const char *id)
{
    apr_uint32_t i, top = get(&board->top);
    int found = -1;

    for (i = 0; i < top; i++) {
        apr_uint32_t state = get(&places_of(board)[i].state);
        if (state == DEAD) {
            bury(board, i);
        }
        else if (state == TAKEN && !memcmp(task_at(board, (int)i)->id, id, ID_LEN)) {
            found = (int)i;
        }
    }
    return found;
}

static aur_task_found_e look(aur_task_view_t *view, aur_board_t *board, const char *id,
                             const aur_key_t *owner, int cancel)
{
    task_t *task;
    int place;

    if (strnlen(id, AUR_TASK_ID_MAX) != ID_LEN || !aur_shared_lock(&board->lock)) {
        return AUR_TASK_UNKNOWN;
    }
    place = find_running(board, id);
    task = place >= 0 ? task_at(board, place) : find_ended(board, id);
    if (!task) {
        aur_shared_unlock(&board->lock);
        return AUR_TASK_UNKNOWN;
    }
    show_task(view, task);
    if (owner && !same_key(task->owner.hi, task->owner.lo, owner)) {
        aur_shared_unlock(&board->lock);
        return AUR_TASK_FOREIGN;
    }
    if (cancel && place >= 0 && !get(&task->cancel)) {
        __atomic_store_n(&task->asked, aur_board_clock(), __ATOMIC_RELAXED);
        put(&task->cancel, 1);
    }
    aur_shared_unlock(&board->lock);
    return AUR_TASK_FOUND;
}

aur_task_found_e aur_tasks_find(aur_task_view_t *view, aur_board_t *board, const char *id,
                                const aur_key_t *owner)
{
    return look(view, board, id, owner, 0);
}

aur_task_found_e aur_tasks_cancel(aur_task_view_t *view, aur_board_t *board, const char *id,
                                  const aur_key_t *owner)
{
    return look(view, board, id, owner, 1);
}

void aur_tasks_each(aur_board_t *board, const aur_key_t *owner, aur_task_view_fn *show, void *ctx)
{
    aur_task_view_t view;
    apr_uint32_t i;
    int found;

    for (i = 0; i < get(&board->top); i++) {
        const place_t *place = places_of(board) + i;
        if (get(&place->state) != TAKEN) {
            continue;
        }
        if (!aur_shared_lock_within(&board->lock, SHOW_WAIT)) {
            return;
        }
        found = get(&place->state) == TAKEN && (!owner || same_key(place->hi, place->lo, owner));
        if (found) {
            show_task(&view, task_at(board, (int)i));
        }
        aur_shared_unlock(&board->lock);
        if (found) {
            show(ctx, &view);
        }
    }
}

void aur_tasks_figures(const aur_board_t *board, aur_figures_t *figures)
{
    const place_t *place = places_of(board);
    apr_uint32_t i, top = get(&board->top);

    for (i = 0; i < top; i++, place++) {
        apr_uint32_t work = get(&place->work);
        if (get(&place->state) == TAKEN && work < AUR_WORK_COUNT) {
            figures->running[work]++;
            figures->export_queue += work != AUR_WORK_PREVIEW;
        }
    }
}
