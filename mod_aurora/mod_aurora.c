/* mod_aurora.c - wiring: the module record and its hooks. No logic. */
#include "mod_aurora.h"
#include "aurora/config.h"
#include "aurora/govern_board.h"
#include "aurora/http.h"
#include "aurora/observe_status.h"

#include <http_config.h>
#include <http_connection.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <ap_provider.h>

static const char *aurora_correlation_id(request_rec *r)
{
    return aur_http_correlation_id(r);
}

static void child_status(server_rec *s, pid_t pid, ap_generation_t generation, int slot,
                         mpm_child_status status)
{
    if (status == MPM_CHILD_EXITED) {
        aur_govern_board_ended(pid);
    }
}

static void register_hooks(apr_pool_t *p)
{
    ap_hook_pre_config(aur_config_pre, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(aur_config_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(aur_http_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(aur_xlsx_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(aur_openapi_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_status(child_status, NULL, NULL, APR_HOOK_MIDDLE);
#if AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
    ap_hook_child_stopping(aur_http_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
#endif
    ap_hook_child_init(aur_http_child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_pre_connection(aur_http_connection, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_perdir_config(aur_http_early, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_access_ex(aur_http_preflight, NULL, NULL, APR_HOOK_REALLY_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_handler(aur_http_handler, NULL, NULL, APR_HOOK_MIDDLE);
    aur_throttle_register();
    ap_hook_log_transaction(aur_http_count, NULL, NULL, APR_HOOK_MIDDLE);
    aur_observe_status_register();
    aur_figures_register(&aur_govern_figures);
    aur_figures_register(&aur_http_figures);
    APR_REGISTER_OPTIONAL_FN(aurora_correlation_id);
}

/* The one symbol the server looks for; everything else is built hidden. */
#pragma GCC visibility push(default)
AP_DECLARE_MODULE(aurora) = {
    STANDARD20_MODULE_STUFF, aur_config_dir_create, aur_config_dir_merge, aur_config_server_create,
    aur_config_server_merge, aur_config_commands,   register_hooks,
};
#pragma GCC visibility pop
