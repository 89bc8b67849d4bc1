/* observe_status.h - Aurora's section of mod_status' page. */
#ifndef AURORA_OBSERVE_STATUS_H
#define AURORA_OBSERVE_STATUS_H

/** Hook into mod_status, whether it is there or not. While hooks are registered. */
void aur_observe_status_register(void);

#endif
