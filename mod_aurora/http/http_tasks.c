/* http_tasks.c - tasks as their owners and operators see them: which run, how one ended, and stopping one. */
#include "http/http_private.h"

#include <http_protocol.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "aurora/govern_board.h"
#include "aurora/json_out.h"

/* --- writing ------------------------------------------------------------------------------------ */

static void write_time(aur_sink_t *sink, apr_time_t t)
{
    apr_time_exp_t e;
    char text[40];

    apr_time_exp_gmt(&e, t);
    apr_snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", e.tm_year + 1900,
                 e.tm_mon + 1, e.tm_mday, e.tm_hour, e.tm_min, e.tm_sec, e.tm_usec / 1000);
    aur_json_cstring(sink, text);
}

static void write_sha256(aur_sink_t *sink, const aur_task_view_t *task)
{
    char text[2 * AUR_TASK_SHA256 + 1];
    int i;

    if (!task->has_sha256) {
        aur_json_lit(sink, "null");
        return;
    }
    for (i = 0; i < AUR_TASK_SHA256; i++) {
        apr_snprintf(text + 2 * i, 3, "%02x", task->sha256[i]);
    }
    aur_json_cstring(sink, text);
}

static void write_task(aur_sink_t *sink, const aur_task_view_t *task)
{
    aur_json_lit(sink, "{\"id\":");
    aur_json_cstring(sink, task->id);
    aur_json_lit(sink, ",\"kind\":");
    aur_json_cstring(sink, aur_figures_work_name(task->work));
    aur_json_lit(sink, ",\"dataset\":");
    aur_json_cstring(sink, task->dataset);
    aur_json_lit(sink, ",\"user\":");
    aur_json_cstring(sink, task->user);
    aur_json_lit(sink, ",\"state\":");
    aur_json_cstring(sink, aur_figures_state_name(task->state));
    aur_json_lit(sink, ",\"code\":");
    aur_json_cstring(sink, task->code == AUR_E_NONE ? NULL : aur_error_code(task->code));
    aur_json_lit(sink, ",\"started\":");
    write_time(sink, task->started);
    aur_json_lit(sink, ",\"elapsed_ms\":");
    aur_json_int(sink, apr_time_as_msec(task->elapsed));
    aur_json_lit(sink, ",\"rows\":");
    aur_json_int(sink, (apr_int64_t)task->rows);
    aur_json_lit(sink, ",\"bytes\":");
    aur_json_int(sink, (apr_int64_t)task->bytes);
    aur_json_lit(sink, ",\"sha256\":");
    write_sha256(sink, task);
    aur_json_lit(sink, ",\"truncated_cells\":");
    aur_json_int(sink, (apr_int64_t)task->truncated_cells);
    aur_json_lit(sink, "}");
}

/* --- whose -------------------------------------------------------------------------------------- */

/* @return key filled with who asks; NULL: he may see everybody's */
static const aur_key_t *asker(aur_key_t *key, aur_request_t *x)
{
    if (aur_request_is_operator(x)) {
        return NULL;
    }
    aur_admit_owner(key, x);
    return key;
}

typedef struct list_t {
    aur_sink_t *sink;
    int count;
} list_t;

static void list_one(void *ctx, const aur_task_view_t *task)
{
    list_t *list = ctx;

    if (list->count++) {
        aur_json_lit(list->sink, ",");
    }
    write_task(list->sink, task);
}

int aur_http_tasks(aur_request_t *x)
{
    aur_key_t key;
    list_t list = {NULL, 0};

    aur_answer_begin(x, "application/json", 4);
    list.sink = x->sink;
    aur_json_lit(x->sink, "{\"tasks\":[");
    if (aur_govern_board()) {
        aur_tasks_each(aur_govern_board(), asker(&key, x), list_one, &list);
    }
    aur_json_lit(x->sink, "]}\n");
    return aur_answer_end(x);
}

static int unknown(aur_request_t *x)
{
    aur_error_set(&x->err, AUR_E_UNKNOWN_TASK, NULL,
                  "There is no task of this id, or it has been forgotten.");
    return aur_answer_fail(x);
}

static int answer_task(aur_request_t *x, const aur_task_view_t *task, int status)
{
    x->r->status = status;
    aur_answer_begin(x, "application/json", 1);
    write_task(x->sink, task);
    aur_json_lit(x->sink, "\n");
    return aur_answer_end(x);
}

static int cancel(aur_request_t *x)
{
    aur_task_view_t task;
    aur_key_t key;
    int running;

    switch (aur_tasks_cancel(&task, aur_govern_board(), x->arg, asker(&key, x))) {
    case AUR_TASK_UNKNOWN:
        return unknown(x);
    case AUR_TASK_FOREIGN:
        aur_error_set(&x->err, AUR_E_FORBIDDEN, NULL,
                      "Only its owner and operators may cancel a task.");
        return aur_answer_fail(x);
    case AUR_TASK_FOUND:
        break;
    }
    running = task.state == AUR_WORK_WAITING || task.state == AUR_WORK_RUNNING;
    return answer_task(x, &task, running ? HTTP_ACCEPTED : HTTP_OK);
}

int aur_http_task(aur_request_t *x)
{
    aur_task_view_t task;
    aur_key_t key;

    if (!aur_govern_board()) {
        return unknown(x);
    }
    if (x->r->method_number == M_DELETE) {
        return cancel(x);
    }
    /* Another's task is none of his business, not even that there is one. */
    if (aur_tasks_find(&task, aur_govern_board(), x->arg, asker(&key, x)) != AUR_TASK_FOUND) {
        return unknown(x);
    }
    return answer_task(x, &task, HTTP_OK);
}
